"""The door for writing: every line is judged before it touches the ledger; a bad one is refused, the others land."""

from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.cloudevents import headers
from schemas.codec import Undecodable, encode
from schemas.events import Event
from streams.doors.judging import There, judge
from streams.doors.known_events import KnownEvents, read_known
from streams.ledger_file import Line, lines
from streams.producing import Append, AppendFailed, LedgerWriter
from streams.reading import open_reader
from streams.topics import EVENTS, partition_of

_REFUSED_MAX = 10_000


@dataclass(slots=True)
class Appended:
    """What became of the lines: how many are on the ledger, were there before, or were refused and why."""

    accepted: int = 0
    duplicates: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    refused_more: int = 0

    def refuse(self, number: int, fault: Undecodable) -> None:
        """Note a refused line; beyond a bound only their number."""
        if len(self.refused) >= _REFUSED_MAX:
            self.refused_more += 1
            return
        self.refused.append({"line": number, "code": fault.code, "reason": fault.reason, "pointer": fault.pointer})


def appended_report(done: Sequence[tuple[str, Appended]], *, whole: bool) -> dict[str, Any]:
    """Return the JSON document of `append` for files by name; where it is not `whole`, it says so."""
    refused = [{"file": name, **line} if len(done) > 1 else line for name, one in done for line in one.refused]
    more = sum(one.refused_more for _, one in done)
    return {
        "accepted": sum(one.accepted for _, one in done),
        "duplicates": sum(one.duplicates for _, one in done),
        "refused": refused,
        **({"refused_more": more} if more else {}),
        **({} if whole else {"whole": False}),
    }


Chunks = AsyncIterable[Sequence[bytes]]


async def append(
    bootstrap: str,
    prefix: str,
    data: Iterable[tuple[Appended, Chunks]],
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Append the events of JSON Lines as they come, one source after the other.

    The result beside each source says what became of those of its lines that have come so far. What is on the ledger
    already, also by another writer since this one began, changes nothing and is counted.
    """
    topic = EVENTS.name(prefix)
    async with open_reader(bootstrap, topic, "read_uncommitted") as reader, LedgerWriter(bootstrap, topic) as writer:
        known = await read_known(reader, prefix)
        for result, chunks in data:
            number = 1
            async for some in chunks:
                await known.read_on(reader)
                await _append(lines(some, number), known, writer, result)
                number += len(some)
                progress(len(some))


async def _append(some: Iterable[Line], known: KnownEvents, writer: LedgerWriter, result: Appended) -> None:
    judged = [await _judge(line, known, result) for line in some]
    fresh = [event for event in judged if event is not None]
    try:
        known.wrote(await writer.append_all(_records(fresh, writer.partitions)))
    except AppendFailed as failure:
        result.accepted += len(failure.acknowledged)
        raise
    result.accepted += len(fresh)


async def _judge(line: Line, known: KnownEvents, result: Appended) -> Event | None:
    match await judge(line.event, known):
        case Undecodable() as fault:
            result.refuse(line.number, fault)
        case There():
            result.duplicates += 1
        case event:
            return event
    return None


def _records(events: Iterable[Event], partitions: int) -> list[Append]:
    records = []
    for event in events:
        key = event.negotiation.encode()
        records.append(Append(key, encode(event), headers(event), partition_of(key, partitions)))
    return records
