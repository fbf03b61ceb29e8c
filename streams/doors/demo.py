"""The demonstration: the shipped history through a real Kafka topic and a real worker, shown as it flows."""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson
import typer
from rich.console import Console
from rich.live import Live
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from schemas.cloudevents import headers
from schemas.codec import encode
from streams import ledger_file
from streams.broker import EmbeddedBroker
from streams.doors import showing
from streams.doors.connecting import connect
from streams.doors.kafka import read_rows
from streams.doors.screen import Shown
from streams.doors.waiting import NotReached, cuts_reaching
from streams.engine import Cut
from streams.processes import Started, open_log, spawn
from streams.producing import Append, LedgerWriter
from streams.reading import end_positions, follow
from streams.replay import Played, replay
from streams.settings import Settings, environment_with
from streams.topics import ALERTS, CHANGES, EVENTS, partition_of
from streams.topics_on_kafka import ensure_topics
from streams.worker import leads

T = TypeVar("T")
PREFIX: Final = "parley-demo"
_USUAL: Final = "parley"
_LOG_LINES: Final = 40
_GAP_S_MAX: Final = 2.0
_READY_S: Final = 60.0
_FRAME_S: Final = 0.1
_LOOK_S: Final = 0.1
_CHUNK: Final = 500
_INTERRUPTED: Final = 128 + signal.SIGINT
_MIB: Final = 1 << 20
_KAFKA: Final = "Starting a Kafka …"


class DemoFailed(Exception):  # noqa: N818 -- says what went wrong
    """The demonstration cannot go on; the message says why."""


class _WorkerEnded(Exception):  # noqa: N818 -- the state of the worker
    """The worker has ended before it was told to."""


class Lines:
    """Plain lines for a pipe. Two topics bring them: at full speed they are put in order of the log at the end."""

    def __init__(self, *, paced: bool) -> None:
        self._paced = paced
        self._held: list[tuple[list[int], str]] = []

    def take(self, document: dict[str, Any], line: str) -> None:
        """Print a line as it comes, or hold it until the end."""
        if self._paced:
            print(line, flush=True)  # noqa: T201 -- plain lines are what a pipe gets
            return
        partition, offset, ordinal = document["sequence"]
        is_change = int(document["schema"] != "parley.alert/1")  # an event's alerts come before its changes
        self._held.append(([partition, offset, is_change, ordinal], line))

    def tell(self) -> None:
        """Print what was held, and what the marks of all of them mean."""
        for _, line in sorted(self._held):
            print(line)  # noqa: T201 -- as above
        print(showing.LEGEND)  # noqa: T201 -- as above


async def run_demo(
    settings: Settings,
    *,
    brokers: str | None,
    speed: float | None,
    serve: bool,
    told: Callable[[dict[str, Any]], None] | None = None,
) -> None:
    """Replay the shipped history and tell what came of it (`told`: there, and nothing else); with `serve`, stay.

    `speed` is days of history per second; None: as fast as the machine can. Without `brokers` it starts a Kafka of its
    own and keeps nothing; on a cluster the topics stay, and a second replay onto them is refused. Told to end, it ends
    well where it was to `serve`; else the replay is not whole, which is told.
    """
    running = asyncio.ensure_future(_run(settings, brokers, speed, serve=serve, told=told))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        if not running.cancelling():
            raise
        if serve:
            raise typer.Exit(0) from None
        showing.complain("parley: interrupted: the replay is not whole")
        raise typer.Exit(_INTERRUPTED) from None


async def _run(
    settings: Settings,
    brokers: str | None,
    speed: float | None,
    *,
    serve: bool,
    told: Callable[[dict[str, Any]], None] | None,
) -> None:
    settings = settings.model_copy(
        update={"prefix": PREFIX if settings.prefix == _USUAL else settings.prefix, "outputs": ""}
    )
    events = ledger_file.events(ledger_file.DEMO)
    played = list(replay(events, ledger_file.digest(ledger_file.DEMO), leads(settings)))
    with ExitStack() as up:
        with starting() as tell:
            folder = Path(up.enter_context(tempfile.TemporaryDirectory(prefix="parley-demo-")))
            bootstrap, kafka = up.enter_context(_kafka(folder, brokers, settings, tell))
            await ensure_topics(bootstrap, settings.prefix, settings.partitions, settings.replication)
            if any((await end_positions(bootstrap, EVENTS.name(settings.prefix))).values()):
                raise DemoFailed(f"{settings.prefix} on {bootstrap} holds a ledger already: name another --prefix.")
            tell("Starting a worker …")
            ended = partial(_ended, up.enter_context(_worker(bootstrap, settings.prefix, folder)), kafka)
            await _beside([ended()], _open(bootstrap, settings.prefix, played[0]))
        summary = await _play(bootstrap, settings, played, speed, ended, quiet=told is not None)
        summary = {"events": len(played), "reports": len(events), **summary}
        if told is not None:
            told(summary)
        else:
            _tell(summary, serve=serve)
        if serve:
            await ended()


