"""Changes and alerts as subscribers see them: committed, in order, each once, from a cursor on."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import orjson

from streams.reading import end_positions, follow, read_to_end
from streams.topics import ALERTS, CHANGES, Topic, partition_of

_QUEUE_MAX = 10_000


class BadCursor(Exception):  # noqa: N818 -- bad input
    """A cursor cannot be read; the message says what one looks like."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The sequence of the last change seen: everything in that partition up to it is passed over."""

    partition: int
    offset: int
    ordinal: int

    @classmethod
    def parse(cls, text: str | None) -> "Cursor | None":
        """Read PARTITION:OFFSET[:N]; `0` is the beginning of everything, None is now."""
        if text is None:
            return None
        if text == "0":
            return cls(-1, -1, -1)
        parts = text.split(":")
        if len(parts) not in {2, 3} or not all(part.isascii() and part.isdecimal() for part in parts):
            raise BadCursor(f"expected a cursor PARTITION:OFFSET[:N] such as 3:120, or 0 for everything, got {text!r}")
        ordinal = int(parts[2]) if len(parts) == 3 else (1 << 53)  # noqa: PLR2004 -- with the ordinal
        return cls(int(parts[0]), int(parts[1]), ordinal)

    def passes(self, sequence: list[int]) -> bool:
        """Tell whether a sequence comes after the cursor; partitions it does not speak of are shown whole."""
        return sequence[0] != self.partition or tuple(sequence[1:]) > (self.offset, self.ordinal)


async def watch_lines(
    bootstrap: str,
    prefix: str,
    *,
    negotiation: str | None,
    kind: str | None,
    cursor: Cursor | None,
    stop_at_end: bool,
) -> AsyncIterator[tuple[bool, bytes]]:
    """Give (is it an alert, its JSON) one by one. ValueError on an unknown kind."""
    topics = {"changes": [CHANGES], "alerts": [ALERTS], None: [CHANGES, ALERTS]}.get(kind)
    if topics is None:
        raise ValueError(f"expected --kind changes or alerts, got {kind!r}")
    count = len(await end_positions(bootstrap, CHANGES.name(prefix)))
    chosen = None if negotiation is None else [partition_of(negotiation.encode(), count)]
    start = None if cursor is None else dict.fromkeys(chosen if chosen is not None else range(count), 0)
    queue: asyncio.Queue[tuple[bool, bytes] | None] = asyncio.Queue(_QUEUE_MAX)

    async def feed(topic: Topic) -> None:
        name = topic.name(prefix)
        stream = (
            read_to_end(bootstrap, name, partitions=chosen, isolation="read_committed", start=start)
            if stop_at_end
            else follow(bootstrap, name, partitions=chosen, start=start)
        )
        async for records in stream:
            for record in records:
                value = record.value or b"{}"
                if _wanted(value, negotiation, cursor):
                    await queue.put((topic is ALERTS, value))

    async def feed_all() -> None:
        try:
            if stop_at_end:
                for topic in topics:
                    await feed(topic)
            else:
                await asyncio.gather(*(feed(topic) for topic in topics))
        finally:
            await queue.put(None)

    feeding = asyncio.create_task(feed_all())
    try:
        while (item := await queue.get()) is not None:
            yield item
        await feeding
    finally:
        feeding.cancel()


def _wanted(value: bytes, negotiation: str | None, cursor: Cursor | None) -> bool:
    document = orjson.loads(value)
    if negotiation is not None and document["negotiation"] != negotiation:
        return False
    return cursor is None or cursor.passes(document["sequence"])
