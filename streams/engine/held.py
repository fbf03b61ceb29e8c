"""The state of one ledger partition: what was folded, how far, and its snapshot on disk."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from streams.engine.config import Keeping
from streams.engine.faults import ExitCode, Fault
from streams.engine.halt import halt
from streams.engine.moves import Origin
from streams.engine.projection import Kept
from streams.engine.snapshots import DamagedSnapshotError, Store

log = logging.getLogger(__name__)

_SAVING_SHARE_MAX: Final = 0.5
_IDLE_SHARE: Final = 0.1
_IDLE_SAVING_SHARE_MAX: Final = 1.0
_AHEAD: Final = 0.8
_OUT_OF_TURN: Final = 1.5
_DRAWN_FOR_S: Final = 0.002
_RESTS: Final = 4
_RESTS_MAX_S: Final = 1.0
FEW: Final = 50
"""So many records, waiting or folded at once, are no backlog: they are folded as they come."""

S = TypeVar("S")


class Turns:
    """Lets one partition of a process after the other save beside the records that come in."""

    def __init__(self) -> None:
        self._last: asyncio.Task[None] | None = None

    @property
    def free(self) -> bool:
        """Whether the save that began last is done."""
        return self._last is None or self._last.done()

    def take(self, saving: "asyncio.Task[None]") -> None:
        """Let others wait for this save."""
        self._last = saving


class Held(Generic[S]):
    """What is held of a partition from one assignment to the next, or from one process to the next.

    state: what folds the partition; only one that is `Kept` has a snapshot
    folded: offset of the last record that it has folded when the partition is taken over; -1 if none
    origin: what it is a fold of
    """

    def __init__(self, keeping: Keeping, factory: Callable[[], S], turns: Turns | None = None) -> None:
        self._keeping = keeping
        self._factory = factory
        self._turns = turns or Turns()
        self._opened = False
        self._attached = False
        self._store: Store | None = None
        self._saving: asyncio.Task[None] | None = None
        self._saved_at = 0.0
        self._saved = -1
        self._worked = 0.0
        self._cost = 0.0
        self._drawing = 0.0
        self._hurry = threading.Event()
        self._recovered = False
        self.state = factory()
        self.folded = -1
        self.origin: Origin | None = None

    @property
    def damaged(self) -> bool:
        """Whether a value of the snapshot was found to be damaged: what rests on it may not be committed."""
        return self._store is not None and self._store.damaged

    async def open(self) -> None:
        """Look for a snapshot, once."""
        if self._opened or not isinstance(self.state, Kept):
            return
        self._opened = True
        try:
            self._store = await asyncio.to_thread(Store, self._keeping.path, self.state.layout)
        except OSError as error:
            log.warning("no snapshot is kept: %s. A new start folds from the ledger.", error)
            return
        self.folded, self.origin = self._store.folded, self._store.origin

    async def renew(self) -> None:
        """Throw state and snapshot away, and begin with nothing."""
        log.warning(
            "the state up to offset %d, of %s, does not fit the ledger: thrown away, folding from its beginning",
            self.folded,
            self.origin,
        )
        await self._written()
        self.state = self._factory()
        self.folded, self._attached = -1, False
        self._worked = self._cost = self._drawing = 0.0
        self._recovered = False
        if self._store is not None:
            try:
                await asyncio.to_thread(self._store.discard)
            except OSError as error:
                log.warning("no snapshot is kept: %s. A new start folds from the ledger.", error)
                self._store = None

    def begin(self, origin: Origin) -> None:
        """Let the state begin with what the snapshot holds, to be a fold of `origin`."""
        self.origin = origin
        if self._store is not None and isinstance(self.state, Kept) and not self._attached:
            self._attached = True
            self._saved, self._saved_at = self._store.folded, time.monotonic()
            self._store.origin = origin
            self.state.attach(self._store)

    def save_if_due(self, folded: int, *, idle: bool = False, live: bool = False) -> None:
        """Save the state, which stands at a committed offset, if enough has happened since the last time.

        Less is enough where there is nothing else to do: most starts follow a process that had done its work. Where
        records are folded as they come (`live`) saving makes room for them; elsewhere the sooner it is done the better.
        """
        if self._store is None:
            return
        gently = live and not self._recovered
        if self._is_saving:
            if not gently:
                self._hurry.set()
            return
        in_turn = not gently or self._turns.free or self._is_due(_OUT_OF_TURN, idle=False)
        if folded > self._saved and in_turn and self._is_due(1.0, idle=idle):
            self._saving = self._save(self._store, folded, gently=gently)
            self._recovered = False
            if gently:
                self._turns.take(self._saving)
        elif live and self._is_due(_AHEAD, idle=False):
            self._draw()

    def lags(self, folded: int) -> bool:
        """Tell whether a save is under way of a state that is older than this one."""
        return self._is_saving and self._saved < folded

    def worked(self, seconds: float) -> None:
        """Note how long some records took to fold: so much a new start would have to do again."""
        self._worked += seconds

    def recovered(self) -> None:
        """Note that the state stands at the cut: what was folded for that is saved at once, for it was the dearest."""
        self._saved_at = float("-inf")
        self._recovered = True
        self._hurry.set()

    async def save(self, folded: int) -> None:
        """Save the state, which stands at a committed offset, if anything has happened since the last time."""
        by = time.monotonic() + self._keeping.patience
        if await self._written_by(by) and self._store is not None and folded > self._store.folded:
            self._saving = self._save(self._store, folded)
            await self._written_by(by)  # else it goes on alone

    async def close(self) -> None:
        """Let go of the file, for another assignment; one that is still being written is left alone."""
        if not await self._written_by(time.monotonic() + self._keeping.patience):
            log.warning("the snapshot is still being written after %g s: it is left alone", self._keeping.patience)
        elif self._store is not None:
            await asyncio.to_thread(self._store.close)

    def discard(self) -> str:
        """Throw the snapshot away, for the next process; return a sentence that says so, or what to do instead."""
        try:
            if self._store is not None:
                self._store.discard()
        except OSError as error:  # what has damaged it may have made the disk take nothing more
            return f"The snapshot cannot be thrown away ({error}): delete {self._keeping.path}."
        return "The snapshot is thrown away."

    @property
    def _is_saving(self) -> bool:
        return self._saving is not None and not self._saving.done()

    def _is_due(self, share: float, *, idle: bool) -> bool:
        """Tell whether a save is due, or this share of the way to it has gone by."""
        work = self._keeping.work * (_IDLE_SHARE if idle else 1)
        needed = max(work, self._cost / (_IDLE_SAVING_SHARE_MAX if idle else _SAVING_SHARE_MAX))
        return self._worked >= share * needed or time.monotonic() >= self._saved_at + share * self._keeping.within

    def _draw(self) -> None:
        if isinstance(self.state, Kept):
            begun, until = time.thread_time(), time.perf_counter() + _DRAWN_FOR_S
            for _ in self.state.draw():
                if time.perf_counter() >= until:
                    break
            self._drawing += time.thread_time() - begun

    def _save(self, store: Store, folded: int, *, gently: bool = False) -> "asyncio.Task[None]":
        self._saved, self._saved_at, self._worked = folded, time.monotonic(), 0.0
        begun = time.thread_time()
        if isinstance(self.state, Kept):  # else there is no store
            store.take(folded, self.state.changed())
        taking, self._drawing = self._drawing + time.thread_time() - begun, 0.0
        self._hurry = threading.Event()
        return asyncio.create_task(self._write(store, taking, self._hurry if gently else None))

    async def _write(self, store: Store, taking: float, hurry: threading.Event | None) -> None:
        try:
            self._cost = taking + await asyncio.to_thread(_timed_write, store, hurry)
        except OSError as error:
            log.warning("the snapshot was not written, it is tried again later: %s", error)
        except DamagedSnapshotError as error:
            halt(Fault(ExitCode.SNAPSHOT, f"{error}. {self.discard()} Start again: it is folded anew."))
        except Exception:
            log.exception("the snapshot cannot be written")
            halt(
                Fault(
                    ExitCode.SNAPSHOT, f"{store.path} cannot be written; the reason is above. Start the worker again."
                )
            )

    async def _written(self) -> None:
        self._hurry.set()
        if self._saving is not None:
            await self._saving

    async def _written_by(self, by: float) -> bool:
        self._hurry.set()
        if self._saving is not None:
            await asyncio.wait({self._saving}, timeout=max(0.0, by - time.monotonic()))
        return self._saving is None or self._saving.done()


def _timed_write(store: Store, hurry: threading.Event | None) -> float:
    """Write, and return how much processor time it took: by the clock it would be longer the busier the process is.

    With rests, until there is a hurry.
    """
    begun = time.thread_time()
    store.write(None if hurry is None else _rests(hurry))
    return time.thread_time() - begun


def _rests(hurry: threading.Event) -> Callable[[], None]:
    """Return what makes a thread rest for several times as long as it has worked, for a second in all, if no hurry."""
    worked, left = time.thread_time(), _RESTS_MAX_S

    def rest() -> None:
        nonlocal worked, left
        pause = min(left, _RESTS * (time.thread_time() - worked))
        if pause > 0.0:
            hurry.wait(pause)
        worked, left = time.thread_time(), left - pause

    return rest
