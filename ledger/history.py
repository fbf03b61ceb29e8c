"""The one engine: events of a negotiation in, in the order of the ledger; changes, alerts and rows out.

Total, pure and deterministic: the outcome is a function of the events before it and of nothing else. Oddities are
findings, never exceptions. Time is what the events tell: a report is heard when it was recorded (in a replay: when it
was public), and the clock's strikes are events like others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Literal, assert_never

from ledger.deadlines import Deadline, warn_at
from ledger.knowledge import Knowledge, Unit
from ledger.metrics import evaluate
from ledger.reports import Entry, public_at
from ledger.rows import (
    commitment_row,
    component_row,
    deadline_row,
    meeting_row,
    metric_row,
    proceeding_row,
    utc_text,
)
from ledger.wakes import deadlines_of, instants
from schemas.changes import FOLD_VERSION, Alert, Change, Json, Table
from schemas.encoding import canonical
from schemas.events import (
    AnyReport,
    ClockStruck,
    MetricDefined,
    NoneFound,
    ReplayOpened,
    Report,
    StackingRuleDefined,
)
from schemas.formulas import CountOfMeetings
from schemas.ids import change_id, digest, event_source
from schemas.positions import Recorded
from schemas.times import when_text, window

LEADS = ("30d", "7d", "24h", "1h")
EARLY_STRIKE_ALLOWANCE = timedelta(seconds=1)
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
RowKey = tuple[Table, str]
Content = tuple[Literal["row", "finding"], str, str, Json, Json]


@dataclass(slots=True)
class Outcome:
    """What one event did: changes and alerts in order, and the rows as they now stand (None: gone)."""

    changes: list[Change] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    rows: dict[RowKey, Json | None] = field(default_factory=dict)


@dataclass(slots=True)
class Negotiation:
    """The state of one negotiation, folded from its events. Private to the fold; rows are the public answers."""

    name: str
    leads: tuple[str, ...] = LEADS
    knowledge: Knowledge = field(default_factory=Knowledge)
    present: datetime = LONG_AGO
    replay: ReplayOpened | None = None
    data_through: date | None = None
    events: int = 0
    rows: dict[RowKey, Json] = field(default_factory=dict)
    rows_of: dict[Unit, tuple[RowKey, ...]] = field(default_factory=dict)
    wakes: dict[Unit, tuple[datetime, ...]] = field(default_factory=dict)
    alerted: dict[tuple[str, int, str], None] = field(default_factory=dict)
    seen: dict[str, bytes] = field(default_factory=dict)

    @property
    def next_wake(self) -> datetime | None:
        """Return the earliest instant that the state asks the clock for. None if there is none."""
        return min((wakes[0] for wakes in self.wakes.values() if wakes), default=None)

    def evolve(self, recorded: Recorded) -> Outcome:
        """Take in one event of the ledger and return what it did."""
        outcome = Outcome()
        fingerprint = _fingerprint(recorded)
        known = self.seen.get(recorded.id)
        if known is not None:
            if known != fingerprint:
                self._find(outcome, recorded, "conflicting_duplicate", "the same id came before with other content")
            return outcome
        self.seen[recorded.id] = fingerprint
        self.events += 1
        event = recorded.event
        match event:
            case ReplayOpened():
                self._open(outcome, recorded, event)
            case MetricDefined() | StackingRuleDefined():
                self.present = max(self.present, self.heard_at(recorded))
                self._render(outcome, recorded, self.knowledge.define(event))
            case ClockStruck():
                self._strike(outcome, recorded, event)
            case _:
                self._report(outcome, recorded, event)
        return outcome

    def heard_at(self, recorded: Recorded) -> datetime:
        """Return the ledger's own time of an event: recorded when live, public or struck in a replay."""
        event = recorded.event
        recorded_at = event.first_recorded_at or recorded.recorded_at
        if isinstance(event, ClockStruck):
            return event.at.astimezone(UTC)
        if self.replay is None and recorded_at is not None:
            return recorded_at.astimezone(UTC)
        return public_at(event)[0] if isinstance(event, Report) else self.present

    def _open(self, outcome: Outcome, recorded: Recorded, event: ReplayOpened) -> None:
        if self.events > 1:
            self._find(outcome, recorded, "replay_not_first", "a replay opens a ledger, it cannot join one")
            return
        self.replay = event
        self.present = event.begins_at.astimezone(UTC)

    def _report(self, outcome: Outcome, recorded: Recorded, report: AnyReport) -> None:
        heard = self.heard_at(recorded)
        self.present = max(self.present, heard)
        entry = entry_of(recorded, report, self.present)
        if isinstance(report, NoneFound):
            self.data_through = max(report.through, self.data_through or report.through)
        self._render(outcome, recorded, self.knowledge.add(entry))

    def _strike(self, outcome: Outcome, recorded: Recorded, strike: ClockStruck) -> None:
        at = strike.at.astimezone(UTC)
        recorded_at = strike.first_recorded_at or recorded.recorded_at
        if strike.mode == "live" and recorded_at is not None and at > recorded_at + EARLY_STRIKE_ALLOWANCE:
            self._find(outcome, recorded, "early_strike", f"the clock struck {utc_text(at)} before its time")
            del self.seen[recorded.id]  # the same strike at the right time is no repeat
            return
        if (strike.mode == "replay") != (self.replay is not None):
            self._find(outcome, recorded, "foreign_clock", f"a {strike.mode} clock does not belong on this ledger")
            return
        due = {unit for unit, wakes in self.wakes.items() if wakes and wakes[0] <= at}
        self.present = max(self.present, at)
        for unit in sorted(due):
            self._alert(outcome, recorded, unit, at)
            self.wakes[unit] = tuple(wake for wake in self.wakes[unit] if wake > at)
        self._render(outcome, recorded, due)

    def _alert(self, outcome: Outcome, recorded: Recorded, unit: Unit, at: datetime) -> None:
        for deadline in deadlines_of(self.knowledge, unit, at):
            if deadline.state != "pending" or deadline.due.basis == "inferred":
                continue
            for lead in self.leads:
                warn = warn_at(deadline.due, lead)
                key = (deadline.id, deadline.revision, lead)
                if deadline.heard_at < warn <= at and key not in self.alerted:
                    self.alerted[key] = None
                    outcome.alerts.append(self._alert_of(outcome, recorded, deadline, lead, warn))

    def _alert_of(self, outcome: Outcome, recorded: Recorded, deadline: Deadline, lead: str, warn: datetime) -> Alert:
        name = digest("alert", self.name, deadline.id, str(deadline.revision), lead, FOLD_VERSION)
        recorded_at = recorded.event.first_recorded_at or recorded.recorded_at
        told_at = recorded_at if recorded_at is not None and self.replay is None else self.present
        late = told_at - warn
        return Alert(
            schema="parley.alert/1",
            id=name,
            negotiation=self.name,
            sequence=[recorded.partition, recorded.offset, len(outcome.alerts)],
            deadline=deadline.id,
            revision=deadline.revision,
            lead=lead,
            what=deadline.what,
            kind=deadline.kind,
            due=when_text(deadline.due),
            zone=deadline.due.zone,
            earliest=utc_text(window(deadline.due).earliest),
            warn_at=utc_text(warn),
            late_by_seconds=max(0, late // timedelta(seconds=1)),
            on_lapse=deadline.on_lapse,
            status=deadline.status,
            acts=list(deadline.acts),
        )

    def _render(self, outcome: Outcome, recorded: Recorded, touched: set[Unit]) -> None:
        """Render the touched units anew, note what changed, and ask the clock for the instants still to come."""
        for unit in sorted(touched):
            rows = render(self.knowledge, unit, self.present)
            for key in sorted({*rows, *self.rows_of.get(unit, ())}):
                self._put(outcome, recorded, key, rows.get(key))
            self.rows_of[unit] = tuple(sorted(rows))
            waiting = {wake for wake in self.wakes.get(unit, ()) if wake <= self.present}
            asked = instants(self.knowledge, unit, self.leads, self.present)
            kept = {wake for wake in asked if wake > self.present} | (waiting & asked)
            if kept:
                self.wakes[unit] = tuple(sorted(kept))
            else:
                self.wakes.pop(unit, None)

    def _put(self, outcome: Outcome, recorded: Recorded, key: RowKey, row: Json | None) -> None:
        before = self.rows.get(key)
        if row == before:
            return
        if row is None:
            del self.rows[key]
        else:
            self.rows[key] = row
        outcome.rows[key] = row
        old, new = before or {}, row or {}
        names = [name for name in {**old, **new} if name not in old or name not in new or old[name] != new[name]]
        self._change(
            outcome,
            recorded,
            ("row", key[0], key[1], {n: old[n] for n in names if n in old}, {n: new[n] for n in names if n in new}),
        )

    def _find(self, outcome: Outcome, recorded: Recorded, code: str, reason: str) -> None:
        self._change(outcome, recorded, ("finding", "findings", code, {}, {"code": code, "reason": reason}))

    def _change(self, outcome: Outcome, recorded: Recorded, content: Content) -> None:
        kind, table, key, before, after = content
        event = recorded.event
        ordinal = len(outcome.changes)
        source = event_source(event)
        outcome.changes.append(
            Change(
                schema="parley.change/1",
                id=change_id(source, recorded.id, f"{table}/{self.name}/{key}", FOLD_VERSION, ordinal),
                negotiation=self.name,
                sequence=[recorded.partition, recorded.offset, ordinal],
                at=utc_text(self.present),
                kind=kind,
                table=table,
                key=f"{self.name}/{key}",
                before=before,
                after=after,
                cause={
                    "event": recorded.id,
                    "type": event.type,
                    "act": event.act if isinstance(event, Report) else None,
                    "source": source,
                    "grade": event.source.grade if isinstance(event, Report) else None,
                },
            )
        )


def entry_of(recorded: Recorded, report: AnyReport, heard_at: datetime) -> Entry:
    """Return a report as the fold keeps it."""
    public, basis = public_at(report)
    return Entry(recorded.id, report, public, basis, recorded.partition, recorded.offset, heard_at)


def render(knowledge: Knowledge, unit: Unit, at: datetime) -> dict[RowKey, Json]:
    """Return the rows of a unit at an instant."""
    match unit.kind:
        case "component":
            row = component_row(knowledge, unit.name, at)
            return _deadlines(knowledge, unit, at) | _measure(unit.name, row)
        case "deadline":
            return _deadlines(knowledge, unit, at)
        case "meeting":
            found = knowledge.meeting(unit.name, at)
            if found is None:
                return {}
            return {("meetings", unit.name): meeting_row(found, counters(knowledge, unit.name, at), at)}
        case "metric":
            return {("metrics", unit.name): metric_row(evaluate(knowledge, knowledge.metrics[unit.name], at))}
        case "proceeding":
            return _measure(f"proceeding/{unit.name}", proceeding_row(knowledge, unit.name, at))
        case "commitment":
            return _measure(f"commitment/{unit.name}", commitment_row(knowledge, unit.name, at))
        case _:
            assert_never(unit.kind)


def _measure(name: str, row: Json | None) -> dict[RowKey, Json]:
    return {("measures", name): row} if row is not None else {}


def _deadlines(knowledge: Knowledge, unit: Unit, at: datetime) -> dict[RowKey, Json]:
    found = deadlines_of(knowledge, unit, at)
    return {("deadlines", deadline.id): deadline_row(deadline) for deadline in found}


def counters(knowledge: Knowledge, name: str, at: datetime) -> Sequence[str]:
    """Return the counters that count a meeting."""
    found = knowledge.meeting(name, at)
    if found is None or not found.begun(at):
        return []
    formulas = [definition.formula for definition in knowledge.metrics.values()]
    return [one.counter for one in formulas if isinstance(one, CountOfMeetings) and found.counts_in(one)]


def _fingerprint(recorded: Recorded) -> bytes:
    event = recorded.event
    if event.first_recorded_at is not None:
        event = event.model_copy(update={"first_recorded_at": None})
    return sha256(canonical(event)).digest()[:16]
