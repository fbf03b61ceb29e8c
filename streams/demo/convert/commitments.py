"""Promises: made, and fulfilled on somebody's word."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from schemas.events import CommitmentChanged
from schemas.provenance import DocumentKind, Grade
from schemas.times import Basis, When
from streams.demo.convert.corpus import ActLine
from streams.demo.convert.issuers import document, own_source, zone
from streams.demo.convert.printed import WASHINGTON, when
from streams.demo.convert.telling import Telling


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What an act does to one promise.

    suffix, title, announced, spoken_in, grade: where a record of the corpus tells of one report more
    """

    commitment: str
    what: str
    stage: Literal["made", "fulfilled"] = "made"
    quantity: str | None = None
    unit: str | None = None
    due: str | None = None
    basis: Basis = "stated"
    suffix: str = ""
    title: str | None = None
    announced: When | None = None
    spoken_in: DocumentKind | None = None
    grade: Grade | None = None


def _in_words(commitment: str, what: str, quantity: str, due: str, announced: When) -> Promise:
    """Return a promise of soybeans as Bessent told it, before the fact sheet."""
    return Promise(
        commitment=commitment,
        what=what,
        quantity=quantity,
        unit="million tonnes",
        due=due,
        suffix="in-words",
        title="Bessent: China to buy 12 Mt of US soybeans 'from now to January', then 25 Mt a year for three years",
        announced=announced,
        spoken_in="remark",
        grade="wire",
    )


def _soybeans(year: int) -> Promise:
    return Promise(
        commitment=f"soybeans_25mt_{year}",
        what=f"buy at least 25 Mt of US soybeans in {year}",
        quantity="25",
        unit="million tonnes",
        due=f"{year}-12-31",
    )


PROMISES: Final[Mapping[str, tuple[Promise, ...]]] = MappingProxyType(
    {
        "A099": (
            Promise(commitment="cn_suspend_october_controls", what="suspend the export controls of 9 October 2025"),
            Promise(
                commitment="cn_general_licences",
                what="issue general licences for rare earths, gallium, germanium, antimony and graphite",
            ),
            Promise(commitment="cn_stop_precursors", what="stop shipments of fentanyl precursors"),
            Promise(
                commitment="cn_suspend_tariffs_since_march_2025",
                what="suspend the retaliatory tariffs announced since 4 March 2025",
            ),
            Promise(commitment="cn_end_chip_probes", what="end the investigations of US chip firms"),
            Promise(commitment="cn_nexperia_ships", what="let Nexperia's China unit ship"),
        ),
        "A100": (
            _in_words(
                "soybeans_12mt",
                "buy 12 Mt of US soybeans 'from now to January'",
                "12",
                "2026-01",
                when("2025-10-30", WASHINGTON),
            ),
            *(
                _in_words(
                    f"soybeans_25mt_{year}",
                    f"buy 25 Mt of US soybeans in {year}",
                    "25",
                    f"{year}-12-31",
                    when("2025-10-30", WASHINGTON, basis="inferred"),
                )
                for year in (2026, 2027, 2028)
            ),
            Promise(
                commitment="soybeans_12mt",
                what="buy at least 12 Mt of US soybeans in the last two months of 2025",
                quantity="12",
                unit="million tonnes",
                due="2025-12-31",
            ),
            *(_soybeans(year) for year in (2026, 2027, 2028)),
            Promise(commitment="cn_buy_sorghum_logs", what="buy US sorghum and logs"),
        ),
        "A119": (
            Promise(
                commitment="soybeans_12mt",
                what="He told Bessent that China completed the soybean purchases this week",
                stage="fulfilled",
                quantity="12",
                unit="million tonnes",
            ),
        ),
        "A139": (
            Promise(
                commitment="farm_purchases_17bn",
                what="buy $17bn a year of US farm goods to 2028",
                quantity="17",
                unit="billion US dollars a year",
                due="2028-12-31",
                basis="inferred",
            ),
            Promise(commitment="boeing_200", what="buy 200 Boeing aircraft", quantity="200", unit="aircraft"),
            Promise(commitment="cn_rare_earth_concerns", what="address US concerns over rare earths"),
            Promise(
                commitment="tariff_cuts_30_30",
                what="negotiate tariff cuts on about $30bn of goods on each side",
                quantity="30",
                unit="billion US dollars of goods on each side",
            ),
        ),
        "A175": (Promise(commitment="cn_end_chip_probes", what="end the investigations of US chip firms"),),
    }
)
"""Promises by act. China makes them to the United States, as American documents tell."""


def own_reports(telling: Telling, act: ActLine) -> Iterator[CommitmentChanged]:
    """Give the issuer's report of each promise that an act makes or fulfils."""
    for one in PROMISES.get(act.id, ()):
        yield CommitmentChanged(
            negotiation=telling.negotiation,
            act=telling.act_id(act.id),
            title=one.title or telling.title(act.id),
            source=own_source(
                act, f"commitment/{one.commitment}{'/' if one.suffix else ''}{one.suffix}", grade=one.grade
            ),
            document=document(act, kind=one.spoken_in),
            announced=one.announced or telling.announced(act.id),
            commitment=one.commitment,
            stage=one.stage,
            promisor="CN",
            beneficiary="US",
            what=one.what,
            quantity=one.quantity,
            unit=one.unit,
            due=when(one.due, zone(act), basis=one.basis) if one.due is not None else None,
        )
