"""What one act does to one component, where the corpus says it in words: lists, splits, schedules, ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from schemas.events import Instrument, Members, Stage, UntilKind
from schemas.provenance import DocumentKind, Grade
from schemas.rates import ByProduct, EitherRate, Rate, Specific
from schemas.times import Basis, When

GIVEN: Final = "given"
"""Stands for what the corpus gives for the whole act."""
Ended = Literal["revoked", "terminated", "expired", "voided", "superseded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One act on one component. What is not set is as the corpus gives it for the act.

    act: its id, where a record of the corpus tells of one act more
    suffix: tells its report from another one of the same record
    grade: how good its witness is, where no source of the record carries it
    """

    component: str
    act: str | None = None
    suffix: str = ""
    title: str | None = None
    announced: When | None = None
    kind: DocumentKind | None = None
    grade: Grade | None = None
    measure: str | None = None
    instrument: Instrument | None = None
    imposer: str | None = None
    authority: str | None = None
    origins: tuple[str, ...] | None = None
    stage: Stage | None = None
    ended_how: Ended | None = None
    rate: Rate | None = GIVEN
    suspended: str | None = None
    on_lapse: str | None = None
    effective: str | None = GIVEN
    effective_basis: Basis = "stated"
    operational: bool = False
    signed: str | None = None
    collection: Literal["follows_law", "not_stated"] = "follows_law"
    until: str | None = GIVEN
    until_kind: UntilKind | None = None
    until_basis: Basis = "stated"
    goods: str | None = GIVEN
    members: Members | None = None


def postal(percent: str, dollars: str) -> EitherRate:
    """Return the duty on a postal item: a percentage, or dollars an item."""
    return EitherRate(ad_valorem=percent, specific=Specific(amount=dollars, currency="USD", per="postal item"))


def products(percentages: Mapping[str, str]) -> ByProduct:
    """Return percentages by product group; groups with the same percentage are written together."""
    return ByProduct(by_product={name: percent for names, percent in percentages.items() for name in names.split()})


EXCEPTIONS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        ("A036", "ieepa_reciprocal"): ("Annex II goods", "section 232 goods"),
        ("A043", "cn_all_goods"): ("goods shipped before the start and imported by 24:00 on 13 May 2025",),
        ("A125", "s122"): ("goods on the annex lists", "section 232 goods", "USMCA goods"),
        ("A145", "s301_forced_labor"): ("goods on the note 52 lists", "section 232 goods"),
    }
)
"""Goods that an act on all goods leaves out."""

ALL_GOODS: Final = frozenset(
    {
        "ieepa_fentanyl",
        "ieepa_reciprocal",
        "s122",
        "s301_forced_labor",
        "cn_all_goods",
        "us_threat_100",
        "us_threat_200",
    }
)
"""The components on all goods since 2025, and what was threatened on all goods."""
