"""How much longer a change takes when a record that is no event stands before its event.

A worker with nothing else to do gets an event alone, and an event behind poison, in turns; a subscriber notes when the
change of the event is there. The slowest poison is what is longest to look at, so each kind has about the size that is
worst for it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import date
from itertools import count
from statistics import median
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaProducer

from schemas.cloudevents import headers
from schemas.codec import EVENT_BYTES_MAX, VALUES_MAX, encode
from schemas.events import DeadlineChanged
from schemas.positions import Position
from schemas.provenance import Document, Source
from schemas.times import When
from streams.bench.faults import BenchFailed
from streams.bench.machine import command, machine
from streams.bench.place import PARTITIONS, Place, Tell, lay, place
from streams.bench.processes import crew
from streams.bench.stages import Stage, processes
from streams.bench.summary import nearest_rank
from streams.bench.tables import cuts_of
from streams.bench.workload import NAME, records
from streams.engine.closing import close_wholly
from streams.producing import Append, LedgerWriter
from streams.reading import end_positions, follow
from streams.topics import CHANGES, DEAD_LETTERS, EVENTS, partition_of

SCHEMA: Final = "parley.bench.poison/1"
COLUMNS: Final = ("before an event", "bytes", "to its change: ms p50", "max", "longer than alone: ms p50")
ALONE: Final = "nothing"
_NEGOTIATION: Final = "bench-poison"
_HOME: Final = partition_of(_NEGOTIATION.encode(), PARTITIONS)
_ARRIVE_S: Final = 30.0
_DEEP: Final = EVENT_BYTES_MAX // 6
_TEXT_BYTES: Final = EVENT_BYTES_MAX * 3 // 4
_BOMB_BYTES: Final = 1_000_000


def _with(event: Append, **changes: Any) -> Append:  # noqa: ANN401 -- any JSON
    return event._replace(value=orjson.dumps(orjson.loads(event.value) | changes))


def _elsewhere(event: Append) -> Append:
    names = (f"{_NEGOTIATION}-{number}" for number in count())
    name = next(name for name in names if partition_of(name.encode(), PARTITIONS) != _HOME)
    return _with(event, negotiation=name)._replace(key=name.encode())


KINDS: Final[Mapping[str, Callable[[Append], Append]]] = {
    "garbage": lambda event: event._replace(value=b"\x00\x01{" * (EVENT_BYTES_MAX // 3)),
    "no bytes": lambda event: event._replace(value=b""),
    "objects in objects": lambda event: event._replace(value=b'{"a":' * _DEEP + b"1" + b"}" * _DEEP),
    "too many values": lambda event: _with(event, quotes=["x"] * (VALUES_MAX + 1)),
    "no UTF-8 at its end": lambda event: event._replace(
        value=_with(event, what="x" * _TEXT_BYTES).value.removesuffix(b"}") + b"\xff}"
    ),
    "too long a text": lambda event: _with(event, what="\n" * (_TEXT_BYTES // 2)),
    "too large": lambda event: _with(event, what="x" * EVENT_BYTES_MAX),
    "unknown type": lambda event: _with(event, type="rumour_heard"),
    "another key": lambda event: event._replace(key=b"somebody-else"),
    "another partition": _elsewhere,
}
"""What is made of a good event, but for a batch that is compressed."""
_COMPRESSED: Final = "compressed batch"


@dataclass(frozen=True, slots=True)
class Behind:
    """What an event behind one kind of poison came to: milliseconds from its acknowledgement to its change.

    `longer_ms` is how much longer half of them took than half of those that stood alone.
    """

    before: str
    bytes: int
    p50_ms: float
    max_ms: float
    longer_ms: float


async def poison(brokers: str | None, *, rounds: int, seed: int, tell: Tell) -> dict[str, Any]:
    """Measure each kind so many times; return the document that `parley bench poison` prints.

    BenchFailed when a change does not come, or the dead letters are not those of the poison.
    """
    load, history = machine(), 2_000
    async with place(brokers, lasting=True) as here:
        laid = await lay(here, records(seed, history, partitions=PARTITIONS), history, tell)
        module, settings = processes(Stage("full", "", "full"), here, here)
        async with (
            crew(here.folder, module, settings) as working,
            LedgerWriter(here.bootstrap, here.topic(EVENTS)) as writer,
        ):
            await working.until_done(laid.ends)
            found = await _measured(here, writer, rounds, tell)
            await working.until_done(await end_positions(here.bootstrap, here.topic(EVENTS)))
        buried = sum(dict(cut.counts).get(here.topic(DEAD_LETTERS), 0) for cut in await cuts_of(here))
        if buried != rounds * (len(KINDS) + 1):
            raise BenchFailed(f"expected {rounds * (len(KINDS) + 1)} dead letters, one for each poison, got {buried}")
    return {
        "schema": SCHEMA,
        "command": command(),
        "machine": load,
        "workload": {"name": NAME, "seed": seed, "history": history, "partitions": PARTITIONS, "rounds": rounds},
        "behind": [asdict(one) for one in found],
    }


def lines(document: Mapping[str, Any]) -> list[list[str]]:
    """Return a line for each kind of poison."""
    return [
        [
            one["before"],
            f"{one['bytes']:,}" if one["bytes"] else "",
            f"{one['p50_ms']:.1f}",
            f"{one['max_ms']:.1f}",
            "" if one["before"] == ALONE else f"{one['longer_ms']:.1f}",
        ]
        for one in document["behind"]
    ]


async def _measured(here: Place, writer: LedgerWriter, rounds: int, tell: Tell) -> list[Behind]:
    took: dict[str, list[float]] = {kind: [] for kind in (ALONE, *KINDS, _COMPRESSED)}
    sizes = dict.fromkeys(took, 0)
    numbers = count()
    async with _subscriber(here) as changes:
        for _ in took:  # what has just begun is slow, and nobody counts it
            (place,) = await writer.append_all([_event(next(numbers))])
            await changes.of(place)
        for number in range(rounds):
            tell(f"{number} of {rounds} rounds")
            for kind, seconds in took.items():
                event, poison = _event(next(numbers)), _poison(kind, next(numbers))
                sizes[kind] = len(poison.value) if poison is not None else 0
                if poison is not None and kind == _COMPRESSED:
                    await _append_compressed(here, poison)
                    poison = None
                place = (await writer.append_all([event] if poison is None else [poison, event]))[-1]
                acknowledged_at = time.monotonic()
                seconds.append(max(0.0, await changes.of(place) - acknowledged_at))
    alone = median(took[ALONE])
    return [_behind(kind, sizes[kind], seconds, alone) for kind, seconds in took.items()]


def _behind(kind: str, size: int, seconds: list[float], alone: float) -> Behind:
    (most,) = nearest_rank(seconds, 100)
    half = median(seconds)
    return Behind(kind, size, *(round(one * 1000, 2) for one in (half, most, half - alone)))


def _event(number: int) -> Append:
    """Return an event that surely brings a change: a deadline that nobody has told of before."""
    event = DeadlineChanged(
        negotiation=_NEGOTIATION,
        act=f"act-{number}",
        document=Document(kind="official-statement", issuer="US"),
        announced=When(on=date(2026, 1, 1), zone="UTC"),
        source=Source(name="Bench", grade="wire", own_id=f"report-{number}"),
        deadline=f"deadline-{number}",
        kind="promise",
        stage="set",
        due=When(on=date(2036, 1, 1), zone="UTC"),
    )
    return Append(_NEGOTIATION.encode(), encode(event), headers(event), _HOME)


def _poison(kind: str, number: int) -> Append | None:
    if kind == _COMPRESSED:
        return _event(number)._replace(value=bytes(_BOMB_BYTES))
    return KINDS[kind](_event(number)) if kind in KINDS else None


async def _append_compressed(here: Place, poison: Append) -> None:
    """Append a record as a batch that is a thousandth of it in size."""
    producer = AIOKafkaProducer(bootstrap_servers=here.bootstrap, acks="all", compression_type="gzip")
    await producer.start()
    try:
        key, value, _, partition = poison
        await producer.send_and_wait(here.topic(EVENTS), value=value, key=key, partition=partition)
    finally:
        await close_wholly(producer.stop())


@dataclass(slots=True)
class _Changes:
    """When the first change of each event was there, by the event's offset."""

    begun: bool = False
    seen: dict[int, float] = field(default_factory=dict)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def of(self, place: Position) -> float:
        """Wait for the change of an event; return when it came."""
        try:
            async with asyncio.timeout(_ARRIVE_S), self.news:
                await self.news.wait_for(lambda: place.offset in self.seen)
        except TimeoutError:
            raise BenchFailed(f"expected a change of the event at {place} within {_ARRIVE_S:g} s") from None
        return self.seen[place.offset]

    async def follow(self, here: Place) -> None:
        """Note what comes, from now on."""
        async with aclosing(follow(here.bootstrap, here.topic(CHANGES), partitions=[_HOME])) as found:
            async for records_of_it in found:
                at = time.monotonic()
                async with self.news:
                    for change in records_of_it:
                        offset = orjson.loads(change.value or b"null")["sequence"][1]
                        self.seen.setdefault(offset, at)
                    self.begun = True
                    self.news.notify_all()


@asynccontextmanager
async def _subscriber(here: Place) -> AsyncIterator[_Changes]:
    changes = _Changes()
    following = asyncio.create_task(changes.follow(here))
    try:
        async with changes.news:
            await changes.news.wait_for(lambda: changes.begun or following.done())
        yield changes
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
