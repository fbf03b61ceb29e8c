"""A report as the fold keeps it: with the instant from which it is public, and the units it works on."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple, assert_never

from schemas.events import (
    ActReported,
    AnyReport,
    CommitmentChanged,
    ComponentChanged,
    DeadlineChanged,
    FigureClaimed,
    MeetingChanged,
    NoneFound,
    ProceedingChanged,
    ReportRetracted,
    StatementMade,
)
from schemas.positions import Recorded
from schemas.times import Window, day_window, window

PublicBasis = Literal["published", "announced"]
UnitKind = Literal["component", "deadline", "meeting", "proceeding", "commitment", "metric"]


class Unit(NamedTuple):
    """One thing that has rows: a component, a deadline told of, a meeting, a proceeding, a commitment, a metric."""

    kind: UnitKind
    name: str


class Entry(NamedTuple):
    """One report: its id, when it became public and on what basis, its place on the ledger and when that heard it.

    `made_at` is the earliest instant at which its act can have been made, `order` its place in the order that truth
    depends on: (public_at, source, id); `units` are what it works on.
    """

    id: str
    event: AnyReport
    public_at: datetime
    public_basis: PublicBasis
    partition: int
    offset: int
    heard_at: datetime
    made_at: datetime
    order: tuple[datetime, str, str]
    units: tuple[Unit, ...]
    data: bytes = b""
    """The bytes that the report was read from, where they are at hand."""


def entry_of(recorded: Recorded, report: AnyReport, heard_at: datetime) -> Entry:
    """Return a report as the fold keeps it."""
    announced = window(report.announced)
    public, basis = _public_at(report, announced)
    order = (public, report.source.name, recorded.id)
    place = (recorded.partition, recorded.offset)
    made = made_at(report)
    return Entry(recorded.id, report, public, basis, *place, heard_at, made, order, units_of(report), recorded.data)


def units_of(event: AnyReport) -> tuple[Unit, ...]:
    """Return the units that a report works on."""
    match event:
        case ComponentChanged():
            return (Unit("component", event.component),)
        case DeadlineChanged():
            return (Unit("deadline", event.deadline),)
        case MeetingChanged():
            return (Unit("meeting", event.meeting),)
        case CommitmentChanged():
            return (Unit("commitment", event.commitment),)
        case ProceedingChanged():
            return (
                Unit("proceeding", event.proceeding),
                *dict.fromkeys(Unit("component", component) for component in event.on_components),
            )
        case ActReported() | StatementMade() | FigureClaimed() | ReportRetracted() | NoneFound():
            return ()
        case _:
            assert_never(event)


def in_order_of_acts(entries: Iterable[Entry]) -> list[Entry]:
    """Return reports act by act: what is told again of an older act, however late, is no newer act."""
    found = by_act(sorted(entries, key=_order))
    return [entry for of_act in sorted(found.values(), key=place_of) for entry in of_act]


def by_act(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Return the reports of each act, in the order given."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.event.act, []).append(entry)
    return found


def place_of(entries: Sequence[Entry]) -> tuple[datetime, str, str]:
    """Return the place of an act among others: that of the first report that is no rumour, if there is one."""
    return min([entry.order for entry in verified(entries)])


def verified(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the reports that are no rumours; all of them where nobody else tells."""
    return [entry for entry in entries if entry.event.source.grade != "unverified"] or entries


def _order(entry: Entry) -> tuple[datetime, str, str]:
    return entry.order


def takes_back(event: AnyReport) -> tuple[str, ...]:
    """Return the ids of the reports that a report replaces or retracts."""
    names = (event.replaces, event.report if isinstance(event, ReportRetracted) else None)
    return tuple([name for name in names if name is not None])


def public_at(report: AnyReport) -> tuple[datetime, PublicBasis]:
    """Return when a report is public: published, else announced.

    A bare day is public when it ends in the zone of the document's issuer, or at the act's effective instant if that
    falls within the day.
    """
    return _public_at(report, window(report.announced))


def _public_at(report: AnyReport, said: Window) -> tuple[datetime, PublicBasis]:
    published = report.source.published
    if published is None:
        return (said.latest if report.announced.at is not None else _end_or_effect(report, said)), "announced"
    if published.on is None:
        assert published.at is not None  # noqa: S101 -- `Published` admits exactly one of the two
        return published.at.astimezone(UTC), "published"
    return _end_or_effect(report, day_window(published.on, published.zone or report.announced.zone)), "published"


def _end_or_effect(report: AnyReport, said: Window) -> datetime:
    if isinstance(report, ComponentChanged | ProceedingChanged):
        effective = report.effective
        if effective is not None and effective.at is not None and said.earliest <= effective.at < said.latest:
            return effective.at.astimezone(UTC)
    return said.latest


def made_at(report: AnyReport) -> datetime:
    """Return the earliest instant at which the act can have been made: signed, or announced."""
    announced = window(report.announced).earliest
    signed = report.signed if isinstance(report, ComponentChanged) else None
    return announced if signed is None else min(announced, window(signed).earliest)
