"""A small world around the protocol: a ledger of a few events, a broker, and workers that die, sleep and are replaced.

`explore` walks every order of events up to the budgets of a `World` and compares what is committed with what a plain
fold says. The fold state of the model is the tuple of the offsets that were folded, so that a record that is missed,
folded twice or out of order shows in every later output.

What a worker does for itself (seek, fold, project) is done at once: nobody can see when it happens. What reaches the
broker or comes from the ledger happens in every order.

A zombie needs no event of its own: a worker that is not picked for a while is one.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from streams.engine import moves, protocol
from streams.engine.cut import Cut
from streams.engine.faults import ExitCode, Fault

TERMS = moves.Terms("ledger", 0, "1", batch_max=2)
LOST = moves.Failed(Fault(ExitCode.PRODUCER, "the reply was lost"))
FENCED = moves.Failed(Fault(ExitCode.PRODUCER, "fenced"))

Machine = Any
"""State of the protocol under test; the plain one is `moves.State`, planted bugs may keep more."""
StepFunction = Callable[[Machine, moves.Event], tuple[Machine, tuple[moves.Command, ...]]]
Folded = tuple[int, ...]
Output = tuple[int, Folded]


class Worker(NamedTuple):
    """One process: its protocol, the commands it has yet to perform, its projection and its producer."""

    machine: Machine
    commands: tuple[moves.Command, ...]
    epoch: int = -1
    position: int = -1
    waiting: tuple[int, ...] = ()
    folded: Folded = ()
    outputs: tuple[Output, ...] = ()
    staged: tuple[Output, ...] = ()
    staged_cut: int | None = None


class Door(NamedTuple):
    """Somebody who sets the poison aside: the epoch of the fence that was raised, and the cut once it is read."""

    epoch: int
    cut: int | None = None


class World(NamedTuple):
    """The broker, the workers, and how often a worker may still start, and something may still go wrong.

    poison: to project this one may kill the worker, and a door may set it aside, as often as `doors` says
    aside: it is set aside
    """

    events: int = 3
    epoch: int = 0
    outputs: tuple[Output, ...] = ()
    row: Folded = ()
    cut: int = -1
    workers: tuple[Worker | None, ...] = (None, None)
    assigns: int = 3
    faults: int = 2
    poison: int | None = None
    aside: bool = False
    door: Door | None = None
    doors: int = 0

    @property
    def asides(self) -> frozenset[int]:
        """What is set aside."""
        return frozenset(() if self.poison is None or not self.aside else (self.poison,))


@dataclass(frozen=True)
class Rules:
    """What the world does; the flags plant a bug outside the step function."""

    step: StepFunction = protocol.step
    first: Machine = field(default_factory=lambda: moves.State(TERMS))
    fences: bool = True
    transactional: bool = True
    door_fences: bool = True
    door_reads_the_cut: bool = True


@dataclass(frozen=True)
class Found:
    """Outcome: how many states were visited, what happened at least once, and the way to the first wrong state.

    left: every distinct thing that the broker can be left with when nobody works any more.
    """

    states: int
    seen: frozenset[str]
    wrong: tuple[str, ...] | None
    left: frozenset[World] = frozenset()


def explore(world: World, rules: Rules) -> Found:
    """Visit every reachable state once, breadth first, until one is wrong."""
    parents: dict[World, tuple[World, str] | None] = {world: None}
    queue = deque([world])
    seen: set[str] = set()
    left: set[World] = set()
    while queue:
        here = queue.popleft()
        left.add(here._replace(workers=(None,), assigns=1, faults=0, epoch=0, door=None, doors=0))
        if not is_exact(here):
            return Found(len(parents), frozenset(seen), way_to(here, parents))
        for name, there in successors(here, rules):
            seen.add(name.partition(" ")[2] or name)
            if there not in parents:
                parents[there] = (here, name)
                queue.append(there)
    return Found(len(parents), frozenset(seen), None, frozenset(left))


def is_exact(world: World) -> bool:
    """Tell whether what is committed is what a plain fold of the ledger up to the cut says."""
    prefix = tuple(range(world.cut + 1))
    fold = tuple(n for n in prefix if n not in world.asides)
    return world.outputs == tuple((n, tuple(m for m in fold if m <= n)) for n in prefix) and world.row == fold


def way_to(world: World, parents: dict[World, tuple[World, str] | None]) -> tuple[str, ...]:
    """Return the names of what happened up to a state."""
    names: list[str] = []
    while (parent := parents[world]) is not None:
        world, name = parent
        names.append(name)
    return tuple(reversed(names))


def successors(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    """Give everything that can happen next."""
    if world.assigns and None in world.workers:
        free = world.workers.index(None)
        fresh = fed(Worker(rules.first, ()), moves.Assigned(), rules)
        yield f"{free} assigned", with_worker(world, free, fresh)._replace(assigns=world.assigns - 1)
    yield from sets_aside(world, rules)
    for i, worker in enumerate(world.workers):
        if worker is None:
            continue
        if world.faults:
            yield f"{i} crashed", hurt(with_worker(world, i, None))
            yield f"{i} revoked", hurt(with_worker(world, i, fed(worker, moves.Revoked(), rules)))
            if worker.staged and worker.epoch == world.epoch:
                yield f"{i} expired", hurt(world._replace(epoch=world.epoch + 1))
        yield from fetches(world, i, worker, rules)
        if worker.commands:
            yield from performs(world, i, worker, rules)


def sets_aside(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    """Give the next step of somebody who sets the poison aside: raise the fence, read the cut, commit or be refused."""
    match world.door:
        case None:
            if world.poison is not None and world.doors and not world.aside:
                epoch = world.epoch + 1 if rules.door_fences else world.epoch
                yield "door fenced", world._replace(epoch=epoch, door=Door(epoch), doors=world.doors - 1)
        case Door(epoch, None):
            if world.poison is not None and world.cut >= world.poison and rules.door_reads_the_cut:
                yield "door came too late", world._replace(door=None)
            else:
                yield "door read the cut", world._replace(door=Door(epoch, world.cut))
        case Door(epoch, _):
            if epoch == world.epoch or not rules.door_fences:
                yield "door set aside", world._replace(door=None, aside=True)
            else:
                yield "door refused", world._replace(door=None)


def hurt(world: World) -> World:
    """Take one off what may still go wrong."""
    return world._replace(faults=world.faults - 1)


def fetches(world: World, i: int, worker: Worker, rules: Rules) -> Iterator[tuple[str, World]]:
    """Give what the ledger may deliver: one record or two, or (a fault) one that is not the next."""
    at = worker.position
    if at < 0 or len(worker.waiting) > 1:
        return
    for offsets in ((at,), (at, at + 1)):
        if offsets[-1] < world.events:
            yield f"{i} fetched {len(offsets)}", with_worker(world, i, received(worker, offsets, rules))
    if world.faults and at + 1 < world.events:
        yield f"{i} fetched past a hole", hurt(with_worker(world, i, received(worker, (at + 1,), rules)))


def received(worker: Worker, offsets: tuple[int, ...], rules: Rules) -> Worker | None:
    """Take records in."""
    worker = worker._replace(position=offsets[-1] + 1, waiting=worker.waiting + offsets)
    return fed(worker, moves.Arrived(offsets), rules)


def fed(worker: Worker, event: moves.Event, rules: Rules) -> Worker | None:
    """Step the worker's protocol, and do at once what it does for itself; None if it exits or is released."""
    machine, commands = rules.step(worker.machine, event)
    worker = worker._replace(machine=machine)
    for command in commands:
        match command:
            case moves.Exit() | moves.Release():
                return None
            case moves.Seek(offset):
                worker = worker._replace(position=offset)
            case moves.Renew():
                worker = worker._replace(folded=())
            case moves.Ready():
                pass
            case moves.Fold(first, last, aside):
                return fed(folding(worker, last - first + 1, aside, silent=True), moves.Folded(), rules)
            case moves.Project(first, last, aside):
                return fed(folding(worker, last - first + 1, aside, silent=False), moves.Projected(), rules)
            case _:
                worker = worker._replace(commands=(*worker.commands, command))
    return worker


