"""How the duties of both sides add up, in the project's own words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from schemas.events import StackingRuleDefined

SECTION_301_LISTS: Final = ("s301_l1", "s301_l2", "s301_l3", "s301_l4a")
ONE_OF: Final = ("ieepa_reciprocal", "s122", "s301_forced_labor")
SECTION_232: Final = (
    "s232_steel", "s232_aluminum", "s232_autos", "s232_autoparts", "s232_copper", "s232_wood", "s232_mhdv",
    "s232_buses", "s232_semi", "s232_polysilicon",
)  # fmt: skip
CN_RETALIATION: Final = ("cn_232r", "cn_301r_l1", "cn_301r_l2", "cn_301r_l3", "cn_301r_l4a")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of addition, with the components of its parts."""

    name: str
    text: str
    adds: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    not_on: tuple[str, ...] = ()


RULES: Final = (
    Rule(
        "us_layers",
        "A Chinese good pays the MFN duty, then section 301 and section 232 where it is listed, then the fentanyl "
        "duty, then one of reciprocal, section 122 or forced labor, then anti-dumping and countervailing duties.",
        (*SECTION_301_LISTS, "s301_fyr24", *SECTION_232, "ieepa_fentanyl"),
        ONE_OF,
    ),
    Rule(
        "us_fentanyl_on_everything",
        "The fentanyl duty comes on top of everything, also on section 232 goods and on goods exempt from the "
        "reciprocal duty: a phone that is exempt from that pays the fentanyl duty alone.",
        ("ieepa_fentanyl",),
    ),
    Rule(
        "us_not_on_section_232",
        "Reciprocal, section 122 and forced-labor duties stay off section 232 goods: off their metal value, or off "
        "their whole value, as the rule on metals then says (s232_metals_regime).",
        (),
        ONE_OF,
        SECTION_232,
    ),
    Rule(
        "us_section_301_apart",
        "Section 301 is 25% on Lists 1 to 3, 7.5% on List 4A and 25 to 100% on goods of the four-year review. It is "
        "never part of the 30%. The 178 exclusions lift section 301 alone.",
        (*SECTION_301_LISTS, "s301_fyr24"),
    ),
    Rule(
        "us_forced_labor_on_lists",
        "The forced-labor duty adds to the older section 301 duties: a List 3 good pays the MFN duty, List 3 and the "
        "forced-labor duty.",
        ("s301_forced_labor", "s301_l3"),
    ),
    Rule(
        "us_legacy_chips_on_review",
        "The section 301 duty on legacy chips adds to what the four-year review put on semiconductors.",
        ("s301_semi_2025", "s301_fyr24"),
    ),
    Rule(
        "cn_layers",
        "A US good in China pays the MFN duty, the retaliation of 2018-19 where it is not waived, the duties of "
        "February and March 2025 where it is listed, and the duty on all goods.",
        (*CN_RETALIATION, "cn_2025_feb", "cn_2025_mar_ag", "cn_all_goods"),
    ),
    Rule(
        "suspended_is_not_zero",
        "Suspended points are written and come back: 34 is 10 in force and 24 suspended. Points that were taken away "
        "do not come back with a lapse.",
        ("ieepa_reciprocal", "cn_all_goods"),
    ),
    Rule(
        "one_side_can_return",
        "Each side's suspended points come back with its own duty: where that has ended they have none to return to, "
        "whatever the other side's do.",
        ("ieepa_reciprocal", "cn_all_goods"),
    ),
)
"""The rules, in the order in which a duty is worked out."""


def stacking_rules(negotiation: str) -> Iterator[StackingRuleDefined]:
    """Give the rules as events."""
    for rule in RULES:
        yield StackingRuleDefined(
            negotiation=negotiation,
            rule=rule.name,
            revision=1,
            text=rule.text,
            adds=rule.adds,
            one_of=rule.one_of,
            not_on=rule.not_on,
        )
