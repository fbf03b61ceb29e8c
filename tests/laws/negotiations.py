"""Small negotiations for the laws: several sources tell of a few acts on a few things, in one winter and spring.

A report is a function of one drawn number. So drawing is fast, and a counter-example still shrinks to few reports.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from schemas.events import (
    ActReported,
    AnyReport,
    CommitmentChanged,
    ComponentChanged,
    DeadlineChanged,
    Event,
    MeetingChanged,
    MetricDefined,
    NoneFound,
    Participant,
    ProceedingChanged,
    PropertyClaim,
    ReportRetracted,
)
from schemas.formulas import CountOfMeetings, SumOfRates, Term
from schemas.ids import event_id
from schemas.provenance import Document, Published, Source
from schemas.rates import ByProduct
from schemas.times import When

NEGOTIATION = "sylvania-freedonia"
LAST_DAY = 120
PEOPLE = (Participant(id="firefly", name="Firefly"), Participant(id="trentino", name="Trentino"))
STAGES = (
    "threatened", "announced", "imposed", "imposed", "changed", "suspended", "suspended", "extended", "exempted",
    "ended", "withdrawn",
)  # fmt: skip


def day(number: int) -> date:
    """Give a day, counted from New Year 2024."""
    return date(2024, 1, 1) + timedelta(days=number)


def noon(number: int) -> datetime:
    """Give the noon of a day in UTC."""
    return datetime(2024, 1, 1, 12, tzinfo=UTC) + timedelta(days=number)


@dataclass(frozen=True, slots=True)
class Told:
    """A negotiation as told: definitions and reports in the order of arrival, another order, two times to ask for."""

    events: tuple[Event, ...]
    other_order: tuple[Event, ...]
    at: datetime
    known_at: datetime

    def __repr__(self) -> str:
        """Say it shortly; the numbers it was drawn from tell it whole."""
        return f"Told({len(self.events)} events, at={self.at.isoformat()}, known_at={self.known_at.isoformat()})"


class Drawing:
    """What one number draws."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)  # noqa: S311 -- examples, not secrets

    def one_of(self, *options: Any) -> Any:  # noqa: ANN401 -- whatever it is given
        return self.dice.choice(options)

    def number(self) -> int:
        return self.dice.randint(0, LAST_DAY)

    def when(self, *forms: str) -> When:
        zone = self.one_of("America/New_York", "Asia/Shanghai", "Europe/Vienna")
        match self.one_of(*(forms or ("day", "day", "instant", "month", "inferred"))):
            case "instant":
                return When(at=noon(self.number()), zone=zone)
            case "month":
                return When(month=f"2024-0{self.dice.randint(1, 5)}", zone=zone)
            case "inferred":
                return When(on=day(self.number()), zone=zone, basis="inferred")
            case _:
                return When(on=day(self.number()), zone=zone)

    def perhaps(self, *forms: str) -> When | None:
        return self.when(*forms) if self.dice.random() < 2 / 3 else None

    def header(self, own_id: str) -> dict[str, Any]:
        source = Source(
            name=self.one_of("Gazette", "Tracker", "Wire"),
            own_id=own_id,
            grade=self.one_of("instrument", "wire", "secondary", "unverified"),
            speaks_as=self.one_of("issuer", "reporter"),
            basis=self.one_of("seen", "assumed"),
            published=self.one_of(None, Published(on=day(self.number()))),
        )
        document = Document(
            kind=self.one_of("instrument", "operational-notice", "official-statement", "remark"),
            issuer=self.one_of("SY", "FR", "SY+FR"),
        )
        return {
            "negotiation": NEGOTIATION,
            "act": self.one_of("A1", "A2", "A3", "A4"),
            "source": source,
            "document": document,
            "announced": self.when("day", "instant"),
        }

    def component(self, header: dict[str, Any]) -> AnyReport:
        return ComponentChanged(
            **header,
            component=self.one_of("duty", "quota"),
            measure=self.one_of("M-1", "M-2"),
            imposer=self.one_of("SY", "SY", "FR"),
            stage=self.one_of(*STAGES),
            ended_how=self.one_of(None, "expired", "revoked", "voided"),
            rate=self.one_of(None, "0", "10", "24", "34", ByProduct(by_product={"clocks": "5"})),
            suspended=self.one_of(None, "0", "24"),
            effective=self.perhaps(),
            operational=self.one_of(None, None, self.when("day")),
            retroactive_from=self.one_of(None, None, self.when("day")),
            collection=self.one_of("follows_law", "not_stated"),
            until=self.perhaps(),
            until_kind="stated",
            on_lapse=self.one_of(None, None, "10", "34"),
            signed=self.one_of(None, None, self.when("day")),
        )

    def deadline(self, header: dict[str, Any]) -> AnyReport:
        return DeadlineChanged(
            **header,
            deadline=self.one_of("review", "answer"),
            kind=self.one_of("promise", "threat"),
            stage=self.one_of("set", "set", "moved", "met", "missed", "withdrawn"),
            due=self.perhaps(),
            component=self.one_of(None, "duty"),
        )

    def meeting(self, header: dict[str, Any]) -> AnyReport:
        return MeetingChanged(
            **header,
            meeting=self.one_of("inn", "spa"),
            stage=self.one_of("planned", "held", "postponed", "cancelled"),
            format=self.one_of(None, "in_person", "phone"),
            kind=self.one_of(None, "round"),
            number=self.one_of(None, 1, 2),
            first_day=self.perhaps(),
            participants=self.one_of((), PEOPLE),
        )

    def court(self, header: dict[str, Any]) -> AnyReport:
        return ProceedingChanged(
            **header,
            proceeding="case",
            measure="M-1",
            kind="court",
            stage=self.one_of("filed", "ruled", "ruled", "stayed"),
            holding=self.one_of(None, "unlawful"),
            effect=self.one_of("final", "stayed", "parties_only"),
            on_components=self.one_of(("duty",), ("duty", "quota")),
            effective=self.perhaps("day"),
        )

    def promise(self, header: dict[str, Any]) -> AnyReport:
        stage = self.one_of("made", "fulfilled", "broken")
        return CommitmentChanged(**header, commitment="wine", stage=stage, promisor="FR", due=self.perhaps())

    def told_of(self, header: dict[str, Any]) -> AnyReport:
        subject, name = self.one_of(
            ("duty", "rate"), ("duty", "suspended"), ("duty", "effective"), ("quota", "until"), ("inn", "first_day"),
            ("review", "due"),
        )  # fmt: skip
        value = self.one_of("10", "24") if name in {"rate", "suspended"} else self.when("day")
        return ActReported(**header, claims=(PropertyClaim(subject=subject, property=name, value=value),))

    def search(self, header: dict[str, Any]) -> AnyReport:
        return NoneFound(**header, what="acts", searched=("gazette",), through=day(self.number()), result="absent")

    def retraction(self, header: dict[str, Any], earlier: list[AnyReport]) -> AnyReport:
        return ReportRetracted(**header, report=event_id(self.dice.choice(earlier)), reason="misread")

    def report(self, earlier: list[AnyReport]) -> AnyReport:
        """Give a report that may replace or retract one of the earlier ones."""
        header = self.header(f"{len(earlier)}")
        if earlier and self.dice.random() < 1 / 5:
            return self.retraction(header, earlier)
        if earlier and self.dice.random() < 1 / 8:
            header["replaces"] = event_id(self.dice.choice(earlier))
        make = self.one_of(
            *(self.component,) * 5, self.deadline, self.deadline, self.meeting, self.meeting, self.court, self.court,
            self.promise, self.told_of, self.told_of, self.search,
        )  # fmt: skip
        report: AnyReport = make(header)
        return report


