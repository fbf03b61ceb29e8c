"""The two kinds of parts that a negotiation's state is made of: the reports of an act, and a unit with its rows."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import orjson

from ledger.acts import ActOnComponent
from ledger.deadlines import Deadline
from ledger.meetings import Meeting
from ledger.micros import from_micros, micros
from ledger.packing import head_of, one_line, unpack
from ledger.reports import Entry, Unit, entry_of
from ledger.timeline import Ruling, Timeline
from schemas.changes import Json, Table
from schemas.codec import Undecodable, decode, encode
from schemas.encoding import plain_json
from schemas.events import Report
from schemas.positions import Recorded

RowKey = tuple[Table, str]


class Warned(NamedTuple):
    """The last warning of a deadline with one lead: the earliest instant of the date it spoke of, and its revision."""

    earliest: datetime
    revision: int


@dataclass(slots=True)
class OfAct:
    """The reports of one act by their ids, and the units that any of them works on."""

    entries: dict[str, Entry] = field(default_factory=dict)
    units: dict[Unit, None] = field(default_factory=dict)

    def put_away(self) -> bytes:
        """Return it as bytes: a line that says what is there, and each report on a line of its own."""
        places = [(one.id, one.partition, one.offset, micros(one.heard_at)) for one in self.entries.values()]
        reports = [one_line(one.data or encode(one.event)) for one in self.entries.values()]
        return b"\n".join([plain_json([places, [tuple(unit) for unit in self.units]]), *reports])

    @classmethod
    def taken_out(cls, data: bytes) -> "OfAct":
        """Bring it back."""
        head, *reports = data.split(b"\n")
        places, units = orjson.loads(head)
        return cls(
            {place[0]: _entry(report, *place) for place, report in zip(places, reports, strict=True)},
            {Unit(kind, name): None for kind, name in units},
        )


def _entry(data: bytes, name: str, partition: int, offset: int, heard: int) -> Entry:
    event = decode(data)
    if isinstance(event, Undecodable) or not isinstance(event, Report):
        raise TypeError(f"expected the report {name} as it was put away, got {event!r}")
    recorded = Recorded(event, name, partition, offset, None, data)
    return entry_of(recorded, event, from_micros(heard))


class OnComponent(NamedTuple):
    """What acts and courts do to one component: the acts in their order, and the timeline that follows."""

    acts: tuple[ActOnComponent, ...]
    proceedings: tuple[Entry, ...]
    rulings: tuple[Ruling, ...]
    timeline: Timeline


@dataclass(slots=True)
class OfUnit:
    """One unit: the acts on it, the deadlines told that hang on it, and what the log's order has made of it so far.

    `judged` are the acts that are steps of proceedings, `rows` those last put out, `wakes` the instants asked of the
    clock, `alerted` the last warning by deadline and lead. The others are computed when asked for and forgotten when a
    further report makes the unit another one, but for `shown`: deadlines with the rows that tell of them, for those
    that stay as they were, and for `component_before`, which often lacks nothing but one more act. `told` counts the
    reports of each act in `resolved`; `heads` has what stood before their reports when they were put away, as long as
    they are the same. Before `stays_until` the rows stay as they are, but for that count; None where nobody knows.
    """

    acts: dict[str, None] = field(default_factory=dict)
    judged: dict[str, None] = field(default_factory=dict)
    hanging: dict[str, None] = field(default_factory=dict)
    rows: dict[RowKey, Json] = field(default_factory=dict)
    wakes: tuple[datetime, ...] = ()
    alerted: dict[tuple[str, str], Warned] = field(default_factory=dict)
    resolved: dict[str, ActOnComponent | None] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    heads: dict[str, tuple[ActOnComponent, bytes]] = field(default_factory=dict)
    standing: list[Entry] | None = None
    component: OnComponent | None = None
    component_before: OnComponent | None = None
    meeting: tuple[datetime, Meeting | None] | None = None
    stays_until: datetime | None = None
    shown: dict[str, tuple[Deadline, Json]] = field(default_factory=dict)

    def forget(self) -> None:
        """Forget what was computed from reports, but for what single acts do."""
        self.component_before = self.component or self.component_before
        self.standing = self.component = self.meeting = self.stays_until = None

    def put_away(self) -> bytes:
        """Return it as bytes."""
        rows = [(*key, row) for key, row in self.rows.items()]
        wakes = [micros(wake) for wake in self.wakes]
        names = [list(self.acts), list(self.judged), list(self.hanging)]
        known = [(name, act) for name, act in self.resolved.items() if act is not None]
        acts = {name: head + one_line(act.data) for name, act in known if (head := self._head(name, act)) is not None}
        told = [[name, self.told[name]] for name in acts]
        alerted = [(*key, micros(one.earliest), one.revision) for key, one in self.alerted.items()]
        return b"\n".join([plain_json([*names, rows, wakes, alerted, told]), *acts.values()])

    def _head(self, name: str, act: ActOnComponent) -> bytes | None:
        before = self.heads.get(name)
        if before is not None and before[0] is act:
            return before[1]
        head = head_of(act)
        if head is not None:
            self.heads[name] = (act, head)
        return head

    @classmethod
    def taken_out(cls, data: bytes) -> "OfUnit":
        """Bring it back."""
        head, *lines = data.split(b"\n")
        acts, judged, hanging, rows, wakes, alerted, told = orjson.loads(head)
        return cls(
            acts=dict.fromkeys(acts),
            judged=dict.fromkeys(judged),
            hanging=dict.fromkeys(hanging),
            rows={(table, key): row for table, key, row in rows},
            wakes=tuple([from_micros(wake) for wake in wakes]),
            alerted={(name, lead): Warned(from_micros(due), revision) for name, lead, due, revision in alerted},
            resolved={name: unpack(line) for (name, _), line in zip(told, lines, strict=True)},
            told=dict(told),
        )
