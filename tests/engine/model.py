"""A small world around the protocol: a ledger of a few events, a broker, and workers that die, sleep and are replaced.

`explore` walks every order of events up to the budgets of a `World` and compares what is committed with what a plain
fold says.

What a worker does for itself (seek, fold, project) is done at once: nobody can see when it happens. What reaches the
broker or the disk, or comes from the ledger, happens in every order. With `Rules.folds_slowly` folds and projections
take their time too: records arrive in the middle of them, partitions are taken away, successors come.

A zombie needs no event of its own: a worker that is not picked for a while is one.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

from streams.engine import moves
from streams.engine.cut import Cut, Span
from streams.engine.faults import ExitCode, Fault
from streams.engine.torn import Settled
from tests.engine.world import DAMAGED, FOREIGN, OURS, STRANGE, Door, Kept, Rules, Worker, World, is_exact

T = TypeVar("T")
LOST = moves.Failed(Fault(ExitCode.PRODUCER, "the reply was lost"))
FENCED = moves.Failed(Fault(ExitCode.PRODUCER, "fenced"))


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
        for disk in set(here.disks):
            nobody = here._replace(workers=(None,), memories=(None,), disks=(disk,), epoch=0, door=None)
            left.add(nobody._replace(assigns=2, faults=0, doors=0, tears=0))
        if not is_exact(here):
            return Found(len(parents), frozenset(seen), way_to(here, parents))
        for name, there in successors(here, rules):
            seen.add(name.partition(" ")[2] or name)
            if there not in parents:
                parents[there] = (here, name)
                queue.append(there)
    return Found(len(parents), frozenset(seen), None, frozenset(left))


def way_to(world: World, parents: dict[World, tuple[World, str] | None]) -> tuple[str, ...]:
    """Return the names of what happened up to a state."""
    names: list[str] = []
    while (parent := parents[world]) is not None:
        world, name = parent
        names.append(name)
    return tuple(reversed(names))


def successors(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    """Give everything that can happen next."""
    yield from assigned(world, rules)
    yield from sets_aside(world, rules)
    for i, worker in enumerate(world.workers):
        if worker is None:
            yield from damages(world, i)
        else:
            yield from goes_on(world, i, worker, rules)


def goes_on(world: World, i: int, worker: Worker, rules: Rules) -> Iterator[tuple[str, World]]:
    """Give what can happen next to a worker."""
    if worker.saving is not None:
        yield f"{i} saved", saved(world, i, worker)
    if world.faults:
        yield f"{i} crashed", hurt(with_worker(world, i, None))
    if worker.released:
        return
    if world.faults:
        yield f"{i} revoked", hurt(with_worker(world, i, fed(worker, moves.Revoked(), rules)))
        if worker.staged and worker.epoch == world.epoch:
            yield f"{i} expired", hurt(world._replace(epoch=world.epoch + 1))
    yield from tears(world, i, worker)
    yield from fetches(world, i, worker, rules)
    if worker.commands:
        yield from performs(world, i, worker, rules)


def assigned(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    """Give the ways in which a worker may begin: with what is in its memory or on its disk, or with nothing."""
    free = [i for i, worker in enumerate(world.workers) if worker is None]
    for i in free if rules.keeps else free[:1]:
        begun = world._replace(assigns=world.assigns - 1)
        if not world.assigns:
            return
        if world.memories[i] is not None:
            yield f"{i} assigned again", with_worker(begun, i, beginning(world.memories[i], rules))
        disk = world.disks[i]
        if disk is not None and not disk.sound and rules.opens_only_what_is_sound:
            yield f"{i} threw a snapshot away", world._replace(disks=replaced(world.disks, i, None))
        else:
            name = f"{i} assigned" if disk is None else f"{i} assigned with a snapshot"
            yield name, with_worker(forgetful(begun, i), i, beginning(disk, rules))


def beginning(kept: Kept | None, rules: Rules) -> Worker | None:
    """Return a worker that begins with what was kept."""
    if kept is None:
        return fed(Worker(rules.first, ()), moves.Assigned(), rules)
    return fed(
        Worker(rules.first, (), folded=kept.folded, remembers=kept), moves.Assigned(kept.offset, kept.origin), rules
    )


def saved(world: World, i: int, worker: Worker) -> World:
    """Let what a worker is writing be on its disk."""
    world = world._replace(disks=replaced(world.disks, i, worker.saving))
    return with_worker(world, i, worker._replace(saving=None))


def forgetful(world: World, i: int) -> World:
    """Return the world in which a process has no memory of what it had."""
    return world._replace(memories=replaced(world.memories, i, None))


def damages(world: World, i: int) -> Iterator[tuple[str, World]]:
    """Give what may happen to the disk of a worker that is gone."""
    if not world.accidents:
        return
    ahead = tuple(range(world.cut + 2))
    found: dict[str, Kept] = {
        "foreign snapshot": Kept((STRANGE,), 0, FOREIGN),
        "snapshot ahead": Kept(ahead, ahead[-1]),
    }
    if (disk := world.disks[i]) is not None:
        found["snapshot damaged"] = disk._replace(folded=(DAMAGED,), sound=False)
        found["snapshot damaged inside"] = disk._replace(folded=(*disk.folded[:-1], DAMAGED))
    for name, kept in found.items():
        yield f"{i} {name}", world._replace(disks=replaced(world.disks, i, kept), accidents=world.accidents - 1)


def replaced(values: tuple[T, ...], i: int, value: T) -> tuple[T, ...]:
    """Return the values with one replaced."""
    return (*values[:i], value, *values[i + 1 :])


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


def tears(world: World, i: int, worker: Worker) -> Iterator[tuple[str, World]]:
    """Give what the cluster may commit of an open transaction without the rest of it."""
    if not world.tears or worker.staged_cut is None or worker.epoch != world.epoch:
        return
    for parts in product((False, True), repeat=3):
        if any(parts) and not all(parts):
            outputs, row, cut = parts
            there = world._replace(
                outputs=world.outputs + (worker.staged if outputs else ()),
                row=worker.staged_row if row and worker.staged_row is not None else world.row,
                tears=world.tears - 1,
                epoch=world.epoch + 1,
                torn=False,
            )
            if cut:
                there = there._replace(
                    cut=worker.staged_cut, previous=worker.base, rows_found=int(row), rows_expected=1
                )
            elif row:
                there = there._replace(rows_found=2)  # as good as any more
            there = there._replace(torn=not is_exact(there))  # what a second one lacks may be there from the first
            named = "+".join(name for name, is_there in zip(("outputs", "row", "cut"), parts, strict=True) if is_there)
            yield f"{i} torn: {named}", there


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
    """Step the worker's protocol, and do at once what it does for itself; None if it exits."""
    machine, commands = rules.step(worker.machine, event)
    worker = worker._replace(machine=machine)
    for command in commands:
        match command:
            case moves.Exit():
                return None
            case moves.Release():
                worker = worker._replace(released=True, commands=(), position=-1, waiting=())
            case moves.Seek(offset):
                worker = worker._replace(position=offset)
            case moves.Renew():
                worker = worker._replace(folded=(), discards=True, remembers=None)
            case moves.Ready():
                pass
            case moves.Save(offset, last):
                if rules.keeps and offset >= 0:
                    kept = Kept(worker.folded, offset)
                    worker = worker._replace(saving=kept if last else worker.saving or kept)
                    worker = worker._replace(remembers=kept if last else None)
            case moves.Fold() | moves.Project() if not rules.folds_slowly:
                return folding(worker, command, rules)
            case _:
                worker = worker._replace(commands=(*worker.commands, command))
    return worker


