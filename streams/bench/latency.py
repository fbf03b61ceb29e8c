"""How long from an acknowledged append to the change in a subscriber's hands, and what the machine does at best.

Appender, worker and subscriber are a process each. Load is open: events are due by the clock, whatever became of the
last one. All stages run one after the other on one Kafka and one ledger; the ceilings are a subscriber to the ledger
itself, and plain aiokafka with the work of the tally. Where there are cores enough, and unless told otherwise, what
works between ledger and subscriber has one to itself, as with `parley up --own-core`; broker, appender and subscriber
share the others.
"""

import asyncio
import json
import os
from asyncio.subprocess import Process
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from streams.bench.appender import Appended, AppenderSettings, appended_file
from streams.bench.faults import BenchFailed
from streams.bench.machine import command, machine
from streams.bench.place import PARTITIONS, Laid, Place, Tell, lay, place
from streams.bench.processes import Crew, crew, leave, start, tail
from streams.bench.stages import Projections, Stage, latency_stages, processes
from streams.bench.subscriber import SubscriberSettings
from streams.bench.summary import Spread, nearest_rank, written
from streams.bench.tables import cuts_of
from streams.bench.workload import NAME, NEGOTIATIONS, records
from streams.cores import Cores, confine, set_apart
from streams.reading import end_positions
from streams.topics import CHANGES, EVENTS
from streams.topics_on_kafka import ensure_topics

SCHEMA: Final = "parley.bench.latency/3"
COLUMNS: Final = ("append to change, ms", "p50", "p90", "p99", "max", "p50 to its ceiling's", "with changes")
_ARRIVE_S: Final = 30.0
_LOOK_S: Final = 0.02


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
    """What one stage came to at one rate.

    `due` counts from when an event was due, `acknowledged` from when the broker had it; `of_ceiling` is how many times
    as long as its ceiling it took, by the p50 from the acknowledgement.
    """

    stage: str
    what: str
    rate: float
    events: int
    with_changes: int
    acknowledged_to_change_ms: Percentiles
    due_to_change_ms: Percentiles
    due_to_acknowledged_ms: Percentiles
    ceiling: str | None = None
    of_ceiling: float | None = None


async def latency(
    brokers: str | None,
    *,
    rates: Sequence[float],
    seconds: float,
    warm: float,
    history: int,
    seed: int,
    projections: Projections,
    own_core: bool,
    runs: int,
    tell: Tell,
) -> dict[str, Any]:
    """Measure each stage at each rate, in so many runs; return the document that `parley bench latency` prints.

    Before, the last stage works at the highest rate for `warm` seconds that nobody counts: a broker that has just
    begun takes several times the processor time of one that has compiled what it does most.
    """
    load, stages = machine(), latency_stages(projections)
    cores = set_apart() if own_core else None
    async with place(brokers, lasting=True) as here:
        laid = await lay(here, records(seed, history, partitions=PARTITIONS), history, tell)
        with _beside(here, cores):
            measuring = _Measuring(here, laid, cores, seed, tell)
            if warm:
                await measuring.stage(replace(stages[-1], what="warming up"), [max(rates)], warm)
            measured = [await _run(measuring, run, stages, rates, seconds) for run in range(1, runs + 1)]
    return {
        "schema": SCHEMA,
        "command": command(),
        "machine": load,
        "workload": {
            "name": NAME,
            "seed": seed,
            "history": history,
            "negotiations": NEGOTIATIONS,
            "partitions": PARTITIONS,
            "seconds": seconds,
            "warm_seconds": warm,
        },
        "own_core": cores is not None,
        "runs": [[asdict(one) for one in run] for run in measured],
    }


async def _run(
    measuring: "_Measuring", run: int, stages: Sequence[Stage], rates: Sequence[float], seconds: float
) -> list[AtRate]:
    found = [await measuring.stage(stage, rates, seconds, f"run {run}: ") for stage in stages]
    return [one for of_rate in zip(*found, strict=True) for one in _compared(of_rate)]


@contextmanager
def _beside(here: Place, cores: Cores | None) -> Iterator[None]:
    """Leave the core that is set apart alone: broker, this process and what it starts run on the others."""
    if cores is None:
        yield
        return
    if here.broker is not None:
        confine(here.broker, cores.others)
    confine(os.getpid(), cores.others)
    try:
        yield
    finally:
        confine(os.getpid(), cores.own | cores.others)


def lines(document: Mapping[str, Any]) -> list[list[str]]:
    """Return a line for each stage at each rate: the median of its runs, with the lowest and the highest."""
    found = []
    for of_stage in zip(*document["runs"], strict=True):
        first = of_stage[0]
        took = [one["acknowledged_to_change_ms"] for one in of_stage]
        shares = [written(Spread.of(one[name] for one in took), 1) for name in ("p50", "p90", "p99", "max")]
        of_ceiling = written(Spread.of(one["of_ceiling"] for one in of_stage), 1)
        counts = [sum(one[name] for one in of_stage) for name in ("with_changes", "events")]
        found.append(
            [f"{first['rate']:g} events/s, {first['what']}", *shares, of_ceiling, "{:,} of {:,}".format(*counts)]
        )
    return found


def _compared(found: Sequence[AtRate]) -> list[AtRate]:
    """Return what the stages came to at one rate, each beside its ceiling.

    A subscriber to the ledger may have an event before its appender has heard that it is acknowledged: there is nothing
    to divide by then.
    """
    p50 = {one.stage: one.acknowledged_to_change_ms.p50 for one in found}
    return [
        replace(one, of_ceiling=round(p50[one.stage] / p50[one.ceiling], 2))
        if one.ceiling is not None and p50[one.ceiling] > 0
        else one
        for one in found
    ]


