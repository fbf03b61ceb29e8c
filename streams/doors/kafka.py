"""The ledger and its tables on Kafka, read as events and rows."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Container, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

import orjson

from schemas.changes import Json
from schemas.codec import Undecodable, decode
from schemas.events import Event
from schemas.positions import Recorded
from streams.engine import Cut, decode_cut, is_set_aside
from streams.projection import UpgradeNeeded, misplaced, recorded
from streams.reading import KafkaRecord, TableRow, end_positions, read_as, read_set_asides, read_table, read_to_end
from streams.topics import CUTS, EVENTS, TABLES, partition_of

_NAMES_SHOWN: Final = 10
_NAME_CHARS_MAX: Final = 100


@dataclass(slots=True)
class Ledger:
    """What a ledger holds: the events, and how many records are none (they are dead letters)."""

    events: list[Recorded] = field(default_factory=list)
    unreadable: int = 0


async def read_ledger(bootstrap: str, prefix: str, negotiation: str | None = None) -> Ledger:
    """Read the ledger up to where it ends now; of one negotiation, only its partition."""
    found = Ledger()
    async with aclosing(ledger_events(bootstrap, prefix, negotiation)) as events:
        async for one in events:
            if one is None:
                found.unreadable += 1
            else:
                found.events.append(one)
    return found


async def ledger_events(
    bootstrap: str, prefix: str, negotiation: str | None = None
) -> AsyncGenerator[Recorded | None, None]:
    """Give the events of the ledger up to where it ends now, partition by partition; None for what is no event."""
    topic = EVENTS.name(prefix)
    ends = await end_positions(bootstrap, topic)
    aside = await read_set_asides(bootstrap, prefix)
    chosen = sorted(ends) if negotiation is None else [partition_of(negotiation.encode(), len(ends))]
    for partition in chosen:
        async with aclosing(read_to_end(bootstrap, topic, partitions=[partition], ends=ends, dense=True)) as arriving:
            async for records in arriving:
                for record in records:
                    event = _event_in(record, aside, len(ends))
                    if event is None:
                        yield None
                    elif negotiation is None or event.negotiation == negotiation:
                        yield recorded(record, event)


def _event_in(record: KafkaRecord, aside: Container[tuple[int, int]], count: int) -> Event | None:
    event = decode(record.value) if (record.partition, record.offset) not in aside else None
    if isinstance(event, Undecodable) and event.code == "unknown_major":
        raise UpgradeNeeded.at(record, event)
    if event is None or isinstance(event, Undecodable) or misplaced(event, record, count) is not None:
        return None
    return event


async def read_rows(bootstrap: str, prefix: str, negotiation: str) -> dict[str, dict[str, bytes]]:
    """Return the rows that the worker wrote for a negotiation, by table and entity, byte for byte."""
    start = f"{negotiation}/".encode()
    partition = partition_of(negotiation.encode(), len(await end_positions(bootstrap, EVENTS.name(prefix))))
    tables = await _read_tables(bootstrap, prefix, [partition])
    return {
        topic.kind: {
            _entity(topic.name(prefix), key, len(start)): row.value
            for key, row in sorted(rows.items())
            if key.startswith(start)
        }
        for topic, rows in zip(TABLES, tables, strict=True)
    }


async def without_rows(bootstrap: str, prefix: str, negotiation: str) -> str | None:
    """Say that a negotiation has no rows, and which have some; None where it has."""
    if any((await read_rows(bootstrap, prefix, negotiation)).values()):
        return None
    keys = {key.partition(b"/")[0] for rows in await _read_tables(bootstrap, prefix) for key in rows}
    return none_of("in the tables", negotiation, [key.decode("utf-8", "backslashreplace") for key in keys])


async def negotiations(bootstrap: str, prefix: str) -> set[str]:
    """Return the keys of the ledger: what events, and records that are none, were written under."""
    keys: set[bytes] = set()
    async with aclosing(read_to_end(bootstrap, EVENTS.name(prefix), dense=True)) as arriving:
        async for records in arriving:
            keys.update(record.key or b"" for record in records)
    return {key.decode("utf-8", "backslashreplace") for key in keys if key}


def none_of(place: str, negotiation: str, names: Collection[str]) -> str:
    """Say that there is no such negotiation in a place, and which there are: what may be meant, else the first.

    Keys that are too long for a negotiation are those of records that are no events; they are passed over.
    """
    names = [name for name in names if len(name) <= _NAME_CHARS_MAX]
    known = get_close_matches(negotiation, names, n=_NAMES_SHOWN) or sorted(names)[:_NAMES_SHOWN]
    more = f" and {len(names) - len(known)} more" if len(names) > len(known) else ""
    return f"There is no negotiation {negotiation!r} {place}; there is {', '.join(known) or 'none at all'}{more}."


async def _read_tables(
    bootstrap: str, prefix: str, partitions: Collection[int] | None = None
) -> Sequence[Mapping[bytes, TableRow]]:
    return await asyncio.gather(*(read_table(bootstrap, topic.name(prefix), partitions=partitions) for topic in TABLES))


def _entity(topic: str, key: bytes, start: int) -> str:
    try:
        return key[start:].decode()
    except UnicodeDecodeError as error:
        raise UnreadableOutput(f"{topic}, key {key[:80]!r}", "a key in UTF-8", key) from error


class UnreadableOutput(Exception):  # noqa: N818 -- the state of a topic
    """What stands on a derived topic is nothing that a worker writes there; the message names it and what to do."""

    def __init__(self, place: str, expected: str, found: bytes) -> None:
        super().__init__(
            f"{place}: expected {expected}, got {found[:80]!r}. Only a worker writes this topic: `parley fsck` says "
            "what differs from the ledger, and the runbook what to do then."
        )


def decode_rows(prefix: str, negotiation: str, table: str, rows: Mapping[str, bytes]) -> dict[str, Json]:
    """Read the rows of a negotiation in one table. UnreadableOutput if one of them is none."""
    topic = next(topic.name(prefix) for topic in TABLES if topic.kind == table)
    return {entity: _document(topic, f"{negotiation}/{entity}", value) for entity, value in rows.items()}


def _document(topic: str, key: str, value: bytes) -> Json:
    with suppress(orjson.JSONDecodeError):
        if isinstance(document := orjson.loads(value), dict):
            return document
    raise UnreadableOutput(f"{topic}, key {key!r}", "a row, a JSON object", value)


async def find_cuts(bootstrap: str, prefix: str) -> dict[int, Cut]:
    """Return the last committed cut of each ledger partition that has one; UnreadableCutError."""
    topic = CUTS.name(prefix)
    rows = await read_table(bootstrap, topic)
    cuts = [read_as(decode_cut, topic, key, row) for key, row in rows.items() if not is_set_aside(key)]
    return {cut.partition: cut for cut in cuts if cut.topic == EVENTS.name(prefix)}


def up_to(cuts: Mapping[int, Cut], partitions: Iterable[int]) -> dict[int, int]:
    """Return the offset up to which each partition is complete by its cut; -1 without one."""
    return {partition: cuts[partition].offset if partition in cuts else -1 for partition in sorted(partitions)}
