"""A worker in a process of its own, and the command line as a person runs it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from schemas.cloudevents import headers
from schemas.codec import encode
from schemas.events import Event
from streams import ledger_file
from streams.doors.waiting import cuts_reaching
from streams.producing import Append, LedgerWriter
from streams.reading import end_positions, read_to_end
from streams.replay import replay
from streams.topics import ALERTS, CHANGES, EVENTS, partition_of
from streams.topics_on_kafka import ensure_topics

ROOT = Path(__file__).parents[2]
PARTITIONS = 4
PATIENCE_S = 60.0
USUAL: Mapping[str, str] = MappingProxyType({})


def environment(state: Path, settings: Mapping[str, str] = USUAL) -> dict[str, str]:
    """Return an environment in which nothing of this machine's user is found, with these settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    own = {"PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "120", "PARLEY_STATE_DIRECTORY": str(state)}
    return kept | own | {f"PARLEY_{name.upper()}": value for name, value in settings.items()}


def parley(
    state: Path, *words: str, given: bytes = b"", settings: Mapping[str, str] = USUAL
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end, with these settings in its environment."""
    return subprocess.run(
        [sys.executable, "-m", "streams.doors.starting", *words],
        input=given, capture_output=True, env=environment(state, settings), cwd=state, timeout=PATIENCE_S, check=False,
    )  # fmt: skip


@asynccontextmanager
async def worker(
    state: Path, bootstrap: str, prefix: str, *, stop_at: str | None = None, settings: Mapping[str, str] = USUAL
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a worker with these settings in its environment; it is gone afterwards, also when the test failed."""
    words = ["worker", "--brokers", bootstrap, "--prefix", prefix, "--instance", "one"]
    words += ["--stop-at", stop_at] if stop_at is not None else []
    async with service(state, *words, settings=settings) as process:
        yield process


@asynccontextmanager
async def service(
    state: Path, *words: str, settings: Mapping[str, str] = USUAL
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command that stays up, with a log of its own; it is gone afterwards, also when the test failed."""
    with (state / f"{words[0]}.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "streams.doors.starting", *words,
            env=environment(state, settings), cwd=state, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
                await asyncio.wait_for(process.wait(), PATIENCE_S)


def played_history() -> list[Event]:
    """Return the shipped history as a replay writes it."""
    events = ledger_file.events(ledger_file.DEMO)
    return [one.event for one in replay(events, ledger_file.digest(ledger_file.DEMO))]


async def write(bootstrap: str, prefix: str, events: list[Event]) -> None:
    """Write events to the ledger as the doors do."""
    await ensure_topics(bootstrap, prefix, PARTITIONS)
    async with LedgerWriter(bootstrap, EVENTS.name(prefix)) as writer:
        await writer.append_all([appended(event, PARTITIONS) for event in events])


def appended(event: Event, partitions: int) -> Append:
    """Return the record of an event."""
    key = event.negotiation.encode()
    return Append(key, encode(event), headers(event), partition_of(key, partitions))


async def complete(bootstrap: str, prefix: str) -> None:
    """Wait until the outputs are complete up to the end of the ledger."""
    ends = await end_positions(bootstrap, EVENTS.name(prefix))
    await cuts_reaching(bootstrap, prefix, ends, within_s=PATIENCE_S)


@dataclass(frozen=True, slots=True)
class Written:
    """What a reader of committed records sees of a worker: changes and alerts in order, byte for byte."""

    changes: list[bytes]
    alerts: list[bytes]


async def written(bootstrap: str, prefix: str) -> Written:
    """Read what the worker wrote."""
    found: Mapping[str, list[bytes]] = {CHANGES.suffix: [], ALERTS.suffix: []}
    for topic in (CHANGES, ALERTS):
        async for records in read_to_end(bootstrap, topic.name(prefix), isolation="read_committed"):
            found[topic.suffix].extend(record.value or b"" for record in records)
    return Written(found[CHANGES.suffix], found[ALERTS.suffix])
