"""All partitions of a worker: which may be fetched and get what was, what is watched, and how they are released."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from streams.engine import Progress, assignment
from streams.engine.assignment import Assignment
from streams.engine.watchdog import Watchdog
from tests.engine.tally import Tally
from tests.engine.trial import Trial

LEDGER = "assignment.ledger"
LOOKS = 20


class Leaving:
    """A partition with a batch in flight, and what it holds."""

    def __init__(self) -> None:
        self.committed = asyncio.Event()
        self.closed = False

    async def leave(self) -> "Leaving":
        """Leave when the batch is committed."""
        await self.committed.wait()
        return self

    async def close(self) -> None:
        """Note that what was held is let go."""
        self.closed = True


async def test_a_shutdown_in_the_middle_of_a_rebalance_waits_for_the_batch_in_flight(tmp_path: Any) -> None:  # noqa: ANN401
    config = Trial("nowhere:1", "assignment", tmp_path, 1).engine_config()
    assignment = Assignment(cast("Any", None), config, cast("Any", None), cast("Any", None))
    partition = Leaving()
    assignment._partitions = {0: cast("Any", partition)}  # noqa: SLF001  it was taken over
    rebalance = asyncio.create_task(assignment.release())
    await asyncio.sleep(0)
    shutdown = asyncio.create_task(assignment.leave())
    await asyncio.sleep(0)
    assert not shutdown.done()
    partition.committed.set()
    await shutdown
    await rebalance
    assert partition.closed


async def test_a_place_in_the_group_is_expected_until_there_is_one_and_again_after_it_is_lost(tmp_path: Path) -> None:
    config = Trial("nowhere:1", "assignment", tmp_path, 1).engine_config()
    assignment = Assignment(cast("Any", None), config, cast("Any", None), cast("Any", None))
    assignment.expect()
    first = assignment._expecting  # noqa: SLF001  it would halt
    assert first is not None
    await assignment.take_over(1, ())  # a place without partitions is one
    await asyncio.wait({first})
    assert first.cancelled()
    await assignment.release()
    second = assignment._expecting  # noqa: SLF001
    assert second is not None
    await assignment.leave()
    await asyncio.wait({second})
    assert second.cancelled()
    assert assignment._expecting is None  # noqa: SLF001


class Saving:
    """What is held of a partition and is still being saved when it is to be let go of."""

    def __init__(self) -> None:
        self.begun, self.done = asyncio.Event(), asyncio.Event()

    async def close(self) -> None:
        """Let go when it is saved."""
        self.begun.set()
        await self.done.wait()


class Partition:
    """A partition that has been told what it is told here."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.arrived, self.folded = -1, -1
        self.ready = False
        self.pulse: int | None = None
        self.batches: list[Sequence[object]] = []

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return Progress(self.number, self.folded, self.folded, self.ready)

    async def start_offset(self) -> int:
        """Return where it begins."""
        return 0

    def arrive(self, records: Sequence[object]) -> None:
        """Keep what came."""
        self.batches.append(records)

    async def leave(self) -> "Partition":
        """Leave at once."""
        return self

    async def close(self) -> None:
        """Let go of nothing."""


class Taken:
    """An assignment that has taken partitions over, and its watchdog, which looks when it is told to."""

    def __init__(self, config: Any) -> None:  # noqa: ANN401  the engine's settings
        self.assignment = Assignment(cast("Any", None), config, lambda _: Tally(), lambda _: None)
        self.generation = 0
        self.partitions: dict[int, Partition] = {}

    async def take_over(self, count: int) -> None:
        """Take that many partitions over in a new generation, and let them flow."""
        self.generation += 1
        self.partitions = {}
        starts = await self.assignment.take_over(self.generation, range(count))
        self.assignment.flow(self.generation, starts)

    def room(self) -> set[int]:
        """Return what may be fetched, as the consumer asks it."""
        return self.assignment.with_room(self.generation)

    def stalls(self, *, fetching: bool) -> str | None:
        """Look as often as a stall takes; return what stalls first. The consumer asks for room before each look."""
        watchdog = self.assignment._watchdog  # noqa: SLF001  its thread would look when it likes
        for _ in range(LOOKS):
            if fetching:
                self.room()
            if (found := watchdog.stalled()) is not None:
                return found
        return None


Taking = Callable[..., Taken]


@pytest.fixture
def taking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Taking:
    monkeypatch.setattr(Watchdog, "start", lambda _: None)

    def take(**changes: Any) -> Taken:  # noqa: ANN401  settings of several types
        taken = Taken(Trial("nowhere:1", "assignment", tmp_path).engine_config(**changes))

        def partition(_app: object, _config: object, number: int, _held: object, **_: object) -> Partition:
            return taken.partitions.setdefault(number, Partition(number))

        monkeypatch.setattr(assignment, "LedgerPartition", partition)
        return taken

    return take


