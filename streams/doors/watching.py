"""Changes and alerts as subscribers see them: committed, in order, each once, from a cursor on."""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from schemas.changes import Json
from streams.doors.kafka import UnreadableOutput
from streams.reading import KafkaRecord, end_positions, follow, read_to_end
from streams.settings import UsageError
from streams.topics import ALERTS, CHANGES, EVENTS, Topic, partition_of

_QUEUE_MAX = 10_000
_CURSOR = re.compile(r"([0-9]{1,4}):([0-9]{1,18})(?::([0-9]{1,15}))?")
_ORDINAL_MAX = 1 << 53


class BadCursor(Exception):  # noqa: N818 -- bad input
    """A cursor is none of this ledger; the message says which would be."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The sequence of the last change seen: everything in that partition up to it is passed over."""

    partition: int
    offset: int
    ordinal: int

    @classmethod
    def parse(cls, text: str | None) -> "Cursor | None":
        """Read PARTITION:OFFSET[:N]; `0` is the beginning of everything, None is no cursor. UsageError."""
        if text is None:
            return None
        if text == "0":
            return cls(-1, -1, -1)
        found = _CURSOR.fullmatch(text)
        if found is None:
            shown = repr(text[:80])
            raise UsageError(f"expected a cursor PARTITION:OFFSET[:N] such as 3:120, or 0 for everything, got {shown}")
        return cls(int(found[1]), int(found[2]), int(found[3] or _ORDINAL_MAX))

    def passes(self, sequence: list[int]) -> bool:
        """Tell whether a sequence comes after the cursor; partitions it does not speak of are shown whole."""
        return sequence[0] != self.partition or tuple(sequence[1:]) > (self.offset, self.ordinal)


class Notice(NamedTuple):
    """A change or an alert: the negotiation it is about, its place, the whole document, and the bytes committed."""

    is_alert: bool
    negotiation: str
    sequence: list[int]
    document: Json
    value: bytes


async def watch_notices(
    bootstrap: str,
    prefix: str,
    *,
    negotiation: str | None,
    kind: str | None,
    cursor: Cursor | None,
    stop_at_end: bool,
) -> AsyncGenerator[Notice, None]:
    """Give changes and alerts one by one, after a cursor, which is of one kind.

    Without a cursor: those to come; with `stop_at_end` all that are there. UsageError; BadCursor, UnreadableOutput.
    """
    topics = {"changes": [CHANGES], "alerts": [ALERTS], None: [CHANGES, ALERTS]}.get(kind)
    if topics is None:
        raise UsageError(f"expected --kind changes or alerts, got {kind!r}")
    placed = cursor if cursor is not None and cursor.partition >= 0 else None
    if placed is not None and kind is None:
        raise UsageError(
            "expected --kind changes or --kind alerts beside a cursor: the two come independently, so the place "
            "reached in one says nothing of the other. Follow each with its own cursor, or both with --since 0."
        )
    count = len(await end_positions(bootstrap, CHANGES.name(prefix)))
    if placed is not None:
        _refuse_foreign(placed, await end_positions(bootstrap, EVENTS.name(prefix)))
    chosen = list(range(count)) if negotiation is None else [partition_of(negotiation.encode(), count)]
    start = None if cursor is None else dict.fromkeys(chosen, 0)

    async def of(topic: Topic) -> AsyncGenerator[Notice, None]:
        name = topic.name(prefix)
        records = (
            read_to_end(bootstrap, name, partitions=chosen, isolation="read_committed", start=start)
            if stop_at_end
            else follow(bootstrap, name, partitions=chosen, start=start)
        )
        async with aclosing(records):
            async for arrived in records:
                for record in arrived:
                    notice = _read(record, is_alert=topic is ALERTS)
                    if negotiation in {None, notice.negotiation} and (cursor is None or cursor.passes(notice.sequence)):
                        yield notice

    sources = [of(topic) for topic in topics]
    async with aclosing(_one_after_the_other(sources) if stop_at_end else _side_by_side(sources)) as notices:
        async for notice in notices:
            yield notice


def _refuse_foreign(cursor: Cursor, ends: Mapping[int, int]) -> None:
    if cursor.partition not in ends:
        raise BadCursor(f"expected a cursor in partition 0 to {max(ends)}, got one in {cursor.partition}")
    if cursor.offset >= ends[cursor.partition]:
        raise BadCursor(
            f"expected a cursor before {cursor.partition}:{ends[cursor.partition]}, where that partition of the ledger "
            f"ends, got {cursor.partition}:{cursor.offset}. Is it of another ledger? Positions are new after a move: "
            "begin with --since 0, the ids of changes are the same."
        )


async def _one_after_the_other(sources: Iterable[AsyncGenerator[Notice, None]]) -> AsyncGenerator[Notice, None]:
    for source in sources:
        async with aclosing(source):
            async for notice in source:
                yield notice


async def _side_by_side(sources: Iterable[AsyncGenerator[Notice, None]]) -> AsyncGenerator[Notice, None]:
    queue: asyncio.Queue[Notice | Exception] = asyncio.Queue(_QUEUE_MAX)

    async def pour(source: AsyncGenerator[Notice, None]) -> None:
        async with aclosing(source):
            async for notice in source:
                await queue.put(notice)

    async def pour_all() -> None:
        try:
            async with asyncio.TaskGroup() as each:
                for source in sources:
                    each.create_task(pour(source))
        except* Exception as failures:  # noqa: BLE001 -- handed on to whoever takes
            await queue.put(failures.exceptions[0])

    pouring = asyncio.create_task(pour_all())  # it ends by a failure only
    try:
        while True:
            if isinstance(item := await queue.get(), Exception):
                raise item
            yield item
    finally:
        pouring.cancel()
        await asyncio.wait([pouring])


def _read(record: KafkaRecord, *, is_alert: bool) -> Notice:
    expected, value = "parley.alert/1" if is_alert else "parley.change/1", record.value or b""
    with suppress(orjson.JSONDecodeError):
        match document := orjson.loads(value):
            case {"schema": schema, "negotiation": str(about), "sequence": [int(), int(), int()] as sequence} if (
                schema == expected
            ):
                return Notice(is_alert, about, sequence, document, value)
    raise UnreadableOutput(f"{record.topic}/{record.partition}, offset {record.offset}", expected, value)
