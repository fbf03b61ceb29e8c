"""Acts on controls, lists, port fees, delays and agreements: which components they split into."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.events import Members, Stage
from streams.demo.convert.moves import GIVEN, Ended, Move
from streams.demo.convert.printed import BEIJING, WASHINGTON, when

CN_LISTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "cn_uel_2025_02_04": 2,
        "cn_ecl_2025_03_04": 15,
        "cn_uel_2025_03_04": 10,
        "cn_ecl_2025_04_04": 16,
        "cn_uel_2025_04_04": 11,
        "cn_ecl_2025_04_09": 12,
        "cn_uel_2025_04_09": 6,
        "cn_uel_2025_10_09": 14,
        "cn_ecl_2026_06_22": 10,
        "cn_procurement_bar_2026_06_22": 46,
    }
)
"""Chinese listings by list and day, with the number of entries. A listing's measure is its name in capitals."""

OCTOBER_CONTROLS: Final = ("cn_ec_55_58_2025", "cn_ec_61_62_2025", "cn_ec_61_foreign_2025")
"""What Announcement 70 of 2025 suspends."""


def entries(
    component: str,
    stage: Stage = "imposed",
    *named: str,
    ended_how: Ended | None = None,
    until: str | None = GIVEN,
) -> Move:
    """Return an act on one Chinese listing."""
    return Move(
        component=component,
        measure=component.upper().replace("_", "-"),
        instrument="entity_list",
        stage=stage,
        ended_how=ended_how,
        until=until,
        until_kind="unknown" if stage == "suspended" and until is None and ended_how is None else None,
        members=Members(count=CN_LISTS[component], named=named),
    )


