"""How long from an acknowledged append to the change in a subscriber's hands.

Appender, worker and subscriber are a process each. Load is open: events are due by the clock, whatever became of the
last one.
"""

import asyncio
import json
from asyncio.subprocess import Process
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from streams.bench.appender import Appended, AppenderSettings
from streams.bench.faults import BenchFailed
from streams.bench.machine import command, machine
from streams.bench.place import PARTITIONS, Place, Tell, lay, place
from streams.bench.processes import Crew, crew, leave, start, tail
from streams.bench.stages import engine_beside
from streams.bench.subscriber import SubscriberSettings
from streams.bench.summary import nearest_rank
from streams.bench.tables import cuts_of
from streams.bench.worker import WorkerSettings
from streams.bench.workload import NAME, NEGOTIATIONS, records
from streams.reading import end_positions
from streams.topics import CHANGES, EVENTS

SCHEMA: Final = "parley.bench.latency/1"
COLUMNS: Final = ("append to change, ms", "p50", "p90", "p99", "max", "events", "with changes")
_ARRIVE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds: half, nine in ten, 99 in 100, all of them were no slower."""

    p50: float
    p90: float
    p99: float
    max: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> "Percentiles":
        """Return the percentiles of some durations, by the nearest rank."""
        return cls(*(round(one * 1000, 2) for one in nearest_rank(seconds, 50, 90, 99, 100)))


@dataclass(frozen=True, slots=True)
class AtRate:
    """What one rate came to. `due` counts from when an event was due, `acknowledged` from when the broker had it."""

    rate: float
    events: int
    with_changes: int
    acknowledged_to_change_ms: Percentiles
    due_to_change_ms: Percentiles
    due_to_acknowledged_ms: Percentiles


async def latency(
    brokers: str | None, *, rates: Sequence[float], seconds: float, history: int, seed: int, tell: Tell
) -> dict[str, Any]:
    """Measure each rate in turn on one running worker; return the document that `parley bench latency` prints."""
    load = machine()
    async with place(brokers) as here:
        laid = await lay(here, records(seed, history, partitions=PARTITIONS), history, tell)
        engine = {**asdict(engine_beside(here, here, "full")), "data_directory": str(here.folder / "data")}
        settings = asdict(WorkerSettings("full", here.prefix, engine))
        measured: list[AtRate] = []
        first = history
        async with crew(here.folder / "worker", "streams.bench.worker", [settings]) as working:
            tell("the worker folds what there is")
            await working.until_done(laid.ends)
            for rate in rates:
                tell(f"{rate:g} events a second for {seconds:g} s")
                count = round(rate * seconds) + 1
                appends = AppenderSettings(here.bootstrap, here.topic(EVENTS), seed, first, count, rate)
                measured.append(await _at(working, here, here.folder / f"{len(measured)}", appends))
                first += count
    return {
        "schema": SCHEMA,
        "command": command(),
        "machine": load,
        "workload": {"name": NAME, "seed": seed, "history": history, "negotiations": NEGOTIATIONS, "seconds": seconds},
        "rates": [asdict(one) for one in measured],
    }


def lines(document: Mapping[str, Any]) -> list[list[str]]:
    """Return a line for each rate."""
    return [
        [
            f"{one['rate']:g} events/s",
            *(f"{one['acknowledged_to_change_ms'][name]:.1f}" for name in ("p50", "p90", "p99", "max")),
            f"{one['events']:,}",
            f"{one['with_changes']:,}",
        ]
        for one in document["rates"]
    ]


async def _at(working: Crew, here: Place, folder: Path, appends: AppenderSettings) -> AtRate:
    begin = await end_positions(here.bootstrap, here.topic(CHANGES), isolation="read_committed")
    told = await _changes_told(here)
    follows = SubscriberSettings(here.bootstrap, here.topic(CHANGES), {str(n): offset for n, offset in begin.items()})
    process, log = await start(folder, "subscriber", "streams.bench.subscriber", asdict(follows))
    subscriber = _Subscriber(process, log)
    try:
        await subscriber.until(0)
        appended = await _appended(folder, appends)
        await working.until_done(await end_positions(here.bootstrap, here.topic(EVENTS)))
        await subscriber.until(await _changes_told(here) - told)
    finally:
        await leave(process)
        await subscriber.end()
    return _of(appends.rate, appended, subscriber.seen)


async def _changes_told(here: Place) -> int:
    """Return how many changes the cuts tell of."""
    return sum(dict(cut.counts).get(here.topic(CHANGES), 0) for cut in await cuts_of(here))


class _Subscriber:
    """What the subscriber has seen: when the first change of each event was in its hands."""

    def __init__(self, process: Process, log: Path) -> None:
        self.seen: dict[tuple[int, int], float] = {}
        self._changes = -1  # it has not begun
        self._log = log
        self._news = asyncio.Condition()
        self._listening = asyncio.create_task(self._listen(process))

    async def until(self, changes: int) -> None:
        """Wait until it has seen that many changes; with 0, until it has begun."""
        try:
            async with asyncio.timeout(_ARRIVE_S), self._news:
                await self._news.wait_for(lambda: self._changes >= changes)
        except TimeoutError:
            why = f"expected {changes} changes at the subscriber within {_ARRIVE_S:g} s, got {self._changes}"
            raise BenchFailed(f"{why}; the end of its log:\n{tail(self._log)}") from None

    async def end(self) -> None:
        """Hear it to its end."""
        await self._listening

    async def _listen(self, process: Process) -> None:
        assert process.stdout is not None  # noqa: S101 -- it was started with a pipe
        async for line in process.stdout:
            told = json.loads(line)
            async with self._news:
                self._changes = max(self._changes, 0) + len(told["changed"])
                for partition, offset in told["changed"]:
                    self.seen.setdefault((partition, offset), told["at"])
                self._news.notify_all()


async def _appended(folder: Path, appends: AppenderSettings) -> list[Appended]:
    process, log = await start(folder, "appender", "streams.bench.appender", asdict(appends))
    try:
        output, _ = await process.communicate()
    finally:
        await leave(process)
    if process.returncode != 0:
        raise BenchFailed(f"the appender ended with exit code {process.returncode}; the end of its log:\n{tail(log)}")
    return [(partition, offset, due_at, at) for partition, offset, due_at, at in json.loads(output)]


def _of(rate: float, appended: Sequence[Appended], seen: Mapping[tuple[int, int], float]) -> AtRate:
    changed = [(due_at, at, seen[one, offset]) for one, offset, due_at, at in appended if (one, offset) in seen]
    if not changed:
        raise BenchFailed(f"none of {len(appended)} events brought a change: append more of them")
    return AtRate(
        rate=rate,
        events=len(appended),
        with_changes=len(changed),
        acknowledged_to_change_ms=Percentiles.of(seen_at - at for _, at, seen_at in changed),
        due_to_change_ms=Percentiles.of(seen_at - due_at for due_at, _, seen_at in changed),
        due_to_acknowledged_ms=Percentiles.of(at - due_at for _, _, due_at, at in appended),
    )