def _metric(name: str, formula: SumOfRates | CountOfMeetings) -> MetricDefined:
    unit: Any = "percent" if isinstance(formula, SumOfRates) else "count"
    return MetricDefined(
        negotiation=NEGOTIATION, metric=name, revision=1, unit=unit, definition="As computed.", formula=formula
    )


DUTIES = (Term(component="duty"), Term(component="quota"))
DEFINITIONS: tuple[Event, ...] = (
    _metric("duties.collected", SumOfRates(kind="sum_of_rates", reading="collected", terms=DUTIES)),
    _metric("duties.lawful", SumOfRates(kind="sum_of_rates", reading="lawful", terms=DUTIES)),
    _metric(
        "meetings",
        CountOfMeetings(
            kind="count_of_meetings",
            group="envoys",
            counter="in_person",
            participants=("firefly", "trentino"),
            formats=("in_person",),
            kinds=("round", "other"),
        ),
    ),
)


def told(seeds: list[int], order: int, at: int, known_at: int) -> Told:
    """Give the negotiation of some numbers: one for each report, one for the order, and two days to ask for."""
    found: list[AnyReport] = []
    for seed in seeds:
        found.append(Drawing(seed).report(found))
    events = [*DEFINITIONS, *found]
    shuffled = Random(order).sample(events, len(events))  # noqa: S311 -- examples, not secrets
    return Told(tuple(events), tuple(shuffled), noon(at), noon(known_at))


numbers = st.integers(0, LAST_DAY)
negotiations = st.builds(
    told, st.lists(st.integers(0, 2**32 - 1), min_size=4, max_size=14), st.integers(0, 2**16), numbers, numbers
)
