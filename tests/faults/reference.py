"""The tally a second time, for the judge: from a whole partition at once, and sharing no fold with the worker."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from streams.engine import Record
from tests.faults.events import ALLOWANCE_MS, DEPTH_MAX, LEAD_MS, VALUE_BYTES_MAX, identity

RowKey = tuple[str, bytes]


class Expected(NamedTuple):
    """One appended record that must be there, once."""

    id: str
    key: bytes | None
    value: bytes | None


@dataclass(slots=True)
class Reference:
    """What a ledger partition brings about; `rows` holds every value that a row ever had, in order (None: gone).

    stops_at: the offset at which a worker that knows the given major versions has to stop.
    """

    changes: list[Expected] = field(default_factory=list)
    alerts: list[Expected] = field(default_factory=list)
    dead_letters: list[Expected] = field(default_factory=list)
    rows: dict[RowKey, list[bytes | None]] = field(default_factory=lambda: defaultdict(list))
    stops_at: int | None = None


@dataclass(slots=True)
class _Ledger:
    """What was heard of one negotiation by now."""

    numbers: list[int] = field(default_factory=list)
    total: int = 0
    came: dict[str, bytes | None] = field(default_factory=dict)
    due: dict[str, tuple[int, str]] = field(default_factory=dict)
    warned: set[str] = field(default_factory=set)


class _Newer(Exception):  # noqa: N818 -- it leads out of a parser, it is no error
    pass


def reference(
    ledger: Sequence[Record], homes: Mapping[bytes | None, int], *, version: str = "1", majors: Sequence[int] = (1,)
) -> Reference:
    """Return what the records of one partition must bring about; `homes` says where each key belongs."""
    result = Reference()
    heard: dict[str, _Ledger] = defaultdict(_Ledger)
    for record in ledger:
        try:
            event = _event(record, homes, majors)
        except _Newer:
            result.stops_at = record.offset
            break
        if isinstance(event, str):
            place = f"{record.partition}:{record.offset} {event}"
            result.dead_letters.append(Expected(place, record.key, record.value))
            continue
        told = _told(event, record, heard[event["negotiation"]], result)
        for ordinal, what in enumerate(told):
            sequence = [record.partition, record.offset, ordinal]
            change = identity(event["id"], event["negotiation"], version, ordinal)
            if "finding" in what:
                change = identity(*sequence, event["id"], version)
            content = _text({"id": change, "sequence": sequence, "cause": event["id"], **what})
            result.changes.append(Expected(change, record.key, content))
    return result


def _told(event: Mapping[str, Any], record: Record, known: _Ledger, result: Reference) -> list[dict[str, Any]]:
    """Take one event in, and return what its changes tell; its alerts and rows go to the result."""
    name, key = event["id"], event["negotiation"].encode()
    if name in known.came:
        return [] if known.came[name] == record.value else [{"finding": "conflict"}]
    known.came[name] = record.value
    told: list[dict[str, Any]]
    match event["type"]:
        case "addition":
            known.numbers.append(event["number"])
            known.total += event["number"]
            told = [{"count": len(known.numbers), "total": known.total}]
        case "deadline":
            known.due[event["deadline"]] = (event["due_ms"], name)
            told = [{"deadline": event["deadline"], "due_ms": event["due_ms"]}]
            row = _row(event["due_ms"], name, told=False)
            result.rows["deadlines", key + b"/" + event["deadline"].encode()].append(row)
        case _ if event["at_ms"] > record.timestamp + ALLOWANCE_MS:
            return [{"finding": "early_strike"}]
        case _:
            told = _struck(event, known, result)
    sums = {"count": len(known.numbers), "total": known.total, "pending": len(known.due), "cause": name}
    result.rows["sums", key].append(_text(sums))
    return told


def _struck(event: Mapping[str, Any], known: _Ledger, result: Reference) -> list[dict[str, Any]]:
    told = []
    negotiation, at_ms = event["negotiation"], event["at_ms"]
    for deadline in sorted(known.due):
        due_ms, revision = known.due[deadline]
        row = result.rows["deadlines", f"{negotiation}/{deadline}".encode()]
        if due_ms <= at_ms:
            told.append({"passed": deadline, "late_ms": at_ms - due_ms})
            row.append(None)
            del known.due[deadline]
        elif due_ms - at_ms <= LEAD_MS and revision not in known.warned:
            known.warned.add(revision)
            row.append(_row(due_ms, revision, told=True))
            alert = identity("alert", negotiation, deadline, revision)
            content = _text({"id": alert, "deadline": deadline, "due_ms": due_ms, "cause": event["id"]})
            result.alerts.append(Expected(alert, negotiation.encode(), content))
    return told


def _event(record: Record, homes: Mapping[bytes | None, int], majors: Sequence[int]) -> dict[str, Any] | str:
    """Return the event in a record, or why it is a dead letter."""
    if record.value is None or record.value == b"":
        return "empty"
    if len(record.value) > VALUE_BYTES_MAX:
        return "too_large"
    try:
        event = json.loads(record.value.decode("utf-8"))
        deep = _deeper_than(event, DEPTH_MAX)
    except (ValueError, RecursionError):
        return "unreadable"
    if not isinstance(event, dict) or deep:
        return "unreadable"
    major = str(event.get("version")).split(".", maxsplit=1)[0]
    if not isinstance(event.get("version"), str) or not major.isdigit():
        return "malformed"
    if int(major) not in majors:
        raise _Newer
    return _unfit(event, record, homes) or event


def _unfit(event: Mapping[str, Any], record: Record, homes: Mapping[bytes | None, int]) -> str | None:
    texts, numbers = ["id", "negotiation"], []
    match event.get("type"):
        case "addition":
            numbers = ["number"]
        case "deadline":
            texts, numbers = [*texts, "deadline"], ["due_ms"]
        case "strike":
            numbers = ["at_ms"]
        case _:
            return "unknown_type"
    if not all(type(event.get(name)) is str for name in texts) or not all(type(event.get(n)) is int for n in numbers):
        return "malformed"
    if record.key != event["negotiation"].encode() or homes.get(record.key) != record.partition:
        return "misplaced"
    return None


def _deeper_than(value: object, levels: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return levels < 1
    return levels < 1 or any(_deeper_than(inner, levels - 1) for inner in value)


def _row(due_ms: int, revision: str, *, told: bool) -> bytes:
    return _text({"due_ms": due_ms, "revision": revision, "warned": told})


def _text(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