def performs(world: World, i: int, worker: Worker, rules: Rules) -> Iterator[tuple[str, World]]:
    """Give the outcomes of the worker's next command: done, done with the reply lost, done with the reply repeated."""
    command, worker = worker.commands[0], worker._replace(commands=worker.commands[1:])
    name = f"{i} {type(command).__name__.lower()}"
    after, worker, reply = perform(world, worker, command, rules)
    there = with_worker(after, i, fed(worker, reply, rules))
    if reply == FENCED:
        yield f"{name} refused", there
        return
    yield name, there
    if world.faults:
        yield f"{name} reply lost", hurt(with_worker(after, i, fed(worker, LOST, rules)))
        once = fed(worker, reply, rules)
        twice = None if once is None else fed(once, reply, rules)
        yield f"{name} reply repeated", hurt(with_worker(after, i, twice))


def perform(world: World, worker: Worker, command: moves.Command, rules: Rules) -> tuple[World, Worker, moves.Event]:
    """Do at the broker what a command says, and return the reply."""
    match command:
        case moves.Fence():
            epoch = world.epoch + 1 if rules.fences else world.epoch
            return world._replace(epoch=epoch), worker._replace(epoch=epoch), moves.Fenced()
        case moves.ReadCut():
            cut = None if world.cut < 0 else Cut("ledger", None, 0, world.cut, "1")
            return world, worker, moves.CutRead(cut, moves.LedgerBounds(0, world.events, None), world.asides)
        case moves.Send(offset):
            return send(world, worker, offset, rules)
        case moves.Commit():
            if worker.epoch != world.epoch:
                return world, worker, FENCED
            return (
                append(world, worker.staged)._replace(cut=worker.staged_cut if worker.staged_cut is not None else -1),
                worker._replace(staged=(), staged_cut=None),
                moves.Committed(),
            )
        case _:
            raise AssertionError(f"{command} never reaches the broker")


def folding(worker: Worker, count: int, aside: tuple[int, ...], *, silent: bool) -> Worker:
    """Fold the next waiting records; the outputs of each name its offset and all that was folded by then."""
    outputs, folded = worker.outputs, worker.folded
    for offset in worker.waiting[:count]:
        folded = folded if offset in aside else (*folded, offset)
        if not silent:
            outputs = (*outputs, (offset, folded))
    return worker._replace(waiting=worker.waiting[count:], folded=folded, outputs=outputs)


def send(world: World, worker: Worker, cut: int, rules: Rules) -> tuple[World, Worker, moves.Event]:
    """Stage outputs and cut in the worker's transaction; without one the outputs are out at once."""
    if worker.epoch != world.epoch:
        return world, worker, FENCED
    if rules.transactional:
        return world, worker._replace(outputs=(), staged=worker.outputs, staged_cut=cut), moves.Sent()
    return append(world, worker.outputs), worker._replace(outputs=(), staged_cut=cut), moves.Sent()


def append(world: World, outputs: tuple[Output, ...]) -> World:
    """Let readers see these outputs and the row that the last of them leaves."""
    return world._replace(outputs=world.outputs + outputs, row=outputs[-1][1] if outputs else world.row)


def with_worker(world: World, i: int, worker: Worker | None) -> World:
    """Return the world with worker i replaced."""
    workers = list(world.workers)
    workers[i] = worker
    return world._replace(workers=tuple(workers))
