"""The protocol, checked over every interleaving of a small world, and with bugs planted that the check must find."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import NamedTuple

import pytest

from streams.engine import moves, protocol
from streams.engine.cut import Cut
from streams.engine.torn import Settled, settle
from tests.engine.model import Found, explore
from tests.engine.world import TERMS, Machine, Rules, World

Commands = tuple[moves.Command, ...]


class Hasty(NamedTuple):
    """A protocol that reads the cut before it raises the fence, and what it read."""

    state: moves.State
    read: moves.CutRead | None = None


def reads_the_cut_first(machine: Machine, event: moves.Event) -> tuple[Machine, Commands]:
    state, read = machine
    match event:
        case moves.Assigned():
            return Hasty(protocol.step(state, event)[0]), (moves.ReadCut(),)
        case moves.CutRead() if state.stage is moves.Stage.FENCING:
            return Hasty(state, event), (moves.Fence(),)
        case moves.Fenced() if read is not None:
            state, commands = protocol.step(protocol.step(state, event)[0], read)
            return Hasty(state), commands
        case _:
            state, commands = protocol.step(state, event)
            return Hasty(state, read), commands


def cut_moved_by(distance: int) -> Callable[[Machine, moves.Event], tuple[Machine, Commands]]:
    def step(machine: Machine, event: moves.Event) -> tuple[Machine, Commands]:
        state, commands = protocol.step(machine, event)
        return state, tuple(moves.Send(c.offset + distance) if isinstance(c, moves.Send) else c for c in commands)

    return step


def believes_every_offset(machine: Machine, event: moves.Event) -> tuple[Machine, Commands]:
    if isinstance(event, moves.Arrived):
        expected = machine.arrived + 1
        event = moves.Arrived(tuple(range(expected, expected + len(event.offsets))))
    return protocol.step(machine, event)


def projects_again_what_is_committed(machine: Machine, event: moves.Event) -> tuple[Machine, Commands]:
    if isinstance(event, moves.CutRead):
        event = moves.CutRead(None, event.ledger)
    return protocol.step(machine, event)


def folds_what_is_set_aside(machine: Machine, event: moves.Event) -> tuple[Machine, Commands]:
    state, commands = protocol.step(machine, event)
    return state, tuple(moves.Fold(c.first, c.last) if isinstance(c, moves.Fold) else c for c in commands)


def saves_before_the_commit(machine: Machine, event: moves.Event) -> tuple[Machine, Commands]:
    state, commands = protocol.step(machine, event)
    early: list[moves.Command] = []
    for command in commands:
        early += [moves.Save(command.offset), command] if isinstance(command, moves.Send) else [command]
    return state, tuple(early)


def believes_what_is_ahead_of_the_cut(machine: Machine, event: moves.Event) -> tuple[Machine, Commands]:
    if isinstance(event, moves.CutRead) and machine.folded > (-1 if event.cut is None else event.cut.offset):
        assert machine.origin is not None
        ahead = Cut("ledger", machine.origin.topic_id, 0, machine.folded, "1")
        event = replace(event, cut=ahead, ledger=replace(event.ledger, end=machine.folded + 1))
    return protocol.step(machine, event)


def believes_every_origin(machine: Machine, event: moves.Event) -> tuple[Machine, Commands]:
    if isinstance(event, moves.CutRead):
        machine = replace(machine, origin=TERMS.origin(event.ledger.topic_id, event.cuts_id))
    return protocol.step(machine, event)


def lets_go_in_the_middle(machine: Machine, event: moves.Event) -> tuple[Machine, Commands]:
    if isinstance(event, moves.Revoked) and machine.stage in (moves.Stage.FOLDING, moves.Stage.PROJECTING):
        machine = replace(machine, stage=moves.Stage.WAITING)
    return protocol.step(machine, event)


def sees_nothing(cut: Cut | None, *_: object) -> Settled:
    return Settled(cut, {})


def sees_no_lack(cut: Cut | None, found: Mapping[str, int], tables: Collection[str], place: str) -> Settled:
    settled = settle(cut, found, tables, place)
    return Settled(cut, {} if settled.back else settled.ahead)


def sees_no_surplus(cut: Cut | None, found: Mapping[str, int], tables: Collection[str], place: str) -> Settled:
    return replace(settle(cut, found, tables, place), ahead={})


def sees_no_rows(cut: Cut | None, found: Mapping[str, int], tables: Collection[str], place: str) -> Settled:
    return settle(cut, {name: n for name, n in found.items() if name not in tables}, tables, place)


KEPT = World(events=2, faults=1, accidents=1)
SLOW = Rules(keeps=True, folds_slowly=True)
TORN = World(faults=0, tears=2)
TORN_AND_KEPT = World(events=2, faults=1, tears=1)
POISONED = World(events=2, assigns=2, faults=1, poison=0, doors=1)

PLANTED = {
    "no fence": (World(), Rules(fences=False)),
    "cut read before the fence": (World(), Rules(step=reads_the_cut_first, first=Hasty(moves.State(TERMS)))),
    "outputs outside the transaction": (World(), Rules(transactional=False)),
    "cut one too low": (World(), Rules(step=cut_moved_by(-1))),
    "cut one too high": (World(), Rules(step=cut_moved_by(1))),
    "no hole guard": (World(), Rules(step=believes_every_offset)),
    "cut ignored": (World(), Rules(step=projects_again_what_is_committed)),
    "set aside without the fence": (POISONED, Rules(door_fences=False)),
    "set aside what is committed": (POISONED, Rules(door_reads_the_cut=False)),
    "set-asides forgotten in silence": (POISONED, Rules(step=folds_what_is_set_aside)),
    "snapshot saved before its commit": (
        POISONED._replace(assigns=3, faults=0),
        Rules(step=saves_before_the_commit, keeps=True),
    ),
    "snapshot believed though ahead": (KEPT, Rules(step=believes_what_is_ahead_of_the_cut, keeps=True)),
    "snapshot believed though foreign": (KEPT, Rules(step=believes_every_origin, keeps=True)),
    "snapshot believed though damaged": (
        KEPT,
        Rules(keeps=True, opens_only_what_is_sound=False, looks_at_what_it_loads=False),
    ),
    "snapshot believed though damaged inside": (KEPT, Rules(keeps=True, looks_at_what_it_loads=False)),
    "let go in the middle of a batch": (World(events=2), replace(SLOW, step=lets_go_in_the_middle)),
    "torn transaction overlooked": (TORN, Rules(settles=sees_nothing)),
    "torn transaction: what is missing overlooked": (TORN, Rules(settles=sees_no_lack)),
    "torn transaction: what is there overlooked": (TORN, Rules(settles=sees_no_surplus)),
    "torn transaction: rows overlooked": (TORN, Rules(settles=sees_no_rows)),
    "torn transaction: gone back in silence": (TORN, Rules(commits_what_it_goes_back_to=False)),
}


@pytest.fixture(scope="module")
def sound() -> Found:
    return explore(World(), Rules())


def test_what_is_committed_is_the_fold_of_a_prefix_in_every_interleaving(sound: Found) -> None:
    assert sound.wrong is None
    assert sound.states > 10_000


def test_the_interleavings_hold_every_outcome_that_matters(sound: Found) -> None:
    assert sound.seen >= {
        "assigned",
        "crashed",
        "revoked",
        "expired",
        "fetched past a hole",
        "readcut",
        "send refused",
        "commit refused",
        "fence reply lost",
        "commit reply lost",
        "commit reply repeated",
    }


def test_a_record_is_set_aside_by_everybody_or_by_nobody() -> None:
    found = explore(POISONED, Rules())
    assert found.wrong is None
    assert found.seen >= {"fenced", "came too late", "set aside", "refused", "read the cut"}
    for left in found.left:
        alone = explore(left, Rules())
        assert alone.wrong is None
        assert max(world.cut for world in alone.left) == left.events - 1


def test_a_state_in_memory_or_on_disk_changes_nothing_whatever_became_of_it() -> None:
    found = explore(KEPT, Rules(keeps=True))
    assert found.wrong is None
    assert found.seen >= {
        "saved",
        "assigned again",
        "assigned with a snapshot",
        "threw a snapshot away",
        "foreign snapshot",
        "snapshot ahead",
        "snapshot damaged",
        "snapshot damaged inside",
    }
    for left in found.left:
        alone = explore(left, Rules(keeps=True))
        assert alone.wrong is None
        assert max(world.cut for world in alone.left) == left.events - 1


@pytest.mark.parametrize(("world", "rules"), [(TORN, Rules()), (TORN_AND_KEPT, Rules(keeps=True))])
def test_a_transaction_that_the_cluster_tore_apart_is_made_whole(world: World, rules: Rules) -> None:
    found = explore(world, rules)
    assert found.wrong is None
    parts = ("outputs", "row", "cut", "outputs+row", "outputs+cut", "row+cut")
    assert found.seen >= {f"torn: {one}" for one in parts}
    for left in found.left:
        alone = explore(left, rules)
        assert alone.wrong is None
        assert any(world.cut == left.events - 1 and not world.torn for world in alone.left)


def test_whatever_happens_in_the_middle_of_a_fold_changes_nothing() -> None:
    found = explore(World(events=2), SLOW)
    assert found.wrong is None
    assert found.seen >= {"fold", "project", "fetched 1", "revoked", "expired", "assigned again"}
    for left in found.left:
        alone = explore(left, SLOW)
        assert alone.wrong is None
        assert max(world.cut for world in alone.left) == left.events - 1


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(bug: str) -> None:
    found = explore(*PLANTED[bug])
    assert found.wrong is not None, f"{bug}: {found.states} states and none of them wrong"


def test_whatever_is_left_behind_an_undisturbed_worker_completes_it(sound: Found) -> None:
    assert len(sound.left) > 3
    for left in sound.left:
        alone = explore(left, Rules())
        assert alone.wrong is None
        assert max(world.cut for world in alone.left) == left.events - 1
