"""The one engine: events of a negotiation in, in the order of the ledger; changes, alerts and rows out.

Total, pure and deterministic: the outcome is a function of the events before it and of nothing else. Oddities are
findings, never exceptions. Time is what the events tell: a report is heard when it was recorded (in a replay: when it
was public), and the clock's strikes are events like others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Literal, get_args

from ledger.bounding import SHOWN_MAX
from ledger.deadlines import Deadline, warn_at
from ledger.findings import (
    CONFLICTING,
    NOT_FIRST,
    Finding,
    of_definition,
    of_early_strike,
    of_foreign_strike,
    of_report,
)
from ledger.knowledge import Knowledge, Parts
from ledger.parts import OfUnit, RowKey, Warned
from ledger.reports import Unit, UnitKind, entry_of, public_at
from ledger.rows import reports_told, utc_text
from ledger.views import View, view
from ledger.wakes import Seen, Wakes, deadlines_of, instants, stays_until
from schemas.changes import FOLD_VERSION, Alert, Cause, Change, Json
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
from schemas.ids import change_id, content, digest, event_source
from schemas.positions import Recorded
from schemas.times import RESOLUTION, when_text, window

LEADS = ("30d", "7d", "24h", "1h")
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
KINDS = get_args(UnitKind)
Told = tuple[Literal["row", "finding"], str, str, Json, Json]


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
    wakes: Wakes = field(default_factory=Wakes)

    @property
    def next_wake(self) -> datetime | None:
        """Return the earliest instant that the state asks the clock for. None if there is none."""
        return self.wakes.next_wake

    @property
    def rows(self) -> dict[RowKey, Json]:
        """Return every row as it was last put out."""
        units = (unit for kind in KINDS for unit in (Unit(kind, name) for name in self.knowledge.units(kind)))
        return {key: row for unit in units for key, row in self.knowledge.unit(unit).rows.items()}

    def evolve(self, recorded: Recorded) -> Outcome:
        """Take in one event of the ledger and return what it did."""
        outcome = Outcome()
        repeats = self._repeats(recorded)
        if repeats is not None:
            if not repeats:
                self._find(outcome, recorded, CONFLICTING)
            return outcome
        self.events += 1
        event = recorded.event
        match event:
            case ReplayOpened():
                self.knowledge.heard.new[recorded.id] = content_digest(event)
                self._open(outcome, recorded, event)
            case MetricDefined() | StackingRuleDefined():
                self.knowledge.heard.new[recorded.id] = content_digest(event)
                self.present = max(self.present, self.heard_at(recorded))
                found = of_definition(self.knowledge, event)
                self._render(outcome, recorded, self.knowledge.define(event))
                self._find(outcome, recorded, *found)
            case ClockStruck():
                self._strike(outcome, recorded, event)
            case _:
                self._report(outcome, recorded, event)
        self.knowledge.cabinet.settle()
        return outcome

    def _repeats(self, recorded: Recorded) -> bool | None:
        """Tell whether an event says what the earlier one with its id said. None if there is none."""
        known = self.knowledge.heard.get(recorded.id)
        if isinstance(known, str):
            earlier = self.knowledge.report(recorded.id)
            return earlier is not None and content_digest(earlier) == content_digest(recorded.event)
        return None if known is None else known == content_digest(recorded.event)

    def heard_at(self, recorded: Recorded) -> datetime:
        """Return the ledger's own time of an event: recorded when live, public or struck in a replay."""
        event = recorded.event
        recorded_at = recorded.first_recorded_at
        if isinstance(event, ClockStruck):
            return event.at.astimezone(UTC)
        if self.replay is None and recorded_at is not None:
            return recorded_at.astimezone(UTC)
        return public_at(event)[0] if isinstance(event, Report) else self.present

    def _open(self, outcome: Outcome, recorded: Recorded, event: ReplayOpened) -> None:
        if self.events > 1:
            self._find(outcome, recorded, NOT_FIRST)
            return
        self.replay = event
        self.present = event.begins_at.astimezone(UTC)

    def _report(self, outcome: Outcome, recorded: Recorded, report: AnyReport) -> None:
        self.present = max(self.present, self.heard_at(recorded))
        if isinstance(report, NoneFound):
            self.data_through = max(report.through, self.data_through or report.through)
        entry = entry_of(recorded, report, self.present)
        found = [*of_report(self.knowledge, entry)]
        self._render(outcome, recorded, self.knowledge.add(entry))
        self._find(outcome, recorded, *found)

    def _strike(self, outcome: Outcome, recorded: Recorded, strike: ClockStruck) -> None:
        at = strike.at.astimezone(UTC)
        if (early := of_early_strike(recorded, strike)) is not None:
            # its id is not kept: the same strike at the right time is no repeat
            self._find(outcome, recorded, early)
            return
        self.knowledge.heard.new[recorded.id] = content_digest(strike)
        if (foreign := of_foreign_strike(strike, replayed=self.replay is not None)) is not None:
            self._find(outcome, recorded, foreign)
            return
        due = self.knowledge.parts_to_change(self.wakes.due(at))
        self.present = max(self.present, at)
        touched = dict(due)
        for unit in sorted(due):
            part = due[unit]
            self._alert(outcome, recorded, unit, at)
            self._wait_for(unit, part, [wake for wake in part.wakes if wake > at])
            part.stays_until = None
            touched.update(self.knowledge.dependents(unit, part))
        self._render(outcome, recorded, touched)

    def _alert(self, outcome: Outcome, recorded: Recorded, unit: Unit, at: datetime) -> None:
        part = self.knowledge.unit_to_change(unit)
        for deadline in deadlines_of(self.knowledge, unit, part, at):
            if deadline.state != "pending" or deadline.due.basis == "inferred":
                continue
            for lead in self.leads:
                warn, due = warn_at(deadline.due, lead), window(deadline.due).earliest
                before = part.alerted.get((deadline.id, lead))
                if not deadline.heard_at < warn <= at or (before is not None and before.earliest == due):
                    continue
                if self._stands(unit, part, deadline, at):
                    # acts may count fewer dates than were warned of, where reports of one act have put it right
                    revision = max(deadline.revision, before.revision + 1) if before is not None else deadline.revision
                    part.alerted[deadline.id, lead] = Warned(due, revision)
                    warned = deadline._replace(revision=revision)
                    outcome.alerts.append(self._alert_of(outcome, recorded, warned, lead, warn))

    def _stands(self, unit: Unit, part: OfUnit, deadline: Deadline, at: datetime) -> bool:
        """Tell whether a late strike still speaks of the date that stood until it was due, or stands now."""
        last = min(self.present, window(deadline.due).latest - RESOLUTION)
        if last <= at:
            return True
        found = (one for one in deadlines_of(self.knowledge, unit, part, last) if one.id == deadline.id)
        return any(one.state == "pending" and one.due == deadline.due for one in found)

    def _alert_of(self, outcome: Outcome, recorded: Recorded, deadline: Deadline, lead: str, warn: datetime) -> Alert:
        name = digest("alert", self.name, deadline.id, str(deadline.revision), lead, FOLD_VERSION)
        recorded_at = recorded.first_recorded_at
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
            acts=list(deadline.acts[-SHOWN_MAX:]),
        )

    def _render(self, outcome: Outcome, recorded: Recorded, touched: Parts) -> None:
        """Render the touched units anew, note what changed, and ask the clock for the instants still to come."""
        for unit in sorted(touched):
            part = touched[unit]
            if part.stays_until is not None and self.present < part.stays_until:
                self._recount(outcome, recorded, unit, part)
                continue
            seen = view(self.knowledge, unit, part, self.present)
            self._put(outcome, recorded, part.rows, seen.rows)
            part.rows = seen.rows
            self._ask(unit, part, seen)

    def _recount(self, outcome: Outcome, recorded: Recorded, unit: Unit, part: OfUnit) -> None:
        """Put out the row of a component that is as it was, but for the count of the reports that it rests on."""
        key: RowKey = ("measures", unit.name)
        row = part.rows.get(key)
        if unit.kind != "component" or row is None:
            return
        before, reports = row["reports"], reports_told(part, self.present)
        if before != reports:
            part.rows[key] = outcome.rows[key] = {**row, "reports": reports}
            self._change(outcome, recorded, ("row", *key, {"reports": before}, {"reports": reports}))

    def _ask(self, unit: Unit, part: OfUnit, seen: View) -> None:
        """Ask the clock for the instants of a unit still to come, and go on waiting for those due and not struck."""
        waiting = [wake for wake in part.wakes if wake <= self.present]
        since = waiting[0] if waiting else self.present
        asked = instants(self.knowledge, unit, self.leads, Seen(self.present, part, seen.deadlines), since)
        self._wait_for(unit, part, sorted([wake for wake in asked if wake > self.present or wake in waiting]))
        part.stays_until = stays_until(unit, part, seen.stays_until, self.present)

    def _wait_for(self, unit: Unit, part: OfUnit, instants: Sequence[datetime]) -> None:
        before, part.wakes = part.wakes, tuple(instants)
        self.wakes.ask(unit, before[0] if before else None, part.wakes[0] if part.wakes else None)

    def _put(self, outcome: Outcome, recorded: Recorded, before: dict[RowKey, Json], rows: dict[RowKey, Json]) -> None:
        """Put out the rows of a unit that differ from those before."""
        differing = [key for key, row in rows.items() if (old := before.get(key)) is not row and old != row]
        for key in sorted([*differing, *(before.keys() - rows.keys())]):
            row, old = rows.get(key), before.get(key)
            outcome.rows[key] = row
            if old is None:
                self._change(outcome, recorded, ("row", *key, {}, row or {}))
            elif row is None:
                self._change(outcome, recorded, ("row", *key, old, {}))
            else:
                now = {name: value for name, value in row.items() if name not in old or old[name] != value}
                was = {name: value for name, value in old.items() if name in now or name not in row}
                self._change(outcome, recorded, ("row", *key, was, now))

    def _find(self, outcome: Outcome, recorded: Recorded, *findings: Finding) -> None:
        for code, reason in findings:
            self._change(outcome, recorded, ("finding", "findings", code, {}, {"code": code, "reason": reason}))

    def _change(self, outcome: Outcome, recorded: Recorded, told: Told) -> None:
        kind, table, key, before, after = told
        ordinal = len(outcome.changes)
        cause = cause_of(recorded)
        change: Change = {
            "schema": "parley.change/1",
            "id": change_id(cause["source"], recorded.id, f"{table}/{self.name}/{key}", FOLD_VERSION, ordinal),
            "negotiation": self.name,
            "sequence": [recorded.partition, recorded.offset, ordinal],
            "at": utc_text(self.present),
            "kind": kind,
            "table": table,
            "key": f"{self.name}/{key}",
            "before": before,
            "after": after,
            "cause": cause,
        }
        outcome.changes.append(change)


def cause_of(recorded: Recorded) -> Cause:
    """Return what a change says of the event behind it."""
    event = recorded.event
    act, grade = (event.act, event.source.grade) if isinstance(event, Report) else (None, None)
    return {
        "event": recorded.id,
        "type": event.type,
        "act": act,
        "source": event_source(event),
        "grade": grade,
    }


def content_digest(event: Event) -> bytes:
    """Return a digest of what an event says, whenever it was first recorded."""
    return sha256(content(event)).digest()[:16]