async def test_a_worker_is_ready_when_all_of_its_partitions_are(taking: Taking) -> None:
    taken = taking()
    assert taken.assignment.status() == (False, [])
    await taken.take_over(3)
    told = []
    for partition in taken.partitions.values():
        told.append(taken.assignment.status()[0])
        partition.ready = True
    ready, shown = taken.assignment.status()
    assert (told, ready) == ([False] * 3, True)
    assert [(one["partition"], one["ready"]) for one in shown] == [(0, True), (1, True), (2, True)]


async def test_a_worker_that_lets_go_of_partitions_is_not_ready_before_it_has_the_others(taking: Taking) -> None:
    taken = taking()
    await taken.take_over(2)
    moved = Saving()
    taken.assignment._held = {7: cast("Any", moved)}  # noqa: SLF001  it was this worker's a moment ago
    taking_over = asyncio.create_task(taken.take_over(2))
    await moved.begun.wait()
    assert taken.assignment.status() == (False, [])
    moved.done.set()
    await taking_over
    assert taken.assignment.status()[0] is False
    for partition in taken.partitions.values():
        partition.ready = True
    assert taken.assignment.status()[0] is True


async def test_a_partition_where_too_much_waits_has_no_room_until_some_is_folded(taking: Taking) -> None:
    taken = taking(waiting_max=10)
    await taken.take_over(2)
    taken.assignment.fetched(0, 8, 10, 1)
    assert taken.room() == {0, 1}
    taken.assignment.fetched(0, 9, 10, 1)
    assert taken.room() == {1}
    taken.assignment.fetched(0, 500, 10, 1)
    taken.partitions[0].folded = 490
    assert taken.room() == {1}
    taken.partitions[0].folded = 491
    assert taken.room() == {0, 1}


async def test_a_partition_where_too_many_bytes_wait_has_no_room_however_few_records_they_are(taking: Taking) -> None:
    taken = taking(waiting_max=1_000, waiting_bytes_max=21)
    await taken.take_over(2)
    for offset in (0, 1, 2):
        assert taken.room() == {0, 1}
        taken.assignment.fetched(0, offset, 10, 1)
    assert taken.room() == {1}
    taken.partitions[0].folded = 0
    assert taken.room() == {0, 1}
    taken.assignment.fetched(0, 3, 10, 1)
    assert taken.room() == {1}
    taken.partitions[0].folded = 3
    assert taken.room() == {0, 1}


async def test_what_is_fetched_while_partitions_are_released_waits_for_nobody(taking: Taking) -> None:
    taken = taking()
    await taken.take_over(1)
    await taken.assignment.release()
    taken.assignment.fetched(0, 5, 10, 1)
    await taken.take_over(1)
    assert taken.room() == {0}


async def test_what_was_fetched_for_an_earlier_generation_arrives_nowhere(taking: Taking) -> None:
    taken = taking()
    await taken.take_over(2)
    await taken.take_over(2)
    earlier, later = [cast("Any", "earlier")], [cast("Any", "later")]
    taken.assignment.arrive(1, 0, earlier)
    taken.assignment.arrive(2, 0, later)
    assert [one.batches for one in taken.partitions.values()] == [[later], []]
    assert taken.assignment.with_room(1) == set()
    await taken.assignment.release()
    taken.assignment.arrive(2, 0, later)
    assert taken.partitions[0].batches == [later]


async def test_records_that_were_fetched_and_do_not_arrive_are_a_stall(taking: Taking) -> None:
    taken = taking()
    await taken.take_over(2)
    assert taken.stalls(fetching=True) is None
    taken.assignment.fetched(1, 9, 10, 1)
    assert taken.stalls(fetching=True) == f"what was fetched of {LEDGER}/1"
    taken.partitions[1].arrived = 9
    assert taken.stalls(fetching=True) is None


async def test_a_partition_that_has_work_and_does_not_move_is_a_stall(taking: Taking) -> None:
    taken = taking()
    await taken.take_over(2)
    taken.partitions[1].pulse = 7
    assert taken.stalls(fetching=True) == f"{LEDGER}/1"


async def test_a_consumer_that_asks_for_nothing_any_more_is_a_stall_while_there_are_partitions(taking: Taking) -> None:
    taken = taking()
    await taken.take_over(1)
    assert taken.stalls(fetching=False) == "the consumer"
    await taken.assignment.release()
    assert taken.stalls(fetching=False) is None