@contextmanager
def starting() -> Iterator[Callable[[str], None]]:
    """Show on a terminal what is being started and for how long; give what says what it is."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    screen = showing.console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(_KAFKA, total=None)
        yield lambda what: bar.update(task, description=what)


@contextmanager
def _kafka(
    folder: Path, brokers: str | None, settings: Settings, tell: Callable[[str], None]
) -> Iterator[tuple[str, EmbeddedBroker | None]]:
    if brokers is not None:
        tell(f"Making topics on {brokers} …")
        yield connect(settings, brokers), None
        return

    def fetched(here: int, total: int) -> None:
        tell(f"Fetching Kafka (once), {here // _MIB} of {total // _MIB} MiB …" if here < total else _KAFKA)

    progress = fetched if sys.stderr.isatty() else None  # elsewhere it says itself what it fetches
    kafka = EmbeddedBroker(folder / "broker", settings=settings, die_with_parent=True, progress=progress)
    with kafka as address:
        yield address.bootstrap, kafka


@contextmanager
def _worker(bootstrap: str, prefix: str, folder: Path) -> Iterator[Started]:
    command = [sys.executable, "-m", "streams.doors.starting", "worker", "--brokers", bootstrap, "--prefix", prefix]
    command += ["--outputs", ""]
    environment = environment_with(state_directory=str(folder / "state"))  # its snapshots go with its ledger
    log = open_log(folder / "worker.log")
    try:
        worker = spawn(command, log=log, environment=environment)
    finally:
        os.close(log)
    try:
        yield worker
    except (NotReached, _WorkerEnded) as error:
        told = (folder / "worker.log").read_text("utf-8", "replace").splitlines()[-_LOG_LINES:]
        raise DemoFailed("\n".join([str(error), "The last lines of the worker's log:", *told])) from error
    finally:
        worker.stop()


async def _play(
    bootstrap: str,
    settings: Settings,
    played: list[Played],
    speed: float | None,
    ended: Callable[[], Coroutine[Any, Any, None]],
    *,
    quiet: bool,
) -> dict[str, Any]:
    prefix = settings.prefix
    shown = Shown(total=len(played), events=1)
    start = dict.fromkeys(range(settings.partitions), 0)
    lines = Lines(paced=speed is not None)
    plain = None if quiet or sys.stdout.isatty() else lines.take
    screen = Live(console=Console(), auto_refresh=False) if sys.stdout.isatty() and not quiet else None
    beside = [_watch(bootstrap, topic.name(prefix), start, shown, plain) for topic in (CHANGES, ALERTS)]
    beside += [ended()] if screen is None else [ended(), _draw(screen, shown)]
    with screen or nullcontext():
        seconds = await _beside(beside, _replayed(bootstrap, prefix, played, speed, shown))
        if plain is not None:
            lines.tell()
        if screen is not None:
            screen.update(shown.view(screen.console.width, screen.console.height), refresh=True)
    rows = await read_rows(bootstrap, prefix, played[0].event.negotiation)
    return {
        "strikes": sum(1 for one in played if one.event.type == "clock_struck"),
        "rows": {name: len(table) for name, table in rows.items()},
        "changes": shown.changes,
        "alerts": shown.alerts,
        "seconds": round(seconds, 2),
        "events_per_second": round((len(played) - 1) / seconds),
        "brokers": bootstrap,
        "prefix": prefix,
    }


async def _beside(others: list[Coroutine[Any, Any, None]], work: Coroutine[Any, Any, T]) -> T:
    """Do the work while the others go on, which end by failing only: at once that is the work's failure too."""
    working = asyncio.create_task(work)
    tasks: list[asyncio.Task[Any]] = [working, *map(asyncio.create_task, others)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if working not in done:
            for task in done:
                task.result()
        return await working
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _open(bootstrap: str, prefix: str, opening: Played) -> None:
    """Write the opening event alone: once its outputs are there, the worker is at work and time can be taken."""
    async with LedgerWriter(bootstrap, EVENTS.name(prefix)) as writer:
        await writer.append_all([_append(opening, writer.partitions)])
    await _complete(bootstrap, prefix)


async def _replayed(bootstrap: str, prefix: str, played: list[Played], speed: float | None, shown: Shown) -> float:
    """Write the history and wait until all that follows from it was seen; return the seconds until it was there."""
    began = time.perf_counter()
    await _write(bootstrap, prefix, played[1:], speed, shown)
    cuts = await _complete(bootstrap, prefix)
    seconds = time.perf_counter() - began
    counted = Counter[str]()
    for cut in cuts.values():
        counted.update(dict(cut.counts))
    shown.expect(counted[CHANGES.name(prefix)], counted[ALERTS.name(prefix)])
    try:
        async with asyncio.timeout(_READY_S):
            await shown.complete.wait()
    except TimeoutError as error:
        raise DemoFailed("Not every change was seen by a reader within a minute.") from error
    return seconds


async def _complete(bootstrap: str, prefix: str) -> dict[int, Cut]:
    """Wait until the worker has written everything that follows from the ledger as it is now."""
    ends = await end_positions(bootstrap, EVENTS.name(prefix))
    return await cuts_reaching(bootstrap, prefix, ends, within_s=_READY_S)


async def _ended(worker: Started, kafka: EmbeddedBroker | None) -> None:
    """Wait for the end of one of them, to say so; without Kafka the worker ends too."""
    while True:
        if kafka is not None and (code := kafka.exit_code) is not None:
            raise DemoFailed(f"Kafka has ended by itself, with exit code {code}.")
        if (code := worker.exit_code) is not None:
            raise _WorkerEnded(f"The worker has ended by itself, with exit code {code}.")
        await asyncio.sleep(_LOOK_S)


async def _draw(screen: Live, shown: Shown) -> None:
    while True:
        screen.update(shown.view(screen.console.width, screen.console.height), refresh=True)
        await asyncio.sleep(_FRAME_S)


async def _write(bootstrap: str, prefix: str, played: list[Played], speed: float | None, shown: Shown) -> None:
    async with LedgerWriter(bootstrap, EVENTS.name(prefix)) as writer:
        chunk = _CHUNK if speed is None else 1
        for first in range(0, len(played), chunk):
            batch = played[first : first + chunk]
            if speed is not None and first:
                days = (batch[0].at - played[first - 1].at).total_seconds() / 86_400
                await asyncio.sleep(min(days / speed, _GAP_S_MAX))
            await writer.append_all([_append(one, writer.partitions) for one in batch])
            shown.events += len(batch)


def _append(one: Played, partitions: int) -> Append:
    key = one.event.negotiation.encode()
    return Append(key, encode(one.event), headers(one.event), partition_of(key, partitions))


async def _watch(
    bootstrap: str,
    topic: str,
    start: dict[int, int],
    shown: Shown,
    plain: Callable[[dict[str, Any], str], None] | None,
) -> None:
    """Follow what subscribers see, read_committed."""
    async for records in follow(bootstrap, topic, start=start):
        for record in records:
            document = orjson.loads(record.value or b"{}")
            if document["schema"] == "parley.alert/1":
                shown.alert(document)
                line = showing.alert_line(document)
            else:
                shown.change(document)
                line = showing.change_line(document)
            shown.log.append(line)
            if plain is not None:
                plain(document, line)


def _tell(summary: dict[str, Any], *, serve: bool) -> None:
    rows = sum(summary["rows"].values())
    lines = [
        (
            f"{summary['events']} events: the opening, {summary['reports']} reports and definitions, "
            f"{summary['strikes']} strikes."
        ),
        f"{rows} rows, {summary['changes']} changes, {summary['alerts']} alerts.",
        f"{summary['seconds']} s from first report to last row, {summary['events_per_second']} events a second.",
    ]
    if serve:
        where = f"--brokers {summary['brokers']} --prefix {summary['prefix']}"
        lines += [
            "Still up. Ask from another terminal, for example:",
            f"  parley tables us-china {where}",
            f"  parley state us-china --at 2025-10-31T12:00:00-04:00 {where}",
            "Ctrl-C stops everything.",
        ]
    print("\n".join(lines))  # noqa: T201 -- the summary is the command's output
