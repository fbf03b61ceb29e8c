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

import typer

from streams.broker import EmbeddedBroker, running_broker
from streams.cores import Cores, set_apart
from streams.doors import showing
from streams.doors.commanding import Brokers, Prefix, answered, app, leave, settings_with
from streams.doors.connecting import connect_with_topics
from streams.doors.supervising import BrokerPart, CommandPart, Part, PartEnded, keep, launch, ready, still_starting
from streams.settings import Settings, UsageError, usable_folder

T = TypeVar("T")


@dataclass(slots=True)
class Running:
    """The parts that run, in the order of their start, whether it is over, and which cores they have."""

    cores: Cores | None
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
) -> None:
    """Run everything: a Kafka unless one is named, the topics, a worker and the clock, until told to stop (Ctrl-C)."""
    settings = settings_with(prefix)
    try:
        cores = _cores() if own_core else None
        answered(lambda: run_up(settings, brokers or settings.brokers, cores), until_told=True)
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


async def run_up(settings: Settings, brokers: str | None, cores: Cores | None = None) -> None:
    """Start the parts in order, keep them, and stop them in reverse. PartEnded when one cannot be kept."""
    running = Running(cores)
    for one in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(one, running.over.set)
    folder = settings.state_directory / "up" / settings.prefix
    with _alone(folder):
        try:
            await _run(settings, brokers, folder, running)
        finally:
            for part in reversed(running.parts):
                await asyncio.to_thread(part.stop)
                tell(f"{part.name:<7} stopped")


async def _run(settings: Settings, brokers: str | None, folder: Path, running: Running) -> None:
    over, cores = running.over, running.cores
    bootstrap = await _kafka(settings, brokers, running)
    if (found := await _unless(over, connect_with_topics(settings, bootstrap))) is None:
        return
    bootstrap, topics = found
    tell(f"topics  {len(topics.topics)} that begin with {settings.prefix}, {len(topics.created)} of them new")
    children = [_child(name, folder, bootstrap, settings) for name in ("worker", "clock")]
    if cores is not None:
        children[0].cores, children[1].cores = cores
    for part in children:
        if over.is_set():
            return
        running.parts.append(part)
        await launch(part, tell, over)
    telling = asyncio.create_task(_tell_ready(children))
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
        tell(f"broker  the one at {brokers}")
        return brokers
    if (there := running_broker(settings)) is not None:
        tell(f"broker  the one that runs at {there.bootstrap}; it goes on when this ends")
        return there.bootstrap
    kafka = EmbeddedBroker(settings.broker_directory, lasting=True, settings=settings)
    broker = BrokerPart(kafka, kafka.log, None if running.cores is None else running.cores.others)
    running.parts.append(broker)
    await launch(broker, tell, running.over)
    return broker.bootstrap


def _child(name: str, folder: Path, bootstrap: str, settings: Settings) -> CommandPart:
    words = (name, "--brokers", bootstrap, "--prefix", settings.prefix)
    named = ("--instance", f"{socket.gethostname()}-up") if name == "worker" else ()
    return CommandPart(name, (sys.executable, "-m", "streams.doors.starting", *words, *named), folder / f"{name}.log")


async def _tell_ready(children: list[CommandPart]) -> None:
    await asyncio.gather(*(ready(part) for part in children))
    tell("Everything is up. Ctrl-C stops it.")


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


def tell(line: str) -> None:
    """Tell of a part, at once; when nobody reads it any more the parts go on, and are stopped, all the same."""
    with suppress(BrokenPipeError):
        typer.echo(line)
