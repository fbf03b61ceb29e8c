"""The state of one ledger partition: what was folded, how far, and its snapshot on disk."""

import asyncio
import logging
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

S = TypeVar("S")


class Held(Generic[S]):
    """What is held of a partition from one assignment to the next, or from one process to the next.

    state: what folds the partition; only one that is `Kept` has a snapshot
    folded: offset of the last record that it has folded when the partition is taken over; -1 if none
    origin: what it is a fold of
    """

    def __init__(self, keeping: Keeping, factory: Callable[[], S]) -> None:
        self._keeping = keeping
        self._factory = factory
        self._opened = False
        self._attached = False
        self._store: Store | None = None
        self._saving: asyncio.Task[None] | None = None
        self._saved_at = 0.0
        self._saved = -1
        self._worked = 0.0
        self._cost = 0.0
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

    def save_if_due(self, folded: int, *, idle: bool = False) -> None:
        """Save the state, which stands at a committed offset, if enough has happened since the last time.

        Less is enough where there is nothing else to do: most starts follow a process that had done its work.
        """
        if self._store is None or (self._saving is not None and not self._saving.done()):
            return
        work = self._keeping.work * (_IDLE_SHARE if idle else 1)
        worth_it = self._worked >= max(work, self._cost / (_IDLE_SAVING_SHARE_MAX if idle else _SAVING_SHARE_MAX))
        overdue = time.monotonic() >= self._saved_at + self._keeping.within
        if folded > self._saved and (worth_it or overdue):
            self._saving = self._save(self._store, folded)

    def lags(self, folded: int) -> bool:
        """Tell whether a save is under way of a state that is older than this one."""
        return self._saving is not None and not self._saving.done() and self._saved < folded

    def worked(self, seconds: float) -> None:
        """Note how long some records took to fold: so much a new start would have to do again."""
        self._worked += seconds

    def recovered(self) -> None:
        """Note that the state stands at the cut: what was folded for that is saved at once, for it was the dearest."""
        self._saved_at = float("-inf")

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

    def _save(self, store: Store, folded: int) -> "asyncio.Task[None]":
        self._saved, self._saved_at, self._worked = folded, time.monotonic(), 0.0
        begun = time.thread_time()
        if isinstance(self.state, Kept):  # else there is no store
            store.take(folded, self.state.changed())
        return asyncio.create_task(self._write(store, time.thread_time() - begun))

    async def _write(self, store: Store, taking: float) -> None:
        try:
            self._cost = taking + await asyncio.to_thread(_timed_write, store)
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
        if self._saving is not None:
            await self._saving

    async def _written_by(self, by: float) -> bool:
        if self._saving is not None:
            await asyncio.wait({self._saving}, timeout=max(0.0, by - time.monotonic()))
        return self._saving is None or self._saving.done()


def _timed_write(store: Store) -> float:
    """Write, and return how much processor time it took: by the clock it would be longer the busier the process is."""
    begun = time.thread_time()
    store.write()
    return time.thread_time() - begun
