"""Parts that run together: each a process of its own, started anew when its end allows that, else all of them end."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from streams.background import in_background
from streams.broker import BrokerError, EmbeddedBroker
from streams.broker_ports import HOST, free_port
from streams.cores import confine
from streams.doors.commanding import UNREACHABLE
from streams.doors.readiness import asked
from streams.engine import ExitCode
from streams.processes import NotStarted, Started, open_log, spawn

STARTS_ANEW: Final = frozenset({0, UNREACHABLE, ExitCode.SNAPSHOT, ExitCode.STALLED, ExitCode.PRODUCER})
SIGNALLED: Final = 128
PAUSE_S_FIRST: Final = 1.0
PAUSE_S_MAX: Final = 30.0
WELL_S: Final = 60.0
"""A part that ran so long is well: the next time it ends, the pause begins small again."""
_LOOK_S: Final = 0.1
_READY_S: Final = 2.0
_GIVE_UP_S: Final = 5.0
_STARTS: Final = "start of "
_TAIL_BYTES: Final = 4096


class News(NamedTuple):
    """What has become of a part: a line for people, and a document for programs."""

    line: str
    document: Mapping[str, str | int | float]

    @classmethod
    def of(cls, part: str, state: str, words: str, **more: str | float) -> "News":
        """Tell of a part by its name."""
        return cls(f"{part:<7} {words}", {"part": part, "state": state, **more})


Tell = Callable[[News], None]


class PartEnded(Exception):  # noqa: N818 -- says what happened
    """A part has ended in a way that a new start does not mend; `code` is its exit code."""

    def __init__(self, name: str, code: int, log: Path) -> None:
        super().__init__(f"{name} ended with exit code {code}: {_last_line(log)}\nIts log: {log}")
        self.code = code


class Part(Protocol):
    """One of the parts: `start` returns what to tell of it; both `start` and `stop` may take some seconds.

    A part that is told to stop while it starts gives up as soon as it can.
    """

    name: str
    log: Path

    def start(self) -> News: ...  # noqa: D102 -- the class says it
    def stop(self) -> None: ...  # noqa: D102
    @property
    def exit_code(self) -> int | None: ...  # noqa: D102 -- None while it runs, 128 + n for signal n


@dataclass(slots=True)
class CommandPart:
    """A command of Parley's in a guarded process: it ends when this process does, however that ends.

    It serves its status on `port`, which is chosen with each start: another program may have taken the last one. It may
    be confined to some `cores`.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    cores: Collection[int] | None = None
    port: int = field(default=0, init=False)
    process: Started | None = field(default=None, init=False)

    def start(self) -> News:
        """Start it; its output goes to its log. NotStarted; BrokerError when there is no free port."""
        self.port = free_port(self.log)
        log = open_log(self.log)
        try:
            self.process = spawn((*self.command, "--status-port", str(self.port)), log=log)
        except NotStarted as error:
            raise NotStarted(f"{error.why} Its log: {self.log}", f"The {self.name}") from error
        finally:
            os.close(log)  # the process has inherited it
        if self.cores is not None:
            confine(self.process.pid, self.cores)
        process, url = self.process.pid, f"http://{HOST}:{self.port}/readyz"
        words = f"process {process}, {url}, log {self.log}"
        return News.of(self.name, "started", words, process=process, readyz=url, log=str(self.log))

    def stop(self) -> None:
        """End it cleanly, or by force after some seconds."""
        if self.process is not None:
            self.process.stop()

    @property
    def exit_code(self) -> int | None:
        """How it ended."""
        return None if self.process is None else self.process.exit_code


@dataclass(slots=True)
class BrokerPart:
    """The embedded Kafka; it may be confined to some `cores`."""

    broker: EmbeddedBroker
    log: Path
    cores: Collection[int] | None = None
    name: str = "broker"
    bootstrap: str = ""
    over: threading.Event = field(default_factory=threading.Event, init=False)

    def start(self) -> News:
        """Start it; returns when it answers. BrokerError."""
        self.bootstrap = self.broker.start(over=self.over).bootstrap
        if self.cores is not None:
            confine(self.broker.pid, self.cores)
        return broker_started(self.broker, self.bootstrap)

    def stop(self) -> None:
        """Stop it for good: cleanly, or by force after some seconds."""
        self.over.set()
        self.broker.stop()

    @property
    def exit_code(self) -> int | None:
        """How it ended."""
        return self.broker.exit_code


def broker_started(broker: EmbeddedBroker, bootstrap: str) -> News:
    """Tell of an embedded Kafka that answers."""
    words = f"process {broker.pid}, Kafka on {bootstrap}, log {broker.log}"
    return News.of("broker", "started", words, process=broker.pid, bootstrap=bootstrap, log=str(broker.log))


async def launch(part: Part, tell: Tell, over: asyncio.Event) -> None:
    """Start a part and tell of it in one line.

    When it is `over` before the part has started, the part is stopped, and waited for a moment only: a fetch that
    gets no answer takes long to give up.
    """
    starting = in_background(part.start, f"{_STARTS}{part.name}")
    while not starting.done():
        if await within(_LOOK_S, over):
            await asyncio.to_thread(part.stop)
            await asyncio.to_thread(wait, [starting], _GIVE_UP_S)
            return
    tell(starting.result())


def still_starting() -> bool:
    """Tell whether a part that was told to stop has not given up yet."""
    return any(one.name.startswith(_STARTS) for one in threading.enumerate())


async def keep(part: Part, tell: Tell, over: asyncio.Event) -> None:
    """Start a part anew whenever it ends and its exit code allows that, until it is `over`; else PartEnded.

    The pause before a new start grows, also when that fails, and begins small again with a part that ran well.
    """
    pause_s = PAUSE_S_FIRST
    while True:
        began = time.monotonic()
        if (code := await _end(part, over)) is None:
            return
        if code not in STARTS_ANEW and code <= SIGNALLED:
            raise PartEnded(part.name, code, part.log)
        if time.monotonic() - began > WELL_S:
            pause_s = PAUSE_S_FIRST
        words = f"ended with exit code {code}, is started anew in {pause_s:g} s; log {part.log}"
        tell(News.of(part.name, "ended", words, exit_code=code, again_in_s=pause_s, log=str(part.log)))
        while not await within(pause_s, over):
            pause_s = min(2 * pause_s, PAUSE_S_MAX)
            try:
                await launch(part, tell, over)
                break
            except (NotStarted, BrokerError) as error:
                words = f"could not be started, which is tried again in {pause_s:g} s: {error}"
                tell(News.of(part.name, "not_started", words, reason=str(error), again_in_s=pause_s))
        if over.is_set():
            return


async def _end(part: Part, over: asyncio.Event) -> int | None:
    """Wait for the end of a part and return its exit code; None when it is over before that."""
    while (code := part.exit_code) is None:
        if await within(_LOOK_S, over):
            return None
    return code


async def within(seconds: float, over: asyncio.Event) -> bool:
    """Wait so long, or until it is over; tell whether it is."""
    with suppress(TimeoutError):
        await asyncio.wait_for(over.wait(), seconds)
    return over.is_set()


async def ready(part: CommandPart) -> None:
    """Wait until a part says on its port that it is ready, however often it is started anew until then."""
    while True:
        try:
            async with asyncio.timeout(_READY_S):
                is_ready, _ = await asked(part.port, "/readyz")
        except (OSError, TimeoutError):
            is_ready = False
        if is_ready:
            return
        await asyncio.sleep(_LOOK_S)


def _last_line(log: Path) -> str:
    """Return the last line of a log that says something."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = [line for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1] if lines else "without a word"
