"""The demonstration: the shipped history through a real Kafka topic and a real worker, shown as it flows."""

import asyncio
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, Process
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from schemas.cloudevents import headers
from schemas.codec import encode
from streams import ledger_file
from streams.broker import EmbeddedBroker
from streams.doors import showing
from streams.doors.kafka import read_rows
from streams.doors.waiting import NotReached, cuts_reaching
from streams.engine import Cut
from streams.producing import Append, LedgerWriter
from streams.reading import end_positions, follow
from streams.replay import Played, replay
from streams.settings import Settings
from streams.topics import ALERTS, CHANGES, EVENTS, partition_of
from streams.topics_on_kafka import ensure_topics
from streams.worker import leads

PREFIX: Final = "parley-demo"
_USUAL: Final = "parley"
_LOG_LINES: Final = 40
_FRAME_LINES: Final = 20
_GAP_S_MAX: Final = 2.0
_READY_S: Final = 60.0
_LEAVE_S: Final = 15.0
_FRAME_S: Final = 0.1
_CHUNK: Final = 500


class DemoFailed(Exception):  # noqa: N818 -- says what went wrong
    """The demonstration cannot go on; the message says why."""


@dataclass(slots=True)
class Shown:
    """What the viewer has seen of the worker's outputs so far."""

    tables: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {"measures": {}, "deadlines": {}, "meetings": {}, "metrics": {}}
    )
    log: deque[str] = field(default_factory=lambda: deque(maxlen=_LOG_LINES))
    at: str = ""
    events: int = 0
    total: int = 0
    changes: int = 0
    alerts: int = 0
    expected: tuple[int, int] | None = None
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    def expect(self, changes: int, alerts: int) -> None:
        """Say how many changes and alerts there will be; `complete` is set once they were seen."""
        self.expected = (changes, alerts)
        self._look()

    def _look(self) -> None:
        if self.expected is not None and self.changes >= self.expected[0] and self.alerts >= self.expected[1]:
            self.complete.set()

    def alert(self, alert: dict[str, Any]) -> None:
        """Take in an alert."""
        self.alerts += 1
        self.at = alert["warn_at"]
        self._look()

    def change(self, change: dict[str, Any]) -> None:
        """Take in a change: patch the row, note the line."""
        self.changes += 1
        self.at = change["at"]
        if change["kind"] == "row":
            self.tables[change["table"]].setdefault(change["key"].split("/", 1)[1], {}).update(change["after"])
        self._look()

    def view(self, height: int) -> RenderableType:
        """Return the screen, as much as fits in `height` lines: the log scrolling by, three tables, the metrics."""
        room = max(3, (height - _FRAME_LINES) // 4)
        deadlines = sorted(self.tables["deadlines"].values(), key=lambda row: str(row["earliest"]))
        pending = [row for row in deadlines if row["state"] == "pending"]
        meetings = [row for row in self.tables["meetings"].values() if row["counted_in"]]
        numbers = "   ".join(
            f"{name.removeprefix('meetings.')} {showing.metric_text(row)}"
            for name, row in sorted(self.tables["metrics"].items())
            if row["value"] not in {None, "0"}
        )
        head = f"{self.at[:10]}   event {self.events} of {self.total}   changes {self.changes}   alerts {self.alerts}"
        log = "\n".join(list(self.log)[-room:])
        return Group(
            Text(head, style="bold"),
            Panel(Text(log, no_wrap=True, overflow="ellipsis"), title="the ledger"),
            showing.measures_table(self._tariffs()[:room], title="Tariffs in force, all goods first"),
            showing.deadlines_table(pending[:room]),
            showing.meetings_table(sorted(meetings, key=lambda row: str(row["from"]))[-room:]),
            Text(numbers or "no duties on all goods yet", style="dim", no_wrap=True, overflow="ellipsis"),
        )

    def _tariffs(self) -> list[dict[str, Any]]:
        rows = [row for row in self.tables["measures"].values() if row["instrument"] == "tariff" and row["collected"]]
        return sorted(rows, key=lambda row: (row["scope"]["goods"] != "all", str(row["since"])), reverse=False)


async def run_demo(
    settings: Settings, *, brokers: str | None, speed: float | None, serve: bool, quiet: bool
) -> dict[str, Any]:
    """Replay the shipped history and return the summary; with `serve`, stay until interrupted.

    `speed` is days of history per second; None: as fast as the machine can. Without `brokers` it starts a Kafka of its
    own and keeps nothing; on a cluster the topics stay, and a second replay onto them is refused.
    """
    settings = settings.model_copy(update={"prefix": PREFIX if settings.prefix == _USUAL else settings.prefix})
    with tempfile.TemporaryDirectory(prefix="parley-demo-") as folder, _kafka(folder, brokers, settings) as bootstrap:
        await ensure_topics(bootstrap, settings.prefix, settings.partitions, settings.replication)
        if any((await end_positions(bootstrap, EVENTS.name(settings.prefix))).values()):
            raise DemoFailed(f"{settings.prefix} on {bootstrap} holds a ledger already: name another --prefix.")
        async with _worker(bootstrap, settings.prefix, Path(folder)) as worker:
            summary = await _play(bootstrap, settings, speed, worker, quiet=quiet)
            if not quiet:
                _tell(summary, serve=serve)
            if serve:
                await worker.wait()
                raise DemoFailed("The worker has ended by itself.")
            return summary


@contextmanager
def _kafka(folder: str, brokers: str | None, settings: Settings) -> Iterator[str]:
    if brokers is not None:
        yield brokers
        return
    with EmbeddedBroker(Path(folder) / "broker", settings=settings, die_with_parent=True) as address:
        yield address.bootstrap


@asynccontextmanager
async def _worker(bootstrap: str, prefix: str, folder: Path) -> AsyncIterator[Process]:
    command = [sys.executable, "-m", "streams.doors.cli", "worker", "--brokers", bootstrap, "--prefix", prefix]
    with (folder / "worker.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=log, stderr=log)
        try:
            yield process
        except NotReached as error:
            told = (folder / "worker.log").read_text("utf-8", "replace").splitlines()[-_LOG_LINES:]
            raise DemoFailed("\n".join([str(error), "The last lines of the worker's log:", *told])) from error
        finally:
            if process.returncode is None:
                process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), _LEAVE_S)
                except TimeoutError:
                    process.kill()
                    await process.wait()


