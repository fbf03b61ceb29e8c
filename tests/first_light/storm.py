"""Parley's own workers on a ledger that is fed meanwhile: hurt while work is waiting, and started anew."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from streams.doors.readiness import recoveries
from streams.engine import ExitCode, decode_cut
from streams.engine.config import UNNAMED
from streams.membership import membership
from streams.reading import follow
from streams.settings import Settings
from streams.topics import CUTS, EVENTS
from streams.worker import worker_group
from tests.clock.running import until
from tests.faults.crew import Broken, Crew, Slot
from tests.faults.history import History, now_ms
from tests.faults.landing import waiting_at
from tests.faults.load import Source
from tests.faults.places import Places
from tests.faults.trial import Trial
from tests.first_light.busy_ledger import Feed
from tests.first_light.running import PARTITIONS, environment

NAMES: Final = ("a", "b", "c")
_BURST: Final = 1_200
_BURSTS_MAX: Final = 10
_PAUSES_MAX: Final = 3
BUSY: Final = 50
"""So many events wait in a partition that is in the middle of a backlog."""


class Installation(Places):
    """The topics of an installation, with the names that they have."""

    @property
    def ledger(self) -> str:
        """The ledger's topic."""
        return EVENTS.name(self.prefix)


class Storm(Trial):
    """A trial of `parley worker`. Those tell nobody how far they are: it is read on the topic of their cuts."""

    def __post_init__(self) -> None:
        """Throw the dice for this seed."""
        super().__post_init__()
        self.feed = Feed(self.seed)
        self.sent: dict[int, list[tuple[int, int]]] = {n: [] for n in range(self.places.partitions)}

    def source(self, name: str, *, careless: bool = False) -> Source:  # noqa: ARG002 -- nothing here is too long
        """Return what the feed writes next."""
        return self.feed.draft

    async def worker(self, name: str, *, stop_at: str | None = None) -> Slot:
        """Start a worker with a state directory of its own, and keep it going; `stop_at` is for its first start.

        One that is UNNAMED joins anew with each start, and gives its partitions back at once when it leaves.
        """
        self._state(name).mkdir(exist_ok=True)
        to = ("--brokers", self.places.bootstrap, "--prefix", self.places.prefix)
        words = ("worker", *to, "--status-port", "0", *(() if name == UNNAMED else ("--instance", name)))
        settings = {} if stop_at is None else {"stop_at": stop_at}
        return await self.crew.start(
            name, settings, command=partial(_command, words), environment=environment(self._state(name))
        )

    async def follow_cuts(self) -> None:
        """Take in every cut as it is committed, with the time at which it was sent, until cancelled."""
        start = dict.fromkeys(range(self.places.partitions), 0)
        async with aclosing(follow(self.places.bootstrap, CUTS.name(self.places.prefix), start=start)) as lists:
            async for records in lists:
                async with self.crew.changed:
                    for record in records:
                        cut = decode_cut(record.value or b"")
                        self.sent[cut.partition].append((record.timestamp, cut.offset))
                        self.crew.cuts[cut.partition] = max(cut.offset, self.crew.cuts.get(cut.partition, -1))
                    self.crew.changed.notify_all()

    async def holders(self) -> dict[int, str]:
        """Wait until all workers have recovered and share the partitions; return by partition who has it."""
        settings = Settings(prefix=self.places.prefix)
        held: dict[int, str] = {}

        async def shared() -> bool:
            nonlocal held
            if self.crew.broken is not None:
                raise Broken(self.crew.broken)
            wanted = {slot.name for slot in self.crew.slots.values() if slot.wanted}
            found = await membership(self.places.bootstrap, worker_group(settings), self.places.ledger)
            held = {partition: one.name for one in found.members for partition in one.partitions}
            if found.rebalancing or len(held) < self.places.partitions:
                return False
            told = await asyncio.gather(*(recoveries(self._state(name) / "worker") for name in wanted))
            ready = {name for each in told for name, one in each.items() if one.ready}
            return ready == wanted == {one.name for one in found.members}  # of three workers one may have nothing

        await until(shared)
        return held

    async def in_a_backlog(self, who: Slot | None = None) -> Slot:
        """Append much at once, and return a worker that is in the middle of it, or this one once it is."""
        held = await self.holders()
        for _ in range(_BURSTS_MAX):
            before = dict(self.crew.cuts)
            await self.burst(_BURST)
            await self.until_moved(self.random.randint(1, _BURST // 4))
            inside = {n for n, cut in self.crew.cuts.items() if before.get(n, -1) < cut <= self.acknowledged[n] - BUSY}
            if chosen := sorted({held[n] for n in inside if who is None or held[n] == who.name}):
                return self.crew.slots[self.random.choice(chosen)]
        raise Broken(f"expected a worker to be in the middle of one of {_BURSTS_MAX} bursts of {_BURST} events")

    def waiting_at(self, at_ms: int) -> dict[int, int]:
        """Return how much was waiting in each partition at an instant; idle ones are left out."""
        return waiting_at(at_ms, self.history.operations, self.sent)

    async def leaves(self, slot: Slot) -> None:
        """Ask a worker to leave (SIGTERM); it has to do so with 0."""
        if (code := await self.crew.leave(slot)) != 0:
            raise Broken(f"expected {slot.name} to leave with 0, got {code}\n{self.crew.tail(slot)}")

    def _state(self, name: str) -> Path:
        return self.folder / f"state-{name}"


def _command(words: Sequence[str], settings: Path) -> Sequence[str]:
    stop_at = json.loads(settings.read_text()).get("stop_at")
    more = () if stop_at is None else ("--stop-at", stop_at)
    return (sys.executable, "-m", "streams.doors.starting", *words, *more)


@asynccontextmanager
async def storm(bootstrap: str, prefix: str, seed: int, folder: Path) -> AsyncIterator[Storm]:
    """Give a trial on topics that are there already; its processes are gone afterwards, also when the test failed."""
    places = Installation(bootstrap, prefix, PARTITIONS)
    with History(folder / "history.jsonl") as history:
        trial = Storm(places, seed, folder, history, Crew(history, folder), "storm")
        async with aclosing(trial), asyncio.TaskGroup() as beside:
            following = beside.create_task(trial.follow_cuts())
            yield trial
            following.cancel()


# what is done to them; each strikes while work is waiting


async def kill(trial: Storm) -> None:
    """Kill -9 a worker; it is started anew at once."""
    await trial.kill(await trial.in_a_backlog())


async def kill_two(trial: Storm) -> None:
    """Kill -9 a worker, and another one while the first has hardly begun to start."""
    first = await trial.in_a_backlog()
    second = trial.random.choice([name for name in NAMES if name != first.name])
    await trial.kill(first)
    await trial.kill(trial.crew.slots[second])


async def die_inside_a_transaction(trial: Storm) -> None:
    """Have a fourth worker join, which kills itself (-9) when a batch is sent and not committed; nobody starts it anew.

    It is a fourth one since of three any may be left without a partition, and then it never comes by there.
    """
    point = "after_send_before_commit"
    await trial.in_a_backlog()
    doomed = await trial.worker(UNNAMED, stop_at=f"{point}:{trial.random.randint(1, 2)}")
    doomed.wanted = False
    await trial.killed(doomed, point)


async def stand_still(trial: Storm) -> None:
    """Pause a worker until others have done what it had in hand, and wake it up: it is refused, and leaves with 75."""
    slot = await _paused(trial)
    ends = len(slot.codes)
    trial.wake(slot)
    await trial.until(lambda: len(slot.codes) > ends, f"{slot.name} to be refused")
    if slot.codes[ends] != ExitCode.PRODUCER:
        raise Broken(f"expected {slot.name} to leave with 75, got {slot.codes[ends]}\n{trial.crew.tail(slot)}")


async def _paused(trial: Storm) -> Slot:
    """Pause a worker with work in hand until others have done it."""
    for _ in range(_PAUSES_MAX):
        await trial.until_covered()  # so all workers are at work, not on their way to it
        held = await trial.holders()
        slot = await trial.in_a_backlog()
        await trial.pause(slot)
        at_ms = now_ms()
        await trial.until_covered()
        if any(held[n] == slot.name and count >= BUSY for n, count in trial.waiting_at(at_ms).items()):
            return slot
        trial.wake(slot)  # it had just done everything: such a pause does not count
    raise Broken(f"expected one of {_PAUSES_MAX} pauses to strike a worker with work in hand")


async def restart(trial: Storm) -> None:
    """Ask a worker to leave (SIGTERM), and start it anew."""
    slot = await trial.in_a_backlog()
    trial.strike("SIGTERM", slot.name)
    await trial.leaves(slot)
    await trial.worker(slot.name)


async def join_and_leave(trial: Storm) -> None:
    """Have a fourth worker join, and leave when it has something to do."""
    await trial.in_a_backlog()
    trial.strike("joins", UNNAMED)
    guest = await trial.in_a_backlog(await trial.worker(UNNAMED))
    trial.strike("leaves", UNNAMED)
    await trial.leaves(guest)


THROWS: Final = (kill, kill_two, die_inside_a_transaction, stand_still, restart, join_and_leave)