CONTROL_MOVES: Final[Mapping[str, tuple[Move, ...]]] = MappingProxyType(
    {
        "A168": (
            Move(component="us_bis_chips"),
            Move(
                component="us_bis_chips_2023",
                title="US expands its advanced-chip export controls",
                announced=when("2023-10", WASHINGTON),
                effective="2023-10",
            ),
            Move(
                component="us_bis_chips_2024",
                title="US expands its advanced-chip export controls again",
                announced=when("2024-12", WASHINGTON),
                effective="2024-12",
            ),
        ),
        "A167": (
            Move(component="cn_ec_gage_2023", goods="gallium, germanium"),
            Move(
                component="cn_ec_graphite_2023",
                title="China licensing of graphite",
                announced=when("2023-12", BEIJING),
                effective="2023-12",
                goods="graphite",
            ),
            Move(
                component="cn_ec_antimony_2024",
                title="China licensing of antimony",
                announced=when("2024-09", BEIJING),
                effective="2024-09",
                goods="antimony",
            ),
        ),
        "A021": (
            Move(component="cn_ec_46_2024_clause_1", goods="dual-use items for military users or uses"),
            Move(component="cn_ec_46_2024_clause_2", goods="gallium, germanium, antimony, superhard items, graphite"),
        ),
        "A106": (
            Move(component="cn_ec_46_2024_clause_2", goods="gallium, germanium, antimony, superhard items, graphite"),
        ),
        "A028": (entries("cn_uel_2025_02_04", "imposed", "PVH Group", "Illumina"),),
        "A032": (
            entries(
                "cn_ecl_2025_03_04",
                "imposed",
                "General Dynamics Land Systems",
                "General Atomics",
                "Skydio",
                "Shield AI",
            ),
            entries("cn_uel_2025_03_04", "imposed", "TCOM", "Huntington Ingalls", "Cubic"),
            Move(
                component="cn_illumina_sequencers",
                measure="CN-ILLUMINA-2025",
                instrument="other",
                stage="imposed",
                goods="gene sequencers of Illumina",
            ),
        ),
        "A035": (Move(component="us_el_2025_03_25", members=Members(count=80)),),
        "A040": (entries("cn_ecl_2025_04_04"), entries("cn_uel_2025_04_04")),
        "A044": (entries("cn_ecl_2025_04_09"), entries("cn_uel_2025_04_09")),
        "A058": (
            entries("cn_ecl_2025_04_04", "suspended"),
            entries("cn_ecl_2025_04_09", "suspended"),
            entries("cn_uel_2025_04_04", "suspended"),
            Move(
                component="cn_uel_2025_04_09",
                measure="CN-UEL-2025-04-09",
                stage="suspended",
                until=None,
                members=Members(count=6),
            ),
        ),
        "A069": (Move(component="us_bis_h20", stage="suspended", until_kind="unknown"),),
        "A074": (
            entries("cn_ecl_2025_04_04", "extended"),
            entries("cn_ecl_2025_04_09", "ended", ended_how="revoked", until=None),
            Move(
                component="cn_uel_2025_04_04",
                act="A074-unreliable-entity-listings-stay-suspended",
                suffix="inferred",
                title="China's unreliable-entity listings of 4 April stay suspended",
                announced=when("2025-08-12", BEIJING, basis="inferred"),
                grade="unverified",
                measure="CN-UEL-2025-04-04",
                stage="suspended",
                effective="2025-08-12",
                effective_basis="inferred",
                until=None,
                until_kind="unknown",
                members=Members(count=CN_LISTS["cn_uel_2025_04_04"]),
            ),
        ),
        "A080": (Move(component="us_el_2025_09_12", members=Members(count=23)),),
        "A087": (Move(component="us_bis_affiliates", goods=None),),
        "A110": (Move(component="us_bis_affiliates", goods=None),),
        "A088": (
            Move(
                component="cn_ec_61_62_2025",
                goods="Chinese-origin rare-earth items (Announcement 61), technology (Announcement 62)",
            ),
            Move(
                component="cn_ec_61_foreign_2025",
                title="China Announcement 61: foreign-made items with Chinese rare earths from 1 Dec 2025",
                effective="2025-12-01",
                goods="foreign-made items with Chinese rare earths",
            ),
        ),
        "A089": (
            Move(
                component="cn_ec_55_58_2025",
                goods="superhard items, rare-earth equipment, five more rare earths, Li batteries, graphite anodes",
            ),
        ),
        "A090": (entries("cn_uel_2025_10_09", "imposed", "TechInsights"),),
        "A092": (
            Move(component="us_301_ship", imposer="US", authority="Trade Act 1974 s.301", origins=("CN",)),
            Move(
                component="cn_portfee",
                measure="CN-PORTFEE",
                imposer="CN",
                authority="PRC Ministry of Transport",
                origins=("US",),
            ),
            Move(
                component="cn_hanwha_2025",
                measure="CN-HANWHA-2025",
                instrument="entity_list",
                imposer="CN",
                authority="MOFCOM",
                origins=("US",),
                members=Members(count=5, named=("five US units of Hanwha Ocean",)),
            ),
        ),
        "A105": tuple(Move(component=component, goods=None) for component in OCTOBER_CONTROLS),
        "A107": (
            entries("cn_ecl_2025_03_04", "ended", ended_how="revoked", until=None),
            entries("cn_ecl_2025_04_04", "suspended"),
            entries("cn_uel_2025_03_04", "suspended", until=None),
            entries("cn_uel_2025_04_04", "suspended", until=None),
        ),
        "A108": (
            Move(component="cn_portfee", authority="PRC Ministry of Transport"),
            Move(
                component="cn_hanwha_2025",
                measure="CN-HANWHA-2025",
                instrument="entity_list",
                authority="MOFCOM",
                members=Members(count=5),
            ),
        ),
        "A109": (
            Move(component="us_301_ship"),
            Move(
                component="s301_sts_cranes",
                measure="US-301-STS",
                instrument="tariff",
                rate="0",
                suspended="100",
                on_lapse="100",
                goods="ship-to-shore cranes, intermodal chassis",
            ),
        ),
        "A142": (Move(component="us_1260h", members=Members(count=65, named=("Alibaba", "Baidu", "BYD"))),),
        "A148": (Move(component="us_rus_secondary", signed="2026-09-18"),),
        "A143": (entries("cn_ecl_2026_06_22"), entries("cn_procurement_bar_2026_06_22")),
        "A163": (
            Move(component="cn_nexperia", effective="2025-10-04", effective_basis="inferred"),
            Move(
                component="cn_nexperia",
                act="A163-china-eases-its-bar-on-nexperia",
                suffix="eased",
                title="China eases its bar on exports from Nexperia's China unit",
                announced=when("2025-11", BEIJING),
                kind="official-statement",
                stage="suspended",
                effective="2025-11",
                until_kind="unknown",
            ),
        ),
        "A171": (Move(component="us_tiktok", stage="imposed"),),
        "A120": (Move(component="us_tiktok", stage="ended", ended_how="terminated"),),
        "A067": (Move(component="agr_london", stage="imposed"),),
        "A150": (Move(component="kl_truce"),),
        "A154": (Move(component="kl_truce"),),
    }
)
"""Acts on other measures, by id. An act that is not here works on one component, named after its measure."""
