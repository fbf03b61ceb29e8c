"""A replay: reports and strikes of a file, merged in the order of time.

Its log is a function of the file alone; speed only paces it. It opens with an event that says so and stands still where
the data ends.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from ledger.history import LEADS, Negotiation
from ledger.reports import public_at
from schemas.events import (
    AnyReport,
    ClockStruck,
    Event,
    MetricDefined,
    NoneFound,
    ReplayOpened,
    Report,
    StackingRuleDefined,
)
from schemas.ids import event_id
from schemas.positions import Recorded
from schemas.times import When, window


@dataclass(frozen=True, slots=True)
class Played:
    """One event of a replay and the instant at which it comes."""

    at: datetime
    event: Event


@dataclass(slots=True)
class _Stage:
    """The negotiations of a replay, folded along so that each can say when it wants to be woken."""

    leads: tuple[str, ...]
    offset: int = 0
    negotiations: dict[str, Negotiation] = field(default_factory=dict)

    def play(self, at: datetime, event: Event) -> Played:
        fold = self.negotiations.setdefault(event.negotiation, Negotiation(event.negotiation, self.leads))
        fold.evolve(Recorded(event, event_id(event), 0, self.offset, None))
        self.offset += 1
        return Played(at, event)

    def strikes_before(self, at: datetime, *, inclusive: bool) -> Iterator[Played]:
        """Play the strikes due before an instant; at equal instants what is public counts before the clock."""
        while True:
            asked = [(wake, name) for name, fold in self.negotiations.items() if (wake := fold.next_wake) is not None]
            wake, name = min(asked, default=(None, ""))
            if wake is None or wake > at or (wake == at and not inclusive):
                return
            yield self.play(wake, ClockStruck(negotiation=name, at=wake, mode="replay"))


def replay(found: Iterable[Event], file_sha256: str, leads: tuple[str, ...] = LEADS) -> Iterator[Played]:
    """Play the events of a file: an opening, the definitions, then reports with the strikes between them."""
    events = list(found)
    reports = sorted(
        (event for event in events if isinstance(event, Report)),
        key=lambda report: (public_at(report)[0], report.source.name, event_id(report)),
    )
    through = data_through(reports)
    begin = public_at(reports[0])[0] if reports else datetime(1970, 1, 1, tzinfo=UTC)
    stage = _Stage(leads)
    for name in sorted({event.negotiation for event in events}):
        yield stage.play(
            begin, ReplayOpened(negotiation=name, begins_at=begin, file_sha256=file_sha256, data_through=through)
        )
    for event in events:
        if isinstance(event, MetricDefined | StackingRuleDefined):
            yield stage.play(begin, event)
    for report in reports:
        at = public_at(report)[0]
        yield from stage.strikes_before(at, inclusive=False)
        yield stage.play(at, report)
    end = window(When(on=through, zone="UTC")).latest
    yield from stage.strikes_before(end, inclusive=True)


def data_through(reports: Iterable[AnyReport]) -> date:
    """Return the last day that the reports speak for: as somebody who searched says, else the last one public."""
    searched: list[date] = []
    public: list[date] = []
    for report in reports:
        public.append(public_at(report)[0].date())
        if isinstance(report, NoneFound):
            searched.append(report.through)
    return max(searched or public, default=date(1970, 1, 1))
