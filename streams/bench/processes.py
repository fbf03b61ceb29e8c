"""The processes under measurement: started with settings in a file, heard through their samples, ended."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from streams.bench.faults import BenchFailed
from streams.bench.profiling import read_profile
from streams.bench.sampling import Sample
from streams.cores import confine
from streams.guard import die_with_parent

_SILENCE_S: Final = 120.0
_LEAVE_S: Final = 30.0
_LOG_LINES: Final = 20
_LINE_BYTES_MAX: Final = 64 << 20


async def start(
    folder: Path, name: str, module: str, settings: Mapping[str, Any], *, python: str = sys.executable
) -> tuple[Process, Path]:
    """Start a module as a process of its own with settings in a file; return it with the log of its standard error.

    It ends with this process, also if that is killed (Linux).
    """
    path = _settled(folder, name, settings)
    log = path.with_suffix(".log")
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(python, "-m", module, str(path)),
            stdout=PIPE,
            stderr=errors,
            limit=_LINE_BYTES_MAX,
            preexec_fn=die_with_parent,
        )
    return process, log


def _settled(folder: Path, name: str, settings: Mapping[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(dict(settings)), "utf-8")
    return path


async def leave(process: Process) -> None:
    """Tell a process to stop, and wait until it has."""
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_LEAVE_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


class Crew:
    """Processes that do one job together; `samples` holds what they have told, in the order in which it was heard."""

    def __init__(self, folder: Path) -> None:
        self.samples: list[Sample] = []
        self.done: dict[int, int] = {}
        self._folder = folder
        self._processes: list[tuple[Process, Path]] = []
        self._listening: list[asyncio.Task[None]] = []
        self._news = asyncio.Event()

    async def start(self, module: str, settings: Mapping[str, Any], python: str = sys.executable) -> None:
        """Start a module as a process of its own, with these settings."""
        worker = len(self._processes)
        process, log = await start(self._folder, str(worker), module, settings, python=python)
        self._processes.append((process, log))
        self._listening.append(asyncio.create_task(self._listen(process, worker)))

    async def until_done(self, ends: Mapping[int, int]) -> None:
        """Wait until they have done all events before these offsets. BenchFailed when one fails or nothing moves."""
        await self._until(lambda: all(self.done.get(partition, 0) >= end for partition, end in ends.items()))

    async def until_total(self, events: int) -> None:
        """Wait until they have done so many events, whichever. BenchFailed as above."""
        await self._until(lambda: sum(self.done.values()) >= events)

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._news.clear()
            try:
                async with asyncio.timeout(_SILENCE_S):
                    await self._news.wait()
            except TimeoutError:
                raise self._failure(f"nothing moved for {_SILENCE_S:g} s at {self.done}") from None
            if any(process.returncode is not None for process, _ in self._processes) and not holds():
                raise self._failure(f"a process ended at {self.done}")

    def confine(self, cores: Collection[int]) -> None:
        """Let them run on these cores only."""
        for process, _ in self._processes:
            confine(process.pid, cores)

    async def kill(self) -> None:
        """Kill all of them at once (SIGKILL)."""
        for process, _ in self._processes:
            process.kill()
        await asyncio.gather(*(process.wait() for process, _ in self._processes))

    async def end(self) -> None:
        """Tell those that are left to stop, and wait for the end of all."""
        await asyncio.gather(*(leave(process) for process, _ in self._processes))
        await asyncio.gather(*self._listening)

    def of_each(self) -> list[list[Sample]]:
        """Return the samples of each process."""
        return [[one for one in self.samples if one.worker == number] for number in range(len(self._processes))]

    def profiles(self) -> tuple[Mapping[str, Any], ...]:
        """Return where the CPU time of each process went, where they were asked to tell."""
        return tuple(read_profile(path) for path in sorted(self._folder.glob("*.profile")))

    async def _listen(self, process: Process, worker: int) -> None:
        assert process.stdout is not None  # noqa: S101 -- it was started with a pipe
        async for line in process.stdout:
            sample = Sample.parse(worker, line)
            self.samples.append(sample)
            for partition, count in sample.done.items():
                self.done[partition] = max(count, self.done.get(partition, 0))
            self._news.set()
        await process.wait()
        self._news.set()

    def _failure(self, why: str) -> BenchFailed:
        logs = [
            f"the end of the log of process {number} (exit code {process.returncode}):\n{tail(log)}"
            for number, (process, log) in enumerate(self._processes)
        ]
        return BenchFailed("\n".join([f"{why};", *logs]))


def tail(log: Path) -> str:
    """Return the last lines of a log."""
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:])


@asynccontextmanager
async def crew(
    folder: Path, module: str, settings: Sequence[Mapping[str, Any]], *, python: str = sys.executable
) -> AsyncIterator[Crew]:
    """Run a module once for each of these settings; whoever is left is ended at the end."""
    found = Crew(folder)
    try:
        for one in settings:
            await found.start(module, one, python)
        yield found
    finally:
        await found.end()
