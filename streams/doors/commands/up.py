"""`parley up`: everything that a live ledger needs, on this machine."""

import asyncio
import fcntl
import os
import signal
import socket
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import orjson
import typer

from streams.broker import EmbeddedBroker, running_broker
from streams.cores import Cores, set_apart
from streams.doors import showing
from streams.doors.commanding import Brokers, JsonLines, Prefix, answered, app, leave, settings_with
from streams.doors.connecting import connect_with_topics
from streams.doors.supervising import (
    BrokerPart,
    CommandPart,
    News,
    Part,
    PartEnded,
    Tell,
    keep,
    launch,
    ready,
    still_starting,
)
from streams.settings import Settings, UsageError, usable_folder

T = TypeVar("T")


@dataclass(slots=True)
class Running:
    """The parts that run, in the order of their start, whether it is over, which cores they have, and who is told."""

    cores: Cores | None
    tell: Tell
    parts: list[Part] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)


class AlreadyUp(Exception):  # noqa: N818 -- a polite answer
    """`parley up` runs already for this prefix, on this state directory."""


@app.command(epilog="Example: $ parley up")
def up(
    brokers: Brokers = None,
    prefix: Prefix = None,
    own_core: Annotated[
        bool,
        typer.Option(
            "--own-core",
            help="Give the worker a processor core to itself, and the Kafka and the clock that this starts the others:"
            " on few cores, changes arrive sooner under load.",
        ),
    ] = False,
    as_json: JsonLines = False,
) -> None:
    """Run everything: a Kafka unless one is named, the topics, a worker and the clock, until told to stop (Ctrl-C)."""
    settings = settings_with(prefix)
    try:
        cores = _cores() if own_core else None
        running = Running(cores, in_json if as_json else in_words)
        answered(lambda: run_up(settings, brokers or settings.brokers, running), until_told=True)
    except PartEnded as error:
        leave(f"{error}\nThe runbook says what each exit code means.", error.code, error)
    except AlreadyUp as error:
        showing.complain(str(error))
    if still_starting():
        _leave_behind()


def _leave_behind() -> NoReturn:
    """Leave while a fetch of Kafka waits for its answers; the next one looks at what it left."""
    showing.console(stderr=True).show_cursor()  # its progress has hidden it
    os._exit(0)


def _cores() -> Cores:
    cores = set_apart()
    if cores is None:
        raise UsageError("--own-core needs Linux and two processor cores or more; run it without")
    return cores


async def run_up(settings: Settings, brokers: str | None, running: Running) -> None:
    """Start the parts in order, keep them, and stop them in reverse. PartEnded when one cannot be kept."""
    for one in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(one, running.over.set)
    folder = settings.state_directory / "up" / settings.prefix
    with _alone(folder):
        try:
            await _run(settings, brokers, folder, running)
        finally:
            for part in reversed(running.parts):
                await asyncio.to_thread(part.stop)
                running.tell(News.of(part.name, "stopped", "stopped"))


async def _run(settings: Settings, brokers: str | None, folder: Path, running: Running) -> None:
    over, cores, tell = running.over, running.cores, running.tell
    bootstrap = await _kafka(settings, brokers, running)
    if (found := await _unless(over, connect_with_topics(settings, bootstrap))) is None:
        return
    bootstrap, topics = found
    count, created = len(topics.topics), len(topics.created)
    words = f"{count} that begin with {settings.prefix}, {created} of them new"
    tell(News.of("topics", "there", words, prefix=settings.prefix, count=count, created=created))
    children = [_child(name, folder, bootstrap, settings) for name in ("worker", "clock")]
    if cores is not None:
        children[0].cores, children[1].cores = cores
    for part in children:
        if over.is_set():
            return
        running.parts.append(part)
        await launch(part, tell, over)
    telling = asyncio.create_task(_tell_ready(children, tell))
    keeping = [asyncio.create_task(keep(part, tell, over)) for part in running.parts]
    try:
        await asyncio.wait(keeping, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        over.set()
        telling.cancel()
    for outcome in await asyncio.gather(*keeping, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


async def _unless(over: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Do something unless it is over, now or before that is done; then None."""
    doing, waiting = asyncio.ensure_future(work), asyncio.ensure_future(over.wait())
    if not over.is_set():
        await asyncio.wait((doing, waiting), return_when=asyncio.FIRST_COMPLETED)
    if over.is_set():
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)
        return None
    waiting.cancel()
    return doing.result()


async def _kafka(settings: Settings, brokers: str | None, running: Running) -> str:
    """Return where Kafka is, and start one if none is named and none runs; when it is over, nothing holds there."""
    if brokers is not None:
        running.tell(News.of("broker", "there", f"the one at {brokers}", bootstrap=brokers))
        return brokers
    if (there := running_broker(settings)) is not None:
        words = f"the one that runs at {there.bootstrap}; it goes on when this ends"
        running.tell(News.of("broker", "there", words, bootstrap=there.bootstrap))
        return there.bootstrap
    kafka = EmbeddedBroker(settings.broker_directory, lasting=True, settings=settings)
    broker = BrokerPart(kafka, kafka.log, None if running.cores is None else running.cores.others)
    running.parts.append(broker)
    await launch(broker, running.tell, running.over)
    return broker.bootstrap


def _child(name: str, folder: Path, bootstrap: str, settings: Settings) -> CommandPart:
    words = (name, "--brokers", bootstrap, "--prefix", settings.prefix)
    named = ("--instance", f"{socket.gethostname()}-up") if name == "worker" else ()
    return CommandPart(name, (sys.executable, "-m", "streams.doors.starting", *words, *named), folder / f"{name}.log")


async def _tell_ready(children: list[CommandPart], tell: Tell) -> None:
    await asyncio.gather(*(ready(part) for part in children))
    tell(News("Everything is up. Ctrl-C stops it.", {"part": "all", "state": "ready"}))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Make the folder and hold its lock; AlreadyUp when another process does, UsageError if it cannot be used."""
    usable_folder(folder)
    with (folder / "lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyUp(f"parley up runs already; its logs are in {folder}.") from error
        yield


def in_words(news: News) -> None:
    """Tell of a part, at once; when nobody reads it any more the parts go on, and are stopped, all the same."""
    with suppress(BrokenPipeError):
        typer.echo(news.line)


def in_json(news: News) -> None:
    """Tell a program the same."""
    with suppress(BrokenPipeError):
        typer.echo(orjson.dumps(news.document))