def performs(world: World, i: int, worker: Worker, rules: Rules) -> Iterator[tuple[str, World]]:
    """Give the outcomes of the worker's next command: done, done with the reply lost, done with the reply repeated."""
    command, worker = worker.commands[0], worker._replace(commands=worker.commands[1:])
    name = f"{i} {type(command).__name__.lower()}"
    if isinstance(command, moves.Fold | moves.Project):
        yield name, with_worker(world, i, folding(worker, command, rules))
        return
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
            settled = last_cut(world, rules)
            base = -1 if settled.cut is None else settled.cut.offset
            if settled.back and rules.commits_what_it_goes_back_to:
                if rules.fences and worker.epoch != world.epoch:
                    return world, worker, FENCED
                world = world._replace(cut=base, previous=base, rows_found=0, rows_expected=0)
                world = world._replace(torn=not is_exact(world._replace(torn=False)))
            bounds = moves.LedgerBounds(0, world.events, OURS.topic_id)
            read = moves.CutRead(settled.cut, bounds, world.asides, OURS.cuts_id)
            return world, worker._replace(base=base, ahead=settled.ahead.get("outputs", 0)), read
        case moves.Send(offset):
            return send(world, worker, offset, rules)
        case moves.Commit():
            if worker.epoch != world.epoch:
                return world, worker, FENCED
            cut_now = worker.staged_cut if worker.staged_cut is not None else -1
            there = world._replace(
                outputs=world.outputs + worker.staged,
                row=world.row if worker.staged_row is None else worker.staged_row,
                cut=cut_now,
                previous=worker.base,
                rows_found=1,
                rows_expected=1,
                torn=worker.ahead > 0,
            )
            done = worker._replace(staged=(), staged_cut=None, staged_row=None, base=cut_now)
            return there, done, moves.Committed()
        case _:
            raise AssertionError(f"{command} never reaches the broker")


