"""Claims that give a date of an act: of which component, deadline or meeting, and which of its dates."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from schemas.events import ClaimedProperty
from schemas.times import Basis


class Dated(NamedTuple):
    """The subjects that a claim gives a date of, the property, and the zone of the date."""

    subjects: tuple[str, ...]
    property: ClaimedProperty
    zone: str = "America/New_York"
    basis: Basis = "stated"


CHINA: Final = "Asia/Shanghai"
OCTOBER_CONTROLS: Final = ("cn_ec_55_58_2025", "cn_ec_61_62_2025", "cn_ec_61_foreign_2025")

BY_METRIC: Final[Mapping[str, Dated]] = MappingProxyType(
    {
        "effective.us_fentanyl_10": Dated(("ieepa_fentanyl",), "effective"),
        "effective.us_fentanyl_20": Dated(("ieepa_fentanyl",), "effective"),
        "effective.us_fentanyl_first": Dated(("ieepa_fentanyl",), "effective"),
        "effective.us_geneva_cut": Dated(("ieepa_reciprocal",), "effective"),
        "effective.us_reciprocal_84": Dated(("ieepa_reciprocal",), "effective"),
        "effective.s232_metals_50": Dated(("s232_steel", "s232_aluminum"), "effective"),
        "effective.s232_chips": Dated(("s232_semi",), "effective"),
        "signed.phase_one": Dated(("phase_one",), "signed"),
        "published.s301_forced_labor": Dated(("s301_forced_labor",), "published"),
        "published.exclusions_178": Dated(("us_301_excl_178",), "published"),
        "hearing.phase_one": Dated(("us_301_phase1.hearing",), "due"),
        "soybeans.deadline": Dated(("soybeans_12mt.due",), "due"),
        "deadline.affiliates_stay": Dated(("us_bis_affiliates",), "until"),
        "deadline.exclusions_178": Dated(("us_301_excl_178",), "until"),
        "deadline.gagesb_suspension": Dated(("cn_ec_46_2024_clause_2",), "until", CHINA),
        "deadline.maritime_suspension": Dated(("us_301_ship", "s301_sts_cranes"), "until"),
        "deadline.s122_end": Dated(("s122",), "until"),
        "deadline.tiktok": Dated(("us_tiktok",), "until"),
        "deadline.announcement_70": Dated(OCTOBER_CONTROLS, "until", CHINA),
        "meetings.geneva.dates": Dated(("geneva-2025-05",), "first_day", "Europe/Zurich"),
        "meetings.madrid.dates": Dated(("madrid-2025-09",), "first_day", "Europe/Madrid"),
        "meetings.new_york.dates": Dated(("new-york-2026-09",), "first_day"),
        "meetings.seoul.dates": Dated(("seoul-2026-05",), "first_day", "Asia/Seoul"),
        "meetings.stockholm.dates": Dated(("stockholm-2025-07",), "first_day", "Europe/Stockholm"),
        "visit.beijing.dates": Dated(("beijing-2026-05",), "first_day", CHINA),
        "call.oct_2025.date": Dated(("call-2025-10-17",), "first_day"),
    }
)
"""Dated properties by the metric of the corpus."""

BY_CLAIM: Final[Mapping[str, Dated]] = MappingProxyType(
    {
        "C049": Dated(("ieepa_reciprocal",), "until"),
        "C077": Dated(("call-2025-10-17",), "first_day", CHINA),
        "C137": Dated(("kl_truce",), "until"),
        "C138": Dated(("kl_truce",), "until", CHINA),
        "C156": Dated(("cn_ec_46_2024_clause_2",), "until", CHINA, "inferred"),
    }
)
"""Claims whose metric alone does not say of what they speak."""

RESTATED_BY_ITSELF: Final = frozenset({"C144", "C145", "C146", "C147"})
"""A log that changed its reading again and again: figures, each in place of the one before."""


def dated(claim: str, metric: str) -> Dated | None:
    """Return what a claim gives a date of; None if it names a figure, a word, or a date that no act carries."""
    if claim in RESTATED_BY_ITSELF:
        return None
    return BY_CLAIM.get(claim) or BY_METRIC.get(metric)