async def _play(
    bootstrap: str, settings: Settings, speed: float | None, worker: Process, *, quiet: bool
) -> dict[str, Any]:
    events = ledger_file.events(ledger_file.DEMO)
    played = list(replay(events, ledger_file.digest(ledger_file.DEMO), leads(settings)))
    prefix = settings.prefix
    shown = Shown(total=len(played))
    start = dict.fromkeys(range(settings.partitions), 0)
    plain = not quiet and not sys.stdout.isatty()
    screen = Live(console=Console(), auto_refresh=False) if sys.stdout.isatty() and not quiet else None
    watchers = [
        asyncio.create_task(_watch(bootstrap, topic.name(prefix), start, shown, plain=plain))
        for topic in (CHANGES, ALERTS)
    ]
    if screen is not None:
        watchers.append(asyncio.create_task(_draw(screen, shown)))
    with screen or nullcontext():
        # the opening event alone: once its outputs are there, the worker is at work and time can be taken
        await _write(bootstrap, prefix, played[:1], None, shown)
        await _complete(bootstrap, prefix, worker)
        began = time.perf_counter()
        await _write(bootstrap, prefix, played[1:], speed, shown)
        cuts = await _complete(bootstrap, prefix, worker)
        seconds = time.perf_counter() - began
        counted = Counter[str]()
        for cut in cuts.values():
            counted.update(dict(cut.counts))
        shown.expect(counted[CHANGES.name(prefix)], counted[ALERTS.name(prefix)])
        await _first_of(asyncio.create_task(shown.complete.wait()), watchers)
        for task in watchers:
            task.cancel()
        if screen is not None:
            screen.update(shown.view(screen.console.height), refresh=True)
    rows = await read_rows(bootstrap, prefix, events[0].negotiation)
    return {
        "events": len(played),
        "reports": len(events),
        "strikes": sum(1 for one in played if one.event.type == "clock_struck"),
        "rows": {name: len(table) for name, table in rows.items()},
        "changes": shown.changes,
        "alerts": shown.alerts,
        "seconds": round(seconds, 2),
        "events_per_second": round((len(played) - 1) / seconds),
        "brokers": bootstrap,
        "prefix": prefix,
    }


async def _complete(bootstrap: str, prefix: str, worker: Process) -> dict[int, Cut]:
    """Wait until the worker has written everything that follows from the ledger as it is now."""
    ends = await end_positions(bootstrap, EVENTS.name(prefix))
    return await cuts_reaching(bootstrap, prefix, ends, within_s=_READY_S, alive=lambda: worker.returncode is None)


async def _first_of(seen: asyncio.Task[bool], watchers: list[asyncio.Task[None]]) -> None:
    """Wait until everything was seen; a watcher that fails says so at once."""
    done, _ = await asyncio.wait({seen, *watchers}, timeout=_READY_S, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    if seen not in done:
        seen.cancel()
        raise DemoFailed("Not every change was seen by a reader within a minute.")


async def _draw(screen: Live, shown: Shown) -> None:
    while True:
        screen.update(shown.view(screen.console.height), refresh=True)
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


async def _watch(bootstrap: str, topic: str, start: dict[int, int], shown: Shown, *, plain: bool) -> None:
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
            if plain:
                print(line)  # noqa: T201 -- plain lines are what a pipe gets


def _tell(summary: dict[str, Any], *, serve: bool) -> None:
    rows = sum(summary["rows"].values())
    lines = [
        f"{summary['events']} events: {summary['reports']} reports and definitions, {summary['strikes']} strikes.",
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
