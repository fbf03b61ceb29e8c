"""The worker processes of a trial, and whoever starts them anew when they end, as their exit codes say."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streams.engine import ExitCode
from streams.guard import die_with_parent
from tests.faults.history import History

ROOT = Path(__file__).parents[2]
AGAIN = (ExitCode.PRODUCER, ExitCode.STALLED, ExitCode.SNAPSHOT, -signal.SIGKILL)
"""How a worker may end and be started anew by whoever runs it; any other end is for a person."""
_STARTS_MAX = 200
_PAUSE_AFTER_S = 0.5
_END_S = 60.0

Command = Callable[[Path], Sequence[str]]


class Broken(Exception):  # noqa: N818 -- what the trial came to
    """A worker ended as none should, or nothing moved for too long; the message says which."""


@dataclass(slots=True)
class Slot:
    """One place in the crew: the settings of its worker, and the process that has it now.

    changed_again: of how many snapshots in a row, by partition, a part was drawn ahead and then changed again
    """

    name: str
    settings: dict[str, Any]
    command: Command
    environment: Mapping[str, str]
    process: Process | None = None
    wanted: bool = True
    starts: int = 0
    codes: list[int] = field(default_factory=list)
    told: int = 0
    cuts: dict[int, int] = field(default_factory=dict)
    ready: set[int] = field(default_factory=set)
    changed_again: dict[int, int] = field(default_factory=dict)
    keeper: "asyncio.Task[None] | None" = None

    @property
    def pid(self) -> int:
        """The process id; the slot must have a running process."""
        assert self.process is not None, f"{self.name} does not run"
        return self.process.pid


class Crew:
    """Starts workers, keeps them going, and knows the cuts that they told of.

    Whatever happens is noted in the history, and `changed` is notified.
    """

    def __init__(self, history: History, folder: Path) -> None:
        self.slots: dict[str, Slot] = {}
        self.cuts: dict[int, int] = {}
        self.changed = asyncio.Condition()
        self.broken: str | None = None
        self._history = history
        self._folder = folder

    async def start(
        self,
        name: str,
        settings: Mapping[str, Any],
        *,
        command: Command | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Slot:
        """Start a worker in a slot of its own and keep it going; `stop_at` and `pause` are for its first start only."""
        before = self.slots.get(name)
        assert before is None or before.process is None, f"{name} still runs"
        slot = Slot(name, dict(settings), command or tally_command, environment or {})
        self.slots[name] = slot
        await self._spawn(slot)
        slot.keeper = asyncio.create_task(self._keep(slot), name=f"keeper of {name}")
        return slot

    def signal(self, slot: Slot, number: signal.Signals) -> bool:
        """Send a signal to a slot's process, and note it; tell whether there was a process."""
        if slot.process is None:
            return False
        self._history.note("signal", worker=slot.name, pid=slot.pid, signal=number.name)
        os.kill(slot.pid, number)
        return True

    async def leave(self, slot: Slot) -> int:
        """Ask a worker to leave (SIGTERM), do not start it anew, and return its exit code."""
        slot.wanted = False
        self.signal(slot, signal.SIGTERM)
        return await self.end_of(slot)

    async def end_of(self, slot: Slot) -> int:
        """Wait until a worker that is not started anew has ended; return its exit code."""
        assert slot.keeper is not None
        try:
            await asyncio.wait_for(asyncio.shield(slot.keeper), _END_S)
        except TimeoutError:
            raise Broken(f"{slot.name} did not end within {_END_S} s\n{self.tail(slot)}") from None
        return slot.codes[-1]

    async def close(self) -> None:
        """End every process that is still there."""
        for slot in self.slots.values():
            slot.wanted = False
            if slot.process is not None:
                slot.process.kill()
        await asyncio.gather(*(slot.keeper for slot in self.slots.values() if slot.keeper is not None))

    def died_ms(self, slot: Slot) -> int:
        """Return when a slot's process last ended by kill -9."""
        died = [one for one in self._history.of("exited") if (one["worker"], one["code"]) == (slot.name, -9)]
        return int(died[-1]["at_ms"])

    def tail(self, slot: Slot) -> str:
        """Return the last lines that a worker said."""
        return "\n".join(self._log(slot).read_text("utf-8", "replace").splitlines()[-25:])

    def said(self, slot: Slot, words: str) -> bool:
        """Tell whether a worker ever said this."""
        return words in self._log(slot).read_text("utf-8", "replace")

    def _log(self, slot: Slot) -> Path:
        return self._folder / f"{slot.name}.log"

    async def _spawn(self, slot: Slot) -> None:
        path = self._folder / f"{slot.name}.json"
        path.write_text(json.dumps(slot.settings))
        with self._log(slot).open("ab") as log:
            slot.process = await asyncio.create_subprocess_exec(
                *slot.command(path),
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **slot.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=PIPE,
                stderr=log,
                # a group whose shell ends is sent SIGCONT by the kernel: it would wake up those that stand still
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        slot.starts += 1
        slot.ready.clear()
        slot.changed_again.clear()
        once = {name: slot.settings.pop(name) for name in ("stop_at", "pause") if name in slot.settings}
        self._history.note("started", worker=slot.name, pid=slot.pid, **once)

    async def _keep(self, slot: Slot) -> None:
        while True:
            assert slot.process is not None
            await self._listen(slot, slot.process)
            code = await slot.process.wait()
            slot.process = None
            slot.codes.append(code)
            async with self.changed:
                self._history.note("exited", worker=slot.name, code=code, why=self._why(slot))
                if slot.wanted and (code not in AGAIN or slot.starts >= _STARTS_MAX):
                    self.broken = f"{slot.name} ended with {code} at its start {slot.starts}\n{self.tail(slot)}"
                    slot.wanted = False
                self.changed.notify_all()
            if slot.wanted and code != -signal.SIGKILL:
                await asyncio.sleep(_PAUSE_AFTER_S)  # as service managers do
            if not slot.wanted:
                return
            await self._spawn(slot)
            if not slot.wanted:  # it was told to leave while it was being started
                self.signal(slot, signal.SIGTERM)

    async def _listen(self, slot: Slot, process: Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            told = json.loads(line)
            async with self.changed:
                self._history.note(told.pop("op", "told"), worker=slot.name, **told)
                slot.told += 1
                if "cut" in told:
                    (slot.ready.add if told["ready"] else slot.ready.discard)(told["partition"])
                    slot.cuts[told["partition"]] = told["cut"]
                    self.cuts[told["partition"]] = max(told["cut"], self.cuts.get(told["partition"], -1))
                if "snapshot" in told:
                    in_a_row = slot.changed_again.get(told["snapshot"], 0) + 1
                    slot.changed_again[told["snapshot"]] = in_a_row if told["again"] else 0
                self.changed.notify_all()

    def _why(self, slot: Slot) -> str:
        return next((line for line in reversed(self.tail(slot).splitlines()) if "exit " in line), "")


def tally_command(settings: Path) -> Sequence[str]:
    """Return the command of a tally worker."""
    return (sys.executable, "-m", "tests.faults.worker", str(settings))


def state_of(pid: int) -> str | None:
    """Return how a process is, as Linux puts it: T for paused; None when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None
