"""Who makes a claim: the authority of the document spoken of, whose it is, and where it is dated."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.provenance import Document, DocumentKind

_US: Final[Mapping[DocumentKind, tuple[str, ...]]] = MappingProxyType(
    {
        "instrument": (
            "BIS, 90 FR 50857",
            "EO 14358 (summary)",
            "Federal Register",
            "Federal Register, 90 FR 50947",
            "International Trade Today; executive order; law firms",
            "Mondaq law-firm note; EO 14357",
            "Supreme Court; EO 14389; Budget Lab at Yale (policy date)",
            "TikTok, after EO 14352",
            "USITC tariff schedule, in the Budget Lab at Yale",
            "USTR, 90 FR 55232",
            "executive order of 12 May 2025; most press",
            "press, after EO 14350",
        ),
        "operational-notice": (
            "CBP; MOFCOM; Budget Lab at Yale (HTS date)",
            "Washington Examiner; CBP",
        ),
        "official-statement": (
            "US Treasury, in Benzinga",
            "USTR",
            "White House",
            "White House fact sheet",
            "White House fact sheet (as reported by public logs)",
            "White House official",
            "White House; AP",
            "officials",
        ),
        "remark": (
            "Donald Trump",
            "Jamieson Greer",
            "Scott Bessent",
            "Scott Bessent (reading); several outlets",
            "Scott Bessent, quoting He Lifeng",
        ),
    }
)
_CN: Final[Mapping[DocumentKind, tuple[str, ...]]] = MappingProxyType(
    {
        "instrument": (
            "Announcement 70; Sphera",
            "MOFCOM Announcement 70; Reuters",
            "State Council Tariff Commission Announcement No. 9 of 2025",
        ),
        "official-statement": (
            "CNews; MOFCOM",
            "MOFCOM",
            "MOFCOM spokesperson",
            "Xinhua",
            "Xinhua; RTHK",
        ),
        "remark": ("Wang Wentao",),
    }
)
_NOTES: Final = frozenset(
    {
        "Chinese-language public note",
        "Chinese-language public notes",
        "other public notes",
        "public log",
        "public note",
        "some public notes",
    }
)
_BOTH: Final = "joint statement"
_BY_CLAIM: Final[Mapping[str, DocumentKind]] = MappingProxyType({"C015": "instrument", "C101": "instrument"})
"""Claims of a newsroom that speak of an instrument."""


def _by_name() -> dict[str, tuple[DocumentKind, str]]:
    found: dict[str, tuple[DocumentKind, str]] = {_BOTH: ("official-statement", "US+CN")}
    for party, kinds in (("US", _US), ("CN", _CN)):
        found |= {name: (kind, party) for kind, names in kinds.items() for name in names}
    found |= dict.fromkeys(_NOTES, ("remark", "NOTE"))
    return found


_SPEAKERS: Final[Mapping[str, tuple[DocumentKind, str]]] = MappingProxyType(_by_name())


def spoken_of(claim: str, by: str) -> Document:
    """Return the document that a claim speaks of. Newsrooms, firms and people without office speak for themselves."""
    own = "PIIE" if by.startswith("PIIE") else "PRIVATE"
    kind, party = _SPEAKERS.get(by, ("remark", own))
    return Document(kind=_BY_CLAIM.get(claim, kind), issuer=party)