class _Measuring:
    """The ledger that all stages share; it grows by what each of them is measured with."""

    def __init__(self, here: Place, laid: Laid, cores: Cores | None, seed: int, tell: Tell) -> None:
        self._here = here
        self._cores = cores
        self._ends = laid.ends
        self._seed = seed
        self._tell = tell
        self._turns = 0

    async def stage(self, stage: Stage, rates: Sequence[float], seconds: float, run: str = "") -> list[AtRate]:
        """Let one stage work at these rates, one after the other."""
        self._turns += 1
        beside = self._here.beside(f"{self._turns}-{stage.name}")
        if not stage.writes:
            return [await self._at(stage, beside, None, rate, seconds) for rate in rates]
        await ensure_topics(beside.bootstrap, beside.prefix, PARTITIONS)
        module, settings = processes(stage, self._here, beside, goes_on=True)
        async with crew(beside.folder, module, settings) as working:
            if self._cores is not None:
                working.confine(self._cores.own)
            self._tell(f"{run}{stage.what}: it folds what there is")
            await working.until_done(self._ends)
            return [await self._at(stage, beside, working, rate, seconds) for rate in rates]

    async def _at(self, stage: Stage, beside: Place, working: Crew | None, rate: float, seconds: float) -> AtRate:
        self._tell(f"{stage.what}: {rate:g} events a second for {seconds:g} s")
        here = self._here
        followed = beside.topic(CHANGES) if stage.writes else here.topic(EVENTS)
        begin = await end_positions(here.bootstrap, followed, isolation="read_committed")
        told = await _changes_told(beside, self._ends) if stage.writes else 0
        follows = SubscriberSettings(here.bootstrap, followed, {str(n): at for n, at in begin.items()}, stage.writes)
        folder = beside.folder / f"{rate:g}"
        process, log = await start(folder, "subscriber", "streams.bench.subscriber", asdict(follows))
        subscriber = _Subscriber(process, log, since=self._ends)
        try:
            await subscriber.until(0)
            count = round(rate * seconds) + 1
            first = sum(self._ends.values())
            appends = AppenderSettings(here.bootstrap, here.topic(EVENTS), self._seed, first, count, rate)
            appended = await _appended(folder, appends)
            self._ends = await end_positions(here.bootstrap, here.topic(EVENTS))
            if working is not None:
                await working.until_done(self._ends)
            await subscriber.until(await _changes_told(beside, self._ends) - told if stage.writes else count)
        finally:
            await leave(process)
            await subscriber.end()
        return _of(stage, rate, appended, subscriber.seen)


async def _changes_told(beside: Place, ends: Mapping[int, int]) -> int:
    """Return how many changes the cuts tell of, once they stand at these ends of the ledger.

    A commit is acknowledged a moment before readers of what is committed see it.
    """
    wanted = {partition: end - 1 for partition, end in ends.items() if end}
    try:
        async with asyncio.timeout(_ARRIVE_S):
            while True:
                cuts = await cuts_of(beside)
                if {cut.partition: cut.offset for cut in cuts} == wanted:
                    return sum(dict(cut.counts).get(beside.topic(CHANGES), 0) for cut in cuts)
                await asyncio.sleep(_LOOK_S)  # what others commit tells nobody
    except TimeoutError:
        raise BenchFailed(f"{beside.prefix}: expected cuts at {wanted} within {_ARRIVE_S:g} s") from None


class _Subscriber:
    """What the subscriber has seen: when the first change of each event was in its hands.

    It may begin with changes of events before `since`, for where what is committed ends is told a moment late: they
    are not counted.
    """

    def __init__(self, process: Process, log: Path, since: Mapping[int, int]) -> None:
        self.seen: dict[tuple[int, int], float] = {}
        self._since = since
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
                new = [one for one in told if one[1] >= self._since.get(one[0], 0)]
                self._changes = max(self._changes, 0) + len(new)
                for partition, offset, at in new:
                    self.seen.setdefault((partition, offset), at)
                self._news.notify_all()


async def _appended(folder: Path, appends: AppenderSettings) -> list[Appended]:
    process, log = await start(folder, "appender", "streams.bench.appender", asdict(appends))
    try:
        await process.wait()
    finally:
        await leave(process)
    if process.returncode != 0:
        raise BenchFailed(f"the appender ended with exit code {process.returncode}; the end of its log:\n{tail(log)}")
    written = appended_file(log).read_text("utf-8")
    return [(partition, offset, due_at, at) for partition, offset, due_at, at in json.loads(written)]


def _of(stage: Stage, rate: float, appended: Sequence[Appended], seen: Mapping[tuple[int, int], float]) -> AtRate:
    changed = [(due_at, at, seen[one, offset]) for one, offset, due_at, at in appended if (one, offset) in seen]
    if not changed:
        raise BenchFailed(f"{stage.what}: none of {len(appended)} events brought a change: append more of them")
    return AtRate(
        stage=stage.name,
        what=stage.what,
        rate=rate,
        events=len(appended),
        with_changes=len(changed),
        acknowledged_to_change_ms=Percentiles.of(seen_at - at for _, at, seen_at in changed),
        due_to_change_ms=Percentiles.of(seen_at - due_at for due_at, _, seen_at in changed),
        due_to_acknowledged_ms=Percentiles.of(at - due_at for _, _, due_at, at in appended),
        ceiling=stage.ceiling,
    )
