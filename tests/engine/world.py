"""The small world around the protocol, as values: the broker, the workers, their disks, and what may go wrong.

The fold state of the model is the tuple of the offsets that were folded, so that a record that is missed, folded twice
or out of order shows in every later output.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from streams.engine import moves, protocol
from streams.engine.cut import Cut
from streams.engine.torn import Settled, settle

TERMS = moves.Terms("ledger", 0, "1", batch_max=2)
OURS = TERMS.origin("id", "cuts id")
FOREIGN = moves.Origin("ledger", "another id", 0, "1")
DAMAGED = 99
"""Stands in a fold state for what is damaged."""
STRANGE = 98
"""Stands in a fold state for a record of another ledger."""

Machine = Any
"""State of the protocol under test; the plain one is `moves.State`, planted bugs may keep more."""
StepFunction = Callable[[Machine, moves.Event], tuple[Machine, tuple[moves.Command, ...]]]
SettleFunction = Callable[[Cut | None, Mapping[str, int], Collection[str], str], Settled]
Folded = tuple[int, ...]
Output = tuple[int, Folded]


class Kept(NamedTuple):
    """A state that outlives its assignment, in the memory of its process or on its disk, with what it says of itself.

    sound: it can be opened; what is damaged inside shows when it is used, as `DAMAGED`
    """

    folded: Folded
    offset: int
    origin: moves.Origin = OURS
    sound: bool = True


class Worker(NamedTuple):
    """One process: its protocol, the commands it has yet to perform, its projection and its producer.

    base, ahead: the cut it goes on from, and how many outputs from behind it are there already
    saving: what it is writing to its disk
    remembers: what its process keeps when it is released now
    released: it is gone but for that
    discards: it throws away what is on its disk
    """

    machine: Machine
    commands: tuple[moves.Command, ...]
    epoch: int = -1
    position: int = -1
    waiting: tuple[int, ...] = ()
    folded: Folded = ()
    outputs: tuple[Output, ...] = ()
    staged: tuple[Output, ...] = ()
    staged_cut: int | None = None
    staged_row: Folded | None = None
    base: int = -1
    ahead: int = 0
    saving: Kept | None = None
    remembers: Kept | None = None
    released: bool = False
    discards: bool = False


class Door(NamedTuple):
    """Somebody who sets the poison aside: the epoch of the fence that was raised, and the cut once it is read."""

    epoch: int
    cut: int | None = None


class World(NamedTuple):
    """The broker, the workers, and how often a worker may still start, and something may still go wrong.

    previous: the cut before the last one
    rows_found, rows_expected: behind what the last cut's transaction came after, and how many the cut speaks of
    torn: of some transaction a part is committed and the rest is not, and nobody has mended it
    tears: how often the cluster may do that
    memories, disks: what is kept of the state by whoever was at work in the place of a worker
    accidents: how often a disk may come to hold what was never written there
    poison: a door may set this one aside, as often as `doors` says
    aside: it is set aside
    """

    events: int = 3
    epoch: int = 0
    outputs: tuple[Output, ...] = ()
    row: Folded = ()
    cut: int = -1
    previous: int = -1
    rows_found: int = 0
    rows_expected: int = 0
    torn: bool = False
    tears: int = 0
    workers: tuple[Worker | None, ...] = (None, None)
    assigns: int = 3
    faults: int = 2
    memories: tuple[Kept | None, ...] = (None, None)
    disks: tuple[Kept | None, ...] = (None, None)
    accidents: int = 0
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
    """What the world does; a flag that is turned plants a bug outside the step function.

    keeps: workers keep their state in memory and on disk
    folds_slowly: other things may happen while a worker folds or projects
    """

    step: StepFunction = protocol.step
    first: Machine = field(default_factory=lambda: moves.State(TERMS))
    fences: bool = True
    transactional: bool = True
    door_fences: bool = True
    door_reads_the_cut: bool = True
    keeps: bool = False
    folds_slowly: bool = False
    opens_only_what_is_sound: bool = True
    looks_at_what_it_loads: bool = True
    settles: SettleFunction = settle
    commits_what_it_goes_back_to: bool = True


def is_exact(world: World) -> bool:
    """Tell whether what is committed is what a plain fold of the ledger up to the cut says.

    While a transaction is torn the outputs may end elsewhere, but are still those of the fold, each once and in order;
    and nobody who has taken over may think that all is done.
    """
    if world.torn:
        at_rest = any(
            worker is not None and (worker.epoch, worker.base, worker.commands) == (world.epoch, world.events - 1, ())
            for worker in world.workers
        )
        return not at_rest and world.outputs == outputs_of(world, len(world.outputs))
    ends = world.cut + 1
    return world.outputs == outputs_of(world, ends) and world.row == fold_of(world, ends)


def fold_of(world: World, events: int) -> Folded:
    """Return what a plain fold of so many events has folded."""
    return tuple(n for n in range(events) if n not in world.asides)


def outputs_of(world: World, events: int) -> tuple[Output, ...]:
    """Return what a plain fold of so many events brings about."""
    return tuple((n, fold_of(world, n + 1)) for n in range(events))
