"""Acts on duties whose split, schedule or products the corpus tells in words."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from streams.demo.convert.moves import Move, postal, products
from streams.demo.convert.printed import WASHINGTON, when

THREAT_100: Final = "us_threat_100"

IEEPA_DUTIES: Final = (
    ("ieepa_fentanyl", ("CN", "HK")),
    ("ieepa_reciprocal", ("WORLD",)),
    ("de_minimis_postal", ("CN", "HK")),
)
FIRST_TRANCHE: Final = products(
    {
        "ev syringes": "100",
        "solar_cells": "50",
        "sts_cranes steel_aluminum ev_batteries battery_parts critical_minerals facemasks": "25",
    }
)
SECOND_TRANCHE: Final = {"semiconductors gloves": "50"}
DECEMBER_NOTICE: Final = {"polysilicon_wafers": "50", "tungsten": "25"}

TARIFF_MOVES: Final[Mapping[str, tuple[Move, ...]]] = MappingProxyType(
    {
        "A012": (
            Move(component="s301_l4a", rate="10"),
            Move(
                component="s301_l4a",
                suffix="raised",
                title="Section 301 List 4A at 15%",
                announced=when("2019-08-30", WASHINGTON, as_printed="23-30 Aug 2019", basis="inferred"),
                rate="15",
            ),
        ),
        "A013": (
            Move(component="s301_l4b", rate=None),
            Move(
                component="s301_l4b",
                act="A013-section-301-list-4b-suspended",
                suffix="suspended",
                title="Section 301 List 4B suspended before its start, with the announcement of Phase One",
                announced=when("2019-12-13", WASHINGTON),
                kind="official-statement",
                stage="suspended",
                rate=None,
                effective="2019-12-13",
            ),
        ),
        "A015": (
            Move(component="s301_l4a"),
            Move(
                component="phase_one",
                measure="AGR-PHASE-ONE",
                instrument="agreement",
                imposer="US+CN",
                origins=("US", "CN"),
                stage="imposed",
                signed="2020-01-15",
                goods=None,
            ),
        ),
        "A169": (
            Move(
                component="s201_solar",
                title="Section 201 solar safeguard extended to 6 Feb 2026",
                stage="extended",
                rate="14",
                effective="2022-02-04",
                effective_basis="inferred",
                until="2026-02-06",
                on_lapse="0",
            ),
            Move(
                component="s201_solar",
                act="A169-section-201-solar-safeguard-expired",
                suffix="ended",
                title="Section 201 solar safeguard ends",
                announced=when("2026-02-06", WASHINGTON, basis="inferred"),
                stage="ended",
                ended_how="expired",
            ),
        ),
        "A018": (
            Move(
                component="s301_fyr24",
                kind="official-statement",
                stage="announced",
                rate=FIRST_TRANCHE,
                effective="2024-08-01",
            ),
            Move(
                component="s301_fyr24",
                suffix="final",
                announced=when("2024-09-18", WASHINGTON),
                rate=FIRST_TRANCHE,
            ),
        ),
        "A019": (
            Move(
                component="s301_fyr24",
                rate=products(SECOND_TRANCHE),
                goods="semiconductors, medical gloves",
            ),
            Move(
                component="s301_fyr24",
                suffix="december-notice",
                announced=when("2024-12-16", WASHINGTON),
                rate=products(SECOND_TRANCHE | DECEMBER_NOTICE),
                goods="semiconductors, medical gloves, polysilicon and wafers, tungsten",
            ),
        ),
        "A020": (
            Move(
                component="s301_fyr24",
                rate=products({"non_ev_batteries graphite magnets": "25", "gloves enteral_syringes": "100"}),
            ),
        ),
        "A024": (
            Move(component="ieepa_fentanyl"),
            Move(
                component="us_deminimis_cn",
                measure="US-DEMINIMIS-CN",
                instrument="de_minimis",
                goods="shipments under $800",
            ),
        ),
        "A026": (
            Move(
                component="cn_2025_feb",
                rate=products(
                    {"coal lng": "15", "crude_oil farm_machinery large_engine_cars pickups": "10"},
                ),
                goods="coal, LNG, crude oil, farm machinery, large-engine cars, pickups",
            ),
        ),
        "A031": (
            Move(
                component="cn_2025_mar_ag",
                rate=products(
                    {
                        "chicken wheat corn cotton": "15",
                        "soybeans sorghum pork beef seafood fruit vegetables dairy": "10",
                    }
                ),
                goods="farm goods, about $21bn",
            ),
        ),
        "A047": (
            Move(
                component="ieepa_reciprocal",
                rate=products({"listed_electronics": "0"}),
                goods="phones, computers, chips under listed headings",
            ),
        ),
        "A034": (
            Move(component="s232_autos"),
            Move(
                component="s232_autoparts",
                measure="US-232-AUTOPARTS",
                rate="25",
                effective="2025-05-03",
                goods="auto parts",
            ),
        ),
        "A048": (
            Move(component="de_minimis_postal", rate=postal("30", "25")),
            Move(component="us_deminimis_cn", goods="shipments under $800"),
        ),
        "A049": (Move(component="de_minimis_postal", rate=postal("90", "75")),),
        "A050": (Move(component="de_minimis_postal", rate=postal("120", "100")),),
        "A059": (Move(component="de_minimis_postal", rate=postal("54", "100")),),
        "A160": (
            Move(
                component="s232_wood",
                rate=products({"timber": "10", "upholstered_furniture cabinets": "25"}),
            ),
        ),
        "A162": (
            Move(component="s232_mhdv", goods="medium and heavy trucks"),
            Move(component="s232_buses", rate="10", goods="buses"),
        ),
        "A076": (Move(component="us_threat_200", rate="200"),),
        "A091": (
            Move(component=THREAT_100, rate="100"),
            Move(component="us_threat_software", instrument="export_control", goods="software"),
        ),
        "A178": (
            Move(component=THREAT_100, stage="withdrawn"),
            Move(component="us_threat_software", instrument="export_control", stage="withdrawn", goods="software"),
        ),
        "A103": (Move(component="cn_2025_mar_ag", stage="ended", ended_how="terminated", goods="farm goods"),),
        "A123": tuple(
            Move(
                component=component,
                origins=origins,
                stage="ended",
                ended_how="terminated",
                collection="not_stated",
            )
            for component, origins in IEEPA_DUTIES
        ),
        "A124": tuple(
            Move(
                component=component,
                origins=origins,
                stage="ended",
                ended_how="terminated",
                effective=None,
                operational=True,
            )
            for component, origins in IEEPA_DUTIES
        ),
        "A128": (Move(component="us_deminimis_global", goods="shipments under $800"),),
        "A125": (Move(component="s122", rate="10", until_basis="computed", on_lapse="0"),),
        "A134": (
            Move(
                component="s232_metals_regime",
                instrument="tariff_rule",
                stage="changed",
                goods="steel, aluminum and derivatives: tiers of 50, 25, 15 and 0%, on the full customs value",
            ),
        ),
        "A141": (Move(component="s301_forced_labor", rate="12.5"),),
        "A146": (Move(component="s122", stage="ended", ended_how="expired", until=None),),
        "A158": (Move(component="us_301_all", goods=None),),
        "A165": (
            Move(
                component="ieepa_reciprocal",
                rate=products({"farm_and_food": "0"}),
                effective="2025-11-14",
                effective_basis="inferred",
                goods="coffee, beef, fruit and other farm and food products",
            ),
        ),
    }
)
"""Acts on duties, by id. An act that is not here works on the components of its own rate lines, as the corpus gives."""
