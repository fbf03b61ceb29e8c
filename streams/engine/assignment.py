"""All ledger partitions that this worker holds, from one rebalance to the next."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import asdict
from functools import partial

from faust.types import AppT

from streams.engine.config import EngineConfig
from streams.engine.faults import ExitCode, Fault
from streams.engine.halt import halt
from streams.engine.held import Held, Turns
from streams.engine.partition import LedgerPartition
from streams.engine.progress import Progress
from streams.engine.projection import Projection, Record
from streams.engine.topic_ids import SharedQuestion
from streams.engine.waiting import Fetches
from streams.engine.watchdog import Watchdog

log = logging.getLogger(__name__)


class Assignment:
    """Takes partitions over side by side, hands them their records, and releases them.

    A partition belongs to one generation of the group: with each rebalance all are released and taken over again. Their
    projections are held meanwhile, since the state is a function of the ledger whoever owns it.
    """

    def __init__(
        self,
        app: AppT,
        config: EngineConfig,
        factory: Callable[[int], Projection],
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._app = app
        self._config = config
        self._factory = factory
        self._on_progress = on_progress
        self._ledger_ids: defaultdict[int | None, SharedQuestion] = defaultdict(SharedQuestion)
        self._turns = Turns()
        self._generation = -1
        self._partitions: dict[int, LedgerPartition] = {}
        self._held: dict[int, Held[Projection]] = {}
        self._releasing: asyncio.Task[None] | None = None
        self._expecting: asyncio.Task[None] | None = None
        self._leaves = False
        self._has_them = False
        self._fetched: dict[int, Fetches] = {}
        self._served_by: dict[int, int | None] = {}
        self._room = asyncio.Event()
        self._fetches = 0
        self._watchdog = Watchdog(config.stall_timeout, self._pulse)

    def expect(self) -> None:
        """Halt unless the group gives this worker a place in time, with partitions or without."""
        if self._expecting is None and not self._leaves:
            self._expecting = asyncio.create_task(self._expect())

    async def _expect(self) -> None:
        await asyncio.sleep(self._config.request_timeout)
        halt(
            Fault(
                ExitCode.PRODUCER,
                f"expected a place in the group within {self._config.request_timeout} s; the log says what the broker "
                "answered, if it did. Start the worker again.",
            )
        )

    def _expect_no_more(self) -> None:
        expecting, self._expecting = self._expecting, None
        if expecting is not None:
            expecting.cancel()

    async def take_over(self, generation: int, partitions: Collection[int]) -> Mapping[int, int]:
        """Fence, read cuts, and return the offset from which each partition is to flow."""
        await self.release()
        self._generation = generation
        self._expect_no_more()
        await asyncio.gather(*(self._held.pop(n).close() for n in self._held.keys() - partitions))
        if generation != self._generation:
            return {}
        self._partitions = {
            n: LedgerPartition(
                self._app,
                self._config,
                n,
                self._held.pop(n)
                if n in self._held
                else Held(self._config.keeping(n), partial(self._factory, n), self._turns),
                served_by=partial(self._served_by.get, n),
                ledger_ids=self._ledger_ids,
                on_progress=self._progressed,
            )
            for n in sorted(partitions)
        }
        self._has_them = True
        try:
            async with asyncio.timeout(self._config.request_timeout):
                starts = await asyncio.gather(*(p.start_offset() for p in self._partitions.values()))
        except TimeoutError:
            halt(
                Fault(
                    ExitCode.PRODUCER,
                    f"expected to take over partitions {sorted(partitions)} within {self._config.request_timeout} s; "
                    "is the broker up, and do the topics exist? Start the worker again.",
                )
            )
        if generation != self._generation:
            return {}
        return {n: start for n, start in zip(self._partitions, starts, strict=True) if start is not None}

    def flow(self, generation: int, starts: Mapping[int, int]) -> None:
        """Let the partitions of this generation be fetched: their positions are set."""
        if generation == self._generation:
            self._watchdog.start()
            self._fetched = {n: Fetches(start) for n, start in starts.items()}
            self._room.set()

    def with_room(self, generation: int) -> set[int]:
        """Return the partitions that may be fetched now."""
        self._fetches += 1
        if generation != self._generation:
            return set()
        return {n for n, fetched in self._fetched.items() if self._has_room(n, fetched)}

    def _has_room(self, partition: int, fetched: Fetches) -> bool:
        records, size = fetched.waiting(self._partitions[partition].progress.folded)
        return records < self._config.waiting_max and size < self._config.waiting_bytes_max

    async def wait_for_room(self, at_most: float) -> None:
        """Wait until a partition that had no room may have some, or for `at_most` seconds."""
        self._room.clear()
        try:
            async with asyncio.timeout(at_most):
                await self._room.wait()
        except TimeoutError:
            return

    def fetched(self, partition: int, offset: int, size: int, served_by: int | None) -> None:
        """Note that records up to `offset` are on their way to the partition: so many bytes, from which node."""
        if partition in self._fetched:  # else it is released
            self._fetched[partition].add(offset, size)
            self._served_by[partition] = served_by

    def arrive(self, generation: int, partition: int, records: Sequence[Record]) -> None:
        """Hand records to their partition; those fetched for an earlier generation are dropped."""
        if generation == self._generation and partition in self._partitions:
            self._partitions[partition].arrive(records)

    async def release(self) -> None:
        """Finish the batches in flight and release all partitions; their projections are held.

        Whoever asks while that is under way waits for it: a shutdown may come in the middle of a rebalance.
        """
        self._generation, self._has_them = -1, False
        self._fetched = {}
        self.expect()
        partitions, self._partitions = self._partitions, {}
        if partitions:
            self._releasing = asyncio.create_task(self._release(partitions))
        if self._releasing is not None:
            await asyncio.shield(self._releasing)

    async def _release(self, partitions: Mapping[int, LedgerPartition]) -> None:
        try:
            async with asyncio.timeout(self._config.transaction_timeout):
                held = await asyncio.gather(*(p.leave() for p in partitions.values()))
        except TimeoutError:
            halt(
                Fault(
                    ExitCode.PRODUCER,
                    f"the batch in flight did not finish within {self._config.transaction_timeout} s of a rebalance or "
                    "shutdown. Nothing is lost: start the worker again.",
                )
            )
        self._held.update(zip(partitions, held, strict=True))
        log.info("released partitions %s", sorted(partitions))

    async def leave(self) -> None:
        """Release all partitions for good: what was held is let go."""
        self._leaves = True
        self._expect_no_more()
        await self.release()
        held, self._held = self._held, {}
        await asyncio.gather(*(one.close() for one in held.values()))

    def status(self) -> tuple[bool, list[dict[str, int | bool]]]:
        """Whether all partitions of this worker have reached their cut, and how far each one is."""
        progress = [partition.progress for partition in self._partitions.values()]
        return self._has_them and all(p.ready for p in progress), [asdict(p) for p in progress]

    def _pulse(self) -> dict[str, Hashable]:
        pulse: dict[str, Hashable] = {}
        fetched = dict(self._fetched)
        for n, partition in list(self._partitions.items()):
            if partition.pulse is not None:
                pulse[f"{self._config.ledger}/{n}"] = partition.pulse
            if n in fetched and fetched[n].last > partition.arrived:  # a batch that the frame holds, or has lost
                pulse[f"what was fetched of {self._config.ledger}/{n}"] = partition.arrived
        if fetched:
            pulse["the consumer"] = self._fetches
        return pulse

    def _progressed(self, progress: Progress) -> None:
        self._room.set()
        self._on_progress(progress)
