"""How long until a worker applies new events again: killed under load with its disk, and with an empty disk.

The ceiling of the latter is plain aiokafka that reads the same ledger and decodes its events.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any, Final

from streams.bench.machine import command, machine
from streams.bench.pipeline import figures, measured_stage
from streams.bench.place import PARTITIONS, Laid, Place, Tell, lay, place
from streams.bench.processes import crew
from streams.bench.sampling import reached_at
from streams.bench.stages import DECODE, engine_beside
from streams.bench.summary import nearest_rank
from streams.bench.tables import rows_of
from streams.bench.worker import WorkerSettings
from streams.bench.workload import NAME, NEGOTIATIONS, records
from streams.producing import Append, LedgerWriter
from streams.reading import end_positions
from streams.topics import EVENTS

SCHEMA: Final = "parley.bench.recovery/2"
COLUMNS: Final = (
    *("history", "rows", "kills", "killed: s p50", "p95", "max", "empty disk: s", "folded/s"),
    *("of what aiokafka reads and decodes",),
)
_HANDFUL: Final = 200
"""So many events are on their way when a worker is killed, and as many come right after."""


@dataclass(frozen=True, slots=True)
class Killed:
    """Seconds from kill -9 until the successor with the same name and disk had applied what came after the kill."""

    seconds: tuple[float, ...]
    p50: float
    p95: float
    max: float


@dataclass(frozen=True, slots=True)
class EmptyDisk:
    """A worker that has nothing but the ledger: from its start until it was at work again, and how fast it folded."""

    seconds: float
    folded_per_s: float
    cpu_us_per_event: float
    resident_bytes: int
    decoded_per_s: float
    """What plain aiokafka reads and decodes of the same ledger, the ceiling."""
    of_ceiling: float | None


async def recovery(brokers: str | None, *, events: int, kills: int, seed: int, tell: Tell) -> dict[str, Any]:
    """Measure both on a ledger with a history; return the document that `parley bench recovery` prints."""
    load = machine()
    source = records(seed, events + 2 * _HANDFUL * (kills + 1), partitions=PARTITIONS)
    async with place(brokers) as here:
        laid = await lay(here, source, events, tell)
        killed = await _killed(here, source, kills, tell)
        rows = await rows_of(here)
        empty = await _empty_disk(here, laid, tell)
    return {
        "schema": SCHEMA,
        "command": command(),
        "machine": load,
        "workload": {"name": NAME, "seed": seed, "events": events, "rows": rows, "negotiations": NEGOTIATIONS},
        "killed": asdict(killed),
        "empty_disk": asdict(empty),
    }


def lines(document: Mapping[str, Any]) -> list[list[str]]:
    """Return the one line of the document."""
    workload, killed, empty = document["workload"], document["killed"], document["empty_disk"]
    return [
        [
            f"{workload['events']:,} events",
            f"{workload['rows']:,}",
            f"{len(killed['seconds'])}",
            *(f"{killed[name]:.2f}" for name in ("p50", "p95", "max")),
            f"{empty['seconds']:.1f}",
            f"{empty['folded_per_s']:,.0f}",
            f"{empty['of_ceiling']:.2f} of {empty['decoded_per_s']:,.0f}",
        ]
    ]


def _settings(here: Place, disk: str, *, folded: bool = False) -> dict[str, Any]:
    followed = asdict(engine_beside(here, here, "full"))
    engine = {**followed, "data_directory": str(here.folder / disk), "instance_id": "bench"}
    return asdict(WorkerSettings("full", here.prefix, engine, folded=folded))


async def _killed(here: Place, source: Iterator[Append], kills: int, tell: Tell) -> Killed:
    """Kill a worker again and again, each time with events on their way."""
    ledger = here.topic(EVENTS)
    found: list[float] = []
    killed_at = time.monotonic()
    async with LedgerWriter(here.bootstrap, ledger) as writer:
        for life in range(kills + 1):
            tell(f"{len(found)} of {kills} kills" if life else "the worker projects the history")
            async with crew(here.folder / f"life-{life}", "streams.bench.worker", [_settings(here, "disk")]) as working:
                await writer.append_all(islice(source, _HANDFUL))
                ends = await end_positions(here.bootstrap, ledger)
                await working.until_done(ends)
                if life:
                    found.append(reached_at(working.samples, ends) - killed_at)
                if life < kills:
                    await writer.append_all(islice(source, _HANDFUL))
                    killed_at = time.monotonic()
                    await working.kill()
    p50, p95, most = nearest_rank(found, 50, 95, 100)
    return Killed(tuple(round(one, 3) for one in found), round(p50, 3), round(p95, 3), round(most, 3))


async def _empty_disk(here: Place, laid: Laid, tell: Tell) -> EmptyDisk:
    ends = await end_positions(here.bootstrap, here.topic(EVENTS))
    tell(DECODE.what)
    ceiling = await measured_stage(DECODE, here, here.beside(DECODE.name), replace(laid, ends=ends), ceiling=None)
    what = "a worker with an empty disk folds the ledger"
    tell(what)
    begun_at = time.monotonic()
    settings = _settings(here, "empty", folded=True)
    async with crew(here.folder / "empty-disk", "streams.bench.worker", [settings]) as working:
        await working.until_done(ends)
    found = figures("empty-disk", what, working, ceiling)
    return EmptyDisk(
        seconds=round(reached_at(working.samples, ends) - begun_at, 3),
        folded_per_s=found.events_per_s,
        cpu_us_per_event=found.cpu_us_per_event,
        resident_bytes=working.samples[-1].resident_bytes,
        decoded_per_s=ceiling.events_per_s,
        of_ceiling=found.of_ceiling,
    )
