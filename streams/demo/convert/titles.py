"""What acts are called: as of their own day, and the ids that follow from it."""

import re
from collections.abc import Mapping
from typing import Final

from streams.demo.convert.corpus import ActLine

REWRITTEN: Final[Mapping[str, str]] = {
    "A012": "Section 301 List 4A",
    "A013": "Section 301 List 4B scheduled for 15 Dec 2019",
    "A043": "China raises its announced 34% on all US goods to 84%",
    "A049": "De minimis postal rate raised to 90% or $75 (then $150)",
    "A050": "De minimis postal rate raised to 120% or $100 (then $200 from 1 Jun)",
    "A061": "Court of International Trade holds IEEPA tariffs unlawful; stayed",
    "A069": "US allows H20 sales again (licences)",
    "A083": "Madrid talks, round 4 (14-15 Sep)",
    "A090": "China adds 14 foreign entities (TechInsights, anti-drone firms) to unreliable entity list",
    "A095": "Kuala Lumpur talks, round 5 (25-26 Oct)",
    "A133": "Trump's Beijing visit planned 31 Mar-2 Apr",
    "A163": "China bars exports from Nexperia's China unit",
    "A167": "China licensing of gallium and germanium",
    "A168": "US advanced-chip and chip-equipment export controls",
    "A171": "TikTok: 75-day non-enforcement to 5 April 2025",
    "A177": "TikTok: second 75-day non-enforcement, to 19 June 2025",
}
"""Titles that tell what came later, or carry a number that no source has, in words of the act's own day."""

ACT_ID_CHARACTERS_MAX: Final = 60
_WORDS_MAX: Final = 6
_BEFORE_BRACKET_MIN: Final = 3
_NOT_LAST: Final = frozenset(
    {"a", "an", "and", "as", "at", "by", "for", "from", "in", "is", "its", "next", "not", "of", "on", "or", "s"}
    | {"says", "than", "the", "then", "to", "up", "until", "will", "with"}
)


def title(act: ActLine) -> str:
    """Return what an act is called on its own day."""
    return REWRITTEN.get(act.id, act.title)


def act_id(act: ActLine) -> str:
    """Return the act's id: that of the corpus, then the first words of its title."""
    text = title(act).lower().replace("'", "")
    before_bracket = _words(text.split("(")[0])
    words = (before_bracket if len(before_bracket) >= _BEFORE_BRACKET_MIN else _words(text))[:_WORDS_MAX]
    while words and (words[-1] in _NOT_LAST or (words[-1].isdecimal() and words[-2] in _NOT_LAST)):
        words.pop()
    return "-".join([act.id, *words])[:ACT_ID_CHARACTERS_MAX].rstrip("-")


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text)
