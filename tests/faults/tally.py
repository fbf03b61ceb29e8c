"""The tally as the worker under trial folds it: changes, alerts, dead letters and two tables."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from streams.engine import Outputs, Record
from streams.topics import partition_of
from tests.faults.events import ALLOWANCE_MS, DEPTH_MAX, LEAD_MS, VALUE_BYTES_MAX, identity

_FIELDS = {
    "addition": (("number", int),),
    "deadline": (("deadline", str), ("due_ms", int)),
    "strike": (("at_ms", int),),
}


class UpgradeNeeded(Exception):  # noqa: N818 -- the state of this installation, not a fault of the event
    """The ledger holds an event of a major version that this tally does not know."""


@dataclass(slots=True)
class Pending:
    """A deadline that was not passed yet; `revision` is the event that set it."""

    due_ms: int
    revision: str
    warned: bool = False


@dataclass(slots=True)
class Account:
    """The state of one negotiation."""

    count: int = 0
    total: int = 0
    seen: dict[str, bytes] = field(default_factory=dict)
    deadlines: dict[str, Pending] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Places:
    """The topics that a tally appends to."""

    changes: str
    alerts: str
    dead_letters: str


class Tally:
    """The fold of one ledger partition; `majors` are the major versions of events that it understands."""

    def __init__(self, places: Places, partitions: int, *, version: str = "1", majors: Sequence[int] = (1,)) -> None:
        self.version = version
        self._places = places
        self._partitions = partitions
        self._majors = frozenset(majors)
        self._accounts: dict[str, Account] = {}

    def fold(self, records: Sequence[Record]) -> None:
        """Fold records whose outputs are committed."""
        for record in records:
            _Step(self, record).run()

    def project(self, records: Sequence[Record], outputs: Outputs) -> None:
        """Fold records and append what they bring about."""
        for record in records:
            step = _Step(self, record)
            step.run()
            for topic, key, value, headers in step.appended:
                outputs.append(topic, key, value, headers)
            for (table, row_key), row in step.rows.items():
                outputs.row(table, row_key.encode(), None if row is None else _encode(row))

    def set_aside(self, record: Record, outputs: Outputs) -> None:
        """Pass a record that a person has set aside."""
        outputs.append(self._places.dead_letters, record.key, record.value, _dead_letter_headers(record, "set_aside"))

    @property
    def places(self) -> Places:
        """Where outputs go."""
        return self._places

    def account(self, negotiation: str) -> Account:
        """Return the state of a negotiation, a new one if it was never heard of."""
        account = self._accounts.get(negotiation)
        if account is None:
            account = self._accounts[negotiation] = self.found(negotiation)
        return account

    def found(self, negotiation: str) -> Account:
        """Return the state of a negotiation that was not asked for since the start."""
        assert negotiation not in self._accounts
        return Account()

    def read(self, record: Record) -> Mapping[str, Any] | str:
        """Return the event in a record, or why there is none."""
        value = record.value
        if not value:
            return "empty"
        if len(value) > VALUE_BYTES_MAX:
            return "too_large"
        try:
            event = orjson.loads(value)
        except orjson.JSONDecodeError:
            return "unreadable"
        if not isinstance(event, dict) or _depth(event) > DEPTH_MAX:
            return "unreadable"
        version = event.get("version")
        if not isinstance(version, str) or not version.partition(".")[0].isdigit():
            return "malformed"
        if int(version.partition(".")[0]) not in self._majors:
            raise UpgradeNeeded(
                f"partition {record.partition}, offset {record.offset}: expected major version "
                f"{sorted(self._majors)}, got {version}; upgrade me"
            )
        return self._checked(record, event)

    def _checked(self, record: Record, event: Mapping[str, Any]) -> Mapping[str, Any] | str:
        fields = _FIELDS.get(event.get("type", ""))
        if fields is None:
            return "unknown_type"
        expected = (("id", str), ("negotiation", str), *fields)
        if any(type(event.get(name)) is not kind for name, kind in expected):
            return "malformed"
        key = str(event["negotiation"]).encode()
        if record.key != key or record.partition != partition_of(key, self._partitions):
            return "misplaced"
        return event


class _Step:
    """What one record does."""

    def __init__(self, tally: Tally, record: Record) -> None:
        self.appended: list[tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]] = []
        self.rows: dict[tuple[str, str], dict[str, object] | None] = {}
        self._tally = tally
        self._record = record
        self._ordinal = 0

    def run(self) -> None:
        record = self._record
        event = self._tally.read(record)
        if isinstance(event, str):
            headers = _dead_letter_headers(record, event)
            self.appended.append((self._tally.places.dead_letters, record.key, record.value, headers))
            return
        account = self._tally.account(event["negotiation"])
        content = hashlib.sha256(record.value or b"").digest()
        if event["id"] in account.seen:
            if account.seen[event["id"]] != content:
                self._change(event, {"finding": "conflict"})
            return
        account.seen[event["id"]] = content
        match event["type"]:
            case "addition":
                account.count += 1
                account.total += event["number"]
                self._change(event, {"count": account.count, "total": account.total})
            case "deadline":
                pending = Pending(event["due_ms"], event["id"])
                account.deadlines[event["deadline"]] = pending
                self._change(event, {"deadline": event["deadline"], "due_ms": pending.due_ms})
                self._deadline_row(event, event["deadline"], pending)
            case _:
                if event["at_ms"] > record.timestamp + ALLOWANCE_MS:
                    self._change(event, {"finding": "early_strike"})
                    return
                self._strike(event, account)
        negotiation = str(event["negotiation"])
        self.rows["sums", negotiation] = {
            "count": account.count, "total": account.total, "pending": len(account.deadlines), "cause": event["id"]
        }  # fmt: skip

    def _strike(self, event: Mapping[str, Any], account: Account) -> None:
        at_ms = event["at_ms"]
        for name, pending in sorted(account.deadlines.items()):
            if pending.due_ms <= at_ms:
                del account.deadlines[name]
                self._change(event, {"passed": name, "late_ms": at_ms - pending.due_ms})
                self._deadline_row(event, name, None)
            elif pending.due_ms - LEAD_MS <= at_ms and not pending.warned:
                pending.warned = True
                alert = {
                    "id": identity("alert", event["negotiation"], name, pending.revision),
                    "deadline": name,
                    "due_ms": pending.due_ms,
                    "cause": event["id"],
                }
                self.appended.append((self._tally.places.alerts, self._record.key, _encode(alert), []))
                self._deadline_row(event, name, pending)

    def _change(self, event: Mapping[str, Any], what: Mapping[str, object]) -> None:
        change = {
            "id": identity(event["id"], event["negotiation"], self._tally.version, self._ordinal),
            "sequence": [self._record.partition, self._record.offset, self._ordinal],
            "cause": event["id"],
            **what,
        }
        if "finding" in what:  # the event with this id was another one, so the place has to tell them apart
            change["id"] = identity(*change["sequence"], event["id"], self._tally.version)
        self._ordinal += 1
        self.appended.append((self._tally.places.changes, self._record.key, _encode(change), []))

    def _deadline_row(self, event: Mapping[str, Any], name: str, pending: Pending | None) -> None:
        row = None
        if pending is not None:
            row = {"due_ms": pending.due_ms, "revision": pending.revision, "warned": pending.warned}
        self.rows["deadlines", f"{event['negotiation']}/{name}"] = row


def _dead_letter_headers(record: Record, code: str) -> list[tuple[str, bytes]]:
    return [("position", b"%d:%d" % (record.partition, record.offset)), ("code", code.encode())]


def _encode(fields: Mapping[str, object]) -> bytes:
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)


def _depth(value: object) -> int:
    """Return how deep values are nested; what is deeper than anybody reads counts as that deep."""
    level = [value]
    depth = 0
    while level and depth <= DEPTH_MAX:
        depth += 1
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return depth
