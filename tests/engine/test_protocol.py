"""The protocol, step by step: what one event does to one partition."""

from dataclasses import replace

import pytest

from streams.engine import ExitCode, moves, protocol
from streams.engine.cut import Cut
from tests.engine.world import TERMS

Commands = tuple[moves.Command, ...]


def at_the_cut(stage: moves.Stage = moves.Stage.WAITING, *, folded: int = 4, arrived: int = 4) -> moves.State:
    """Return the state of a partition whose cut stands at 4."""
    return moves.State(TERMS, stage=stage, folded=folded, cut=4, arrived=arrived)


def reading(held: int = -1) -> moves.State:
    """Return the state of a partition that has raised its fence, with a projection that has folded up to `held`."""
    state, _ = protocol.step(moves.State(TERMS), moves.Assigned(held, TERMS.origin("id", None)))
    state, _ = protocol.step(state, moves.Fenced())
    return state


LEDGER = moves.LedgerBounds(0, 10, "id")
CUT = Cut("ledger", "id", 0, 4, "1")


@pytest.mark.parametrize(
    ("held", "cut", "commands"),
    [
        (-1, None, (moves.Seek(0), moves.Ready())),
        (-1, CUT, (moves.Seek(0),)),
        (2, CUT, (moves.Seek(3),)),
        (4, CUT, (moves.Seek(5), moves.Ready())),
        (5, CUT, (moves.Renew(), moves.Seek(0))),
        (0, None, (moves.Renew(), moves.Seek(0), moves.Ready())),
    ],
)
def test_the_ledger_flows_from_where_the_projection_stands(held: int, cut: Cut | None, commands: Commands) -> None:
    assert protocol.step(reading(held), moves.CutRead(cut, LEDGER))[1] == commands


@pytest.mark.parametrize(
    ("cut", "ledger", "code"),
    [
        (replace(CUT, version="2"), LEDGER, ExitCode.VERSION),
        (replace(CUT, topic="other"), LEDGER, ExitCode.LEDGER),
        (replace(CUT, partition=1), LEDGER, ExitCode.LEDGER),
        (CUT, moves.LedgerBounds(0, 10, "another id"), ExitCode.LEDGER),
        (CUT, moves.LedgerBounds(0, 4, "id"), ExitCode.LEDGER),
        (CUT, moves.LedgerBounds(1, 10, "id"), ExitCode.HOLE),
        (None, moves.LedgerBounds(3, 10, "id"), ExitCode.HOLE),
        (CUT, moves.LedgerBounds(5, 10, "id"), ExitCode.HOLE),
    ],
)
def test_a_ledger_that_does_not_fit_the_cut_stops_the_worker(
    cut: Cut | None, ledger: moves.LedgerBounds, code: ExitCode
) -> None:
    state, commands = protocol.step(reading(), moves.CutRead(cut, ledger))
    assert state.stage is moves.Stage.CLOSED
    assert [c.fault.code for c in commands if isinstance(c, moves.Exit)] == [code]


@pytest.mark.parametrize(
    "origin",
    [
        moves.Origin("another", "id", 0, "1"),
        moves.Origin("ledger", "another id", 0, "1"),
        moves.Origin("ledger", None, 0, "1"),
        moves.Origin("ledger", "id", 1, "1"),
        moves.Origin("ledger", "id", 0, "2"),
        moves.Origin("ledger", "id", 0, "1", "id of other cuts"),
        None,
    ],
)
def test_a_state_of_another_origin_is_thrown_away(origin: moves.Origin | None) -> None:
    state, _ = protocol.step(moves.State(TERMS), moves.Assigned(2, origin))
    state, _ = protocol.step(state, moves.Fenced())
    assert protocol.step(state, moves.CutRead(CUT, LEDGER))[1] == (moves.Renew(), moves.Seek(0))


def test_a_topic_id_that_the_broker_does_not_tell_stops_nobody() -> None:
    _, commands = protocol.step(reading(), moves.CutRead(CUT, replace(LEDGER, topic_id=None)))
    assert commands == (moves.Seek(0),)


@pytest.mark.parametrize(
    ("offsets", "code"),
    [((6,), ExitCode.HOLE), ((5, 7), ExitCode.HOLE), ((4,), ExitCode.LEDGER), ((5, 5), ExitCode.LEDGER)],
)
def test_an_offset_that_is_not_the_next_one_stops_the_worker(offsets: tuple[int, ...], code: ExitCode) -> None:
    _, commands = protocol.step(at_the_cut(), moves.Arrived(offsets))
    assert [c.fault.code for c in commands if isinstance(c, moves.Exit)] == [code]


def test_what_arrives_during_a_transaction_joins_the_next_one() -> None:
    state = at_the_cut(stage=moves.Stage.COMMITTING)
    for offset in (5, 6, 7):
        state, commands = protocol.step(state, moves.Arrived((offset,)))
        assert commands == ()
    state, commands = protocol.step(state, moves.Committed())
    assert commands == (moves.Save(4), moves.Project(5, 6)), "no more than a batch may hold"
    assert (state.folded, state.arrived) == (6, 7)


def test_records_up_to_the_cut_are_folded_and_those_behind_it_projected() -> None:
    state, commands = protocol.step(reading(2), moves.CutRead(replace(CUT, offset=3), LEDGER))
    state, commands = protocol.step(state, moves.Arrived((3, 4, 5)))
    assert commands == (moves.Fold(3, 3),)
    state, commands = protocol.step(state, moves.Folded())
    assert commands == (moves.Ready(), moves.Save(3), moves.Project(4, 5))


@pytest.mark.parametrize("stage", [moves.Stage.PROJECTING, moves.Stage.SENDING, moves.Stage.COMMITTING])
def test_a_revoked_partition_commits_its_batch_and_no_further_one(stage: moves.Stage) -> None:
    state, commands = protocol.step(at_the_cut(stage=stage, folded=6, arrived=9), moves.Revoked())
    assert commands == ()
    done: dict[moves.Stage, moves.Event] = {
        moves.Stage.PROJECTING: moves.Projected(),
        moves.Stage.SENDING: moves.Sent(),
    }
    while state.stage is not moves.Stage.COMMITTING:
        state, _ = protocol.step(state, done[state.stage])
    state, commands = protocol.step(state, moves.Committed())
    assert (state.cut, commands) == (6, (moves.Save(6, last=True), moves.Release()))


def test_a_waiting_partition_is_released_at_once() -> None:
    assert protocol.step(at_the_cut(), moves.Revoked())[1] == (moves.Save(4, last=True), moves.Release())


def test_a_state_that_was_not_compared_with_the_cut_is_released_unsaved() -> None:
    assert protocol.step(reading(2), moves.Revoked())[1] == (moves.Release(),)


@pytest.mark.parametrize("event", [moves.Fenced(), moves.Folded(), moves.Projected(), moves.Sent(), moves.Committed()])
def test_a_reply_that_is_not_due_stops_the_worker(event: moves.Event) -> None:
    state, commands = protocol.step(at_the_cut(), event)
    assert state.stage is moves.Stage.CLOSED
    assert [c.fault.code for c in commands if isinstance(c, moves.Exit)] == [ExitCode.PRODUCER]


def test_nothing_is_done_after_the_end() -> None:
    closed = at_the_cut(stage=moves.Stage.CLOSED)
    assert protocol.step(closed, moves.Arrived((99,))) == (closed, ())
