"""Events appended at a set rate, whether or not the last one is acknowledged: `python -m streams.bench.appender FILE`.

Each is due at its time; what comes late counts from when it was due, so a pause hides nothing.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import uvloop

from streams.bench.workload import records
from streams.producing import Append, LedgerWriter

Appended = tuple[int, int, float, float]
"""Partition, offset, when it was due, when it was acknowledged (seconds of the clock that all processes share)."""


@dataclass(frozen=True, slots=True)
class AppenderSettings:
    """Where to append which part of the workload, and how many a second."""

    bootstrap: str
    ledger: str
    seed: int
    first: int
    count: int
    rate: float


def main() -> None:
    """Append, then write what was appended as one JSON list beside the settings."""
    path = Path(sys.argv[1])
    settings = AppenderSettings(**json.loads(path.read_text("utf-8")))
    appended_file(path).write_text(json.dumps(uvloop.run(_append(settings))), "utf-8")


def appended_file(beside: Path) -> Path:
    """Return where an appender writes what it has appended: beside its settings and its log, with the same stem."""
    return beside.with_suffix(".appended")


async def _append(settings: AppenderSettings) -> list[Appended]:
    chosen = list(islice(records(settings.seed, settings.first + settings.count), settings.first, None))
    async with LedgerWriter(settings.bootstrap, settings.ledger) as writer:
        await writer.append(
            *chosen[0][:3], partition=chosen[0].partition
        )  # the connection is made before the clock runs
        begun_at = time.monotonic()
        under_way = []
        for number, record in enumerate(chosen[1:], start=1):
            due_at = begun_at + number / settings.rate
            await asyncio.sleep(due_at - time.monotonic())
            under_way.append(asyncio.create_task(_one(writer, record, due_at)))
        return await asyncio.gather(*under_way)


async def _one(writer: LedgerWriter, record: Append, due_at: float) -> Appended:
    place = await writer.append(record.key, record.value, record.headers, partition=record.partition)
    return place.partition, place.offset, due_at, time.monotonic()


if __name__ == "__main__":
    main()
