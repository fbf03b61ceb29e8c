"""One trial: topics of its own, producers, a crew of workers, and what is done to them."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.cluster import Cluster
from tests.faults.crew import Broken, Crew, Slot, state_of
from tests.faults.events import Author
from tests.faults.history import History, Operation
from tests.faults.load import Producer, Source
from tests.faults.places import APPENDED, TABLES, Contents, Places

PATIENCE_S = 90.0
"""Within this long after the last fault everything must have moved on, on a busy machine too."""


@dataclass(slots=True)
class Trial:
    """What a kind of trial is given to play with; everything that is done goes into the history.

    nodes: the cluster, where it may be hurt
    before_damage: what the ledger held before a trial took something of it away
    majors: the major versions of events that the workers know in the end
    replays: the prefixes of further sets of outputs
    careless: producers of which some records have to be refused
    """

    places: Places
    seed: int
    folder: Path
    history: History
    crew: Crew
    kind: str
    nodes: Cluster | None = None
    planted: str | None = None
    before_damage: Contents | None = None
    majors: tuple[int, ...] = (1,)
    replays: list[str] = field(default_factory=list)
    careless: set[str] = field(default_factory=set)
    acknowledged: dict[int, int] = field(default_factory=dict)
    random: Random = field(init=False)
    _bursts: int = 0
    _producers: "dict[str, tuple[Producer, asyncio.Task[None]]]" = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Throw the dice for this seed."""
        self.random = Random(f"{self.kind}/{self.seed}")  # noqa: S311 -- examples, not secrets

    @property
    def cluster(self) -> Cluster:
        """The cluster; the kind of trial must ask for one."""
        assert self.nodes is not None, f"{self.kind} needs nodes of its own"
        return self.nodes

    @property
    def outputs(self) -> str:
        """The prefix of the output topics."""
        return f"{self.places.prefix}.main"

    @property
    def committed(self) -> int:
        """How many events are covered by the cuts that workers told of."""
        return sum(cut + 1 for cut in self.crew.cuts.values())

    def settings(self, outputs: str | None = None, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 -- of several types
        """Return the settings of a worker, as `tests.faults.worker` reads them."""
        outputs = outputs or self.outputs
        return {
            "name": outputs,
            "bootstrap": self.places.bootstrap,
            "ledger": self.places.ledger,
            "cuts": f"{outputs}.cuts",
            "tables": {name: f"{outputs}.{name}" for name in TABLES},
            "outputs": [f"{outputs}.{name}" for name in APPENDED],
            "partitions": self.places.partitions,
            "group": f"{outputs}.tally",
            "session_timeout": 3.0,
            "transaction_timeout": 10.0,
            "request_timeout": 20.0,
            "stall_timeout": 30.0,
            "batch_max": 100,
            "kept": self.seed % 2 == 1,
            "snapshot_work": 0.01,
            "snapshot_within": 0.5,
            "data_directory": str(self.folder / "faust"),
            "set": outputs,
            **({"planted": self.planted} if self.planted is not None else {}),
            **changes,
        }

    async def start(self, name: str, **changes: Any) -> Slot:  # noqa: ANN401 -- of several types
        """Start a tally worker and keep it going."""
        return await self.crew.start(name, self.settings(**changes))

    # the load

    def author(self, name: str, *, careless: bool = False) -> Author:
        """Return an author of this trial's events."""
        return Author(name, self.seed, self.places.partitions, careless=careless)

    def source(self, name: str, *, careless: bool = False) -> Source:
        """Return what a producer appends, unless it is told otherwise."""
        return self.author(name, careless=careless).draft

    def producer(self, name: str, source: Source | None = None) -> Producer:
        """Return a producer on the ledger, with an author of its own unless a source is given."""
        source = source or self.source(name)
        return Producer(name, self.places.bootstrap, self.places.ledger, source, self.history, self._appended)

    async def preload(self, count: int, name: str = "preload") -> None:
        """Append that many events, and return when all are acknowledged."""
        await self.producer(name).run(chunk=500, count=count)

    async def burst(self, count: int) -> None:
        """Append that many events at once, so that work is waiting just now."""
        self._bursts += 1
        await self.producer(f"burst {self._bursts}").run(chunk=count, count=count)

    def load(self, per_second: float, name: str = "load") -> None:
        """Append events at this rate until `quiet`, and others that are refused between them."""
        self.careless.add(name)
        producer = self.producer(name, self.source(name, careless=True))
        task = asyncio.create_task(producer.run(chunk=max(1, int(per_second / 20)), per_second=per_second), name=name)
        self._producers[name] = (producer, task)

    async def quiet(self) -> None:
        """Let the load end."""
        producers, self._producers = self._producers, {}
        for producer, _ in producers.values():
            producer.stopping = True
        await asyncio.wait_for(asyncio.gather(*(task for _, task in producers.values())), PATIENCE_S)

    async def aclose(self) -> None:
        """End whatever still runs."""
        for _, task in self._producers.values():
            task.cancel()
        await asyncio.gather(*(task for _, task in self._producers.values()), return_exceptions=True)
        await self.crew.close()

    # faults; each notes the instant after which it had struck

    def strike(self, fault: str, target: str, **fields: Any) -> Operation:  # noqa: ANN401 -- JSON
        """Note that a fault has struck."""
        return self.history.note("fault", **{"fault": fault, "target": target, "outputs": self.outputs, **fields})

    def heal(self, fault: str, target: str) -> None:
        """Note that whoever was hurt may go on."""
        self.history.note("heal", fault=fault, target=target)

    async def stopped(self, slot: Slot, *codes: int) -> None:
        """Wait until a worker that must not be started anew has ended, with one of these exit codes."""
        await self.until(lambda: slot.process is None, f"{slot.name} to end with {codes}")
        if slot.codes[-1] not in codes:
            raise Broken(f"expected {slot.name} to end with {codes}, got {slot.codes[-1]}\n{self.crew.tail(slot)}")

    async def kill(self, slot: Slot, **fields: Any) -> None:  # noqa: ANN401 -- JSON
        """Kill -9 a worker, whatever it does just now; it is started anew at once."""
        starts = slot.starts
        if not self.crew.signal(slot, signal.SIGKILL):
            return
        self.strike("kill -9", slot.name, **fields)
        await self.until(lambda: slot.starts > starts or not slot.wanted, f"{slot.name} to be started anew")

    async def killed(self, slot: Slot, point: str) -> None:
        """Wait until a worker that was told to has killed itself (-9) at a point of the protocol."""
        ends = len(slot.codes)
        await self.until(lambda: len(slot.codes) > ends, f"{slot.name} to die at {point}")
        if slot.codes[ends] != -signal.SIGKILL:
            raise Broken(f"expected {slot.name} to die at {point}, it ended with {slot.codes[ends]}")
        self.strike(f"kill -9 {point.partition(':')[0]}", slot.name)

    async def pause(self, slot: Slot) -> None:
        """SIGSTOP a worker, whatever it does just now; nothing if it has just ended."""
        if self.crew.signal(slot, signal.SIGSTOP):
            await self._standing(slot.pid, slot, "SIGSTOP")

    async def paused(self, slot: Slot, point: str) -> None:
        """Wait until a worker that was told to has paused itself."""
        await self._standing(slot.pid, slot, point)

    async def _standing(self, pid: int, slot: Slot, point: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while (state := state_of(pid)) not in ("T", None):  # noqa: ASYNC110 -- the kernel changes it
                await asyncio.sleep(0.02)
        if state is not None:
            self.strike("pause", slot.name, point=point)

    def wake(self, slot: Slot) -> None:
        """Let a paused worker go on, as a zombie if it has a successor."""
        if self.crew.signal(slot, signal.SIGCONT):
            self.heal("pause", slot.name)

    async def woken(self, slot: Slot) -> None:
        """Let a paused worker go on, and wait until it was refused and has left, or has committed something."""
        cuts = dict(slot.cuts)
        self.wake(slot)
        await self.until(lambda: bool(slot.codes) or slot.cuts != cuts, f"{slot.name} to be refused or to commit")

    # waiting

    async def last(self, seconds: float) -> None:
        """Let a fault last: its length is the fault itself, nothing is waited for."""
        await asyncio.sleep(seconds)

    async def until(self, holds: Callable[[], bool], what: str, within_s: float = PATIENCE_S) -> None:
        """Wait until something holds; Broken when it does not in time, or when a worker ended as none should."""
        try:
            async with asyncio.timeout(within_s), self.crew.changed:
                await self.crew.changed.wait_for(lambda: holds() or self.crew.broken is not None)
        except TimeoutError:
            tails = "\n".join(f"{slot.name}: {self.crew.tail(slot)}" for slot in self.crew.slots.values())
            cuts = self.crew.cuts
            raise Broken(
                f"expected {what} within {within_s} s; acknowledged {self.acknowledged}, cuts {cuts}\n{tails}"
            ) from None
        if self.crew.broken is not None:
            raise Broken(self.crew.broken)

    async def until_moved(self, events: int) -> None:
        """Wait until that many more events are committed."""
        wanted = self.committed + events
        await self.until(lambda: self.committed >= wanted, f"{events} more events to be committed")

    async def until_covered(self, slots: Collection[Slot] | None = None) -> None:
        """Wait until the cuts that these workers told of (all: None) cover what the ledger holds by now."""
        ends = await self.places.ends()
        wanted = {n: end - 1 for n, end in ends.items() if end}

        def covered() -> bool:
            told = [self.crew.cuts] if slots is None else [slot.cuts for slot in slots]
            return all(max(cuts.get(n, -1) for cuts in told) >= last for n, last in wanted.items())

        await self.until(covered, f"cuts to cover {wanted}")

    def _appended(self, partition: int, offset: int) -> None:
        self.acknowledged[partition] = max(offset, self.acknowledged.get(partition, -1))


Play = Callable[[Trial], Awaitable[None]]