def last_cut(world: World, rules: Rules) -> Settled:
    """Return the cut to go on from, and how many outputs from behind it are there already."""
    cut = None
    if world.cut >= 0:
        own = world.cut - world.previous
        rows = Span(0, 0, world.rows_expected, world.rows_expected)
        spans = (("outputs", Span(0, world.previous + 1, world.cut + 1, own)), ("rows", rows))
        cut = Cut("ledger", OURS.topic_id, 0, world.cut, "1", previous=world.previous, spans=spans)
    return rules.settles(cut, {"outputs": len(world.outputs), "rows": world.rows_found}, {"rows"}, "ledger/0")


def folding(worker: Worker, command: moves.Fold | moves.Project, rules: Rules) -> Worker | None:
    """Fold the next waiting records; the outputs of each name its offset and all that was folded by then.

    A damaged state that is looked at throws the snapshot away and ends the worker.
    """
    if DAMAGED in worker.folded and rules.looks_at_what_it_loads:
        return worker._replace(released=True, discards=True, commands=(), saving=None, remembers=None)
    count = command.last - command.first + 1
    outputs, folded = worker.outputs, worker.folded
    for offset in worker.waiting[:count]:
        folded = folded if offset in command.aside else (*folded, offset)
        if isinstance(command, moves.Project):
            outputs = (*outputs, (offset, folded))
    worker = worker._replace(waiting=worker.waiting[count:], folded=folded, outputs=outputs)
    return fed(worker, moves.Folded() if isinstance(command, moves.Fold) else moves.Projected(), rules)


def send(world: World, worker: Worker, cut: int, rules: Rules) -> tuple[World, Worker, moves.Event]:
    """Stage outputs and cut in the worker's transaction; without one the outputs are out at once."""
    if worker.epoch != world.epoch:
        return world, worker, FENCED
    there = min(worker.ahead, len(worker.outputs))
    left, row = worker.outputs[there:], worker.outputs[-1][1] if worker.outputs else None
    worker = worker._replace(outputs=(), ahead=worker.ahead - there, staged_cut=cut)
    if rules.transactional:
        return world, worker._replace(staged=left, staged_row=row), moves.Sent()
    return world._replace(outputs=world.outputs + left, row=world.row if row is None else row), worker, moves.Sent()


def with_worker(world: World, i: int, worker: Worker | None) -> World:
    """Return the world with worker i replaced: by nobody, when it has nothing left to do."""
    if worker is not None and worker.discards:
        world = world._replace(disks=replaced(world.disks, i, None))
        worker = worker._replace(discards=False)
    if worker is None:
        world = forgetful(world, i)
    elif worker.released and worker.saving is None:
        world, worker = world._replace(memories=replaced(world.memories, i, worker.remembers)), None
    return world._replace(workers=replaced(world.workers, i, worker))
