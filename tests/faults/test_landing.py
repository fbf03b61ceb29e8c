"""A fault counts when it struck while work was waiting; what is told of it comes from the history and the cuts."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from streams.engine import Cut, ExitCode
from tests.faults.crew import Broken, Crew
from tests.faults.history import History, Operation
from tests.faults.in_memory import Kept, PlacesInMemory, World, fold, sound_ledger
from tests.faults.judge import Verdict, judge_faults
from tests.faults.landing import recovered_ms, waiting_at
from tests.faults.places import APPENDED, TABLES
from tests.faults.replays import alike
from tests.faults.trial import Trial


def acked(partition: int, offset: int, at_ms: int, **changes: object) -> Operation:
    append = {"op": "append", "outcome": "acked", "partition": partition, "offset": offset, "at_ms": at_ms}
    return {**append, **changes}


@pytest.mark.parametrize(
    ("operations", "cuts", "waiting"),
    [
        ([], {}, {}),
        ([acked(0, 9, 100)], {}, {0: 10}),  # nothing was ever covered
        ([acked(0, 9, 100)], {0: [(200, 4)]}, {0: 5}),
        ([acked(0, 9, 300)], {0: [(300, 9)]}, {}),  # at that very instant
        ([acked(0, 9, 300)], {0: [(300, 8)]}, {0: 1}),
        ([acked(0, 9, 100)], {0: [(200, 4), (301, 9)]}, {0: 5}),  # covered only after the fault
        ([acked(0, 9, 301)], {0: [(200, 4)]}, {}),  # acknowledged only after the fault
        ([acked(0, 9, 100), acked(0, 7, 200)], {0: [(200, 4)]}, {0: 5}),  # told of in another order
        ([acked(0, 9, 100)], {0: [(100, 6), (200, 4)]}, {0: 3}),
        ([acked(0, 9, 100), acked(1, 3, 100)], {0: [(200, 9)], 1: [(200, 1)]}, {1: 2}),  # each by itself
        ([acked(0, 9, 100, outcome="unknown")], {}, {}),
        ([acked(0, 9, 100, outcome="refused")], {}, {}),
        ([acked(0, 9, 100, op="told")], {}, {}),
    ],
)
def test_what_was_acknowledged_and_not_covered_at_an_instant_was_waiting(
    operations: Sequence[Operation], cuts: dict[int, list[tuple[int, int]]], waiting: dict[int, int]
) -> None:
    assert waiting_at(300, operations, cuts) == waiting


@pytest.mark.parametrize(
    ("healed_ms", "partitions", "cuts", "expected"),
    [
        (300, [0], {0: [(200, 1), (450, 2), (900, 3)]}, 150),  # the first cut after the fault
        (300, [0], {0: [(300, 1), (450, 2)]}, 150),  # one at that very instant is none after it
        (300, [0], {0: [(200, 1)]}, None),
        (300, [0], {}, None),
        (300, [0, 1], {0: [(450, 1)], 1: [(700, 1)]}, 400),  # the slowest
        (300, [0, 1], {0: [(450, 1)], 1: [(200, 1)]}, None),  # one never moved again
        (300, [0], {0: [(450, 1)], 1: [(700, 1)]}, 150),  # nothing waited in the other one
        (400, [0], {0: [(350, 1)]}, 50),  # it moved before the healing: from the fault on
        (400, [0], {0: [(450, 1)]}, 50),  # it moved only when healed: from there on
        (400, [0], {0: [(400, 1)]}, 0),
        (300, [], {}, 0),
    ],
)
def test_a_recovery_lasts_until_the_slowest_partition_that_waited_moved_again(
    healed_ms: int, partitions: list[int], cuts: dict[int, list[tuple[int, int]]], expected: int | None
) -> None:
    assert recovered_ms(300, healed_ms, partitions, cuts) == expected


def test_a_trial_counts_when_one_of_its_faults_landed() -> None:
    assert not Verdict(Path(), faults=3, kills=0, landed=0).counts
    assert Verdict(Path(), faults=3, landed=1).counts


# a history of faults, judged

MAIN, AGAIN = "faults.main", "faults.again"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a trial whose ledger of ten records was covered up to 4 at 900 ms, and up to its end at 2,000 ms."""
    with History(tmp_path / "history.jsonl") as history:
        places = PlacesInMemory()
        trial = Trial(places, 1, tmp_path, history, Crew(history, tmp_path), "in memory")
        trial.replays.append(AGAIN)
        history.operations.append(acked(0, 9, 800))
        places.topics[f"{MAIN}.cuts"] = {0: [cut(0, 4, 900), cut(1, 9, 2_000)]}
        yield World(trial, places)


def cut(place: int, offset: int, at_ms: int) -> Kept:
    return Kept(0, place, b"", Cut("faults.events", None, 0, offset, "1").encode(), at_ms)


def strike(world: World, at_ms: int, fault: str = "kill -9", target: str = "a", outputs: str = MAIN) -> None:
    world.trial.strike(fault, target, at_ms=at_ms, outputs=outputs)


async def judged(world: World, trouble: str | None = None) -> Verdict:
    verdict = Verdict(world.trial.folder)
    await judge_faults(world.trial, verdict)
    assert not verdict.wrong
    assert verdict.trouble == trouble
    return verdict


async def test_a_fault_counts_as_landed_only_while_work_was_waiting(world: World) -> None:
    strike(world, 700, "pause")
    strike(world, 2_000, "pause")
    verdict = await judged(world)
    assert (verdict.faults, verdict.landed, verdict.recoveries_ms) == (2, 0, [])
    assert not verdict.counts
    strike(world, 1_500, "pause")
    verdict = await judged(world)
    assert (verdict.faults, verdict.landed, verdict.kills, verdict.recoveries_ms) == (3, 1, 0, [500])
    assert verdict.counts


async def test_a_fault_to_a_replay_is_measured_by_the_cuts_of_that_replay(world: World) -> None:
    world.places.topics[f"{AGAIN}.cuts"] = {0: [cut(0, 9, 1_400), cut(1, 9, 3_000)]}
    strike(world, 1_500, outputs=AGAIN)
    assert (await judged(world)).landed == 0
    strike(world, 1_300, outputs=AGAIN)
    assert (await judged(world)).recoveries_ms == [100]


async def test_a_recovery_counts_from_the_first_healing_of_the_same_target_after_the_fault(world: World) -> None:
    for target, at_ms in (("b", 1_300), ("a", 1_000), ("a", 1_600), ("a", 1_900)):
        world.trial.history.note("heal", fault="pause", target=target, at_ms=at_ms)
    strike(world, 1_200, "pause")
    assert (await judged(world)).recoveries_ms == [400]


async def test_a_fault_after_which_nothing_moved_has_no_recovery(world: World) -> None:
    world.trial.before_damage = {}
    world.places.topics[f"{MAIN}.cuts"][0].pop()
    strike(world, 1_500, "hole")
    verdict = await judged(world)
    assert (verdict.landed, verdict.recoveries_ms) == (1, [])


async def test_where_nothing_is_damaged_for_good_everything_has_to_move_on(world: World) -> None:
    world.places.topics[f"{MAIN}.cuts"][0].pop()
    strike(world, 1_500, "pause")
    await judged(world, "pause of a: the partitions never moved on, expected within 60 s")


@pytest.mark.parametrize(("moved_ms", "late"), [(61_500, False), (61_600, True)])
async def test_everything_has_to_move_on_within_a_minute(world: World, moved_ms: int, *, late: bool) -> None:
    world.places.topics[f"{MAIN}.cuts"] = {0: [cut(0, 4, 900), cut(1, 9, moved_ms)]}
    strike(world, 1_500, "pause")
    words = "pause of a: the partitions moved on only after 60.1 s, expected within 60 s"
    assert (await judged(world, words if late else None)).recoveries_ms == [moved_ms - 1_500]


HELD = [("started", 500, {}), ("told", 600, {"partition": 0})]


@pytest.mark.parametrize(
    ("fault", "worker", "told", "aborted", "kills", "inside"),
    [
        ("kill -9", "a", HELD, [1_400], 1, 1),
        ("kill -9 after_commit", "a", HELD, [1_400], 1, 1),
        ("kill -9", "a", HELD, [], 1, 0),
        ("kill -9", "a", HELD, [1_600], 1, 0),
        ("kill -9", "a", [*HELD, ("started", 1_450, {})], [1_400], 1, 0),  # what it is now does not hold it yet
        ("kill -9", "a", [*HELD, ("started", 1_450, {}), ("told", 1_460, {"partition": 0})], [1_400], 1, 0),
        ("kill -9", "a", [*HELD, ("started", 1_600, {})], [1_400], 1, 1),
        ("kill -9", "a", [HELD[0], ("told", 600, {"partition": 1})], [1_400], 1, 0),  # another one's transaction
        ("kill -9", "a", [HELD[0], ("told", 600, {"stage": "begun"})], [1_400], 1, 0),
        ("kill -9", "b", [*HELD, ("started", 550, {"worker": "b"})], [1_400], 1, 0),
        ("pause", "a", HELD, [1_400], 0, 0),
        ("broker killed", "a", HELD, [1_400], 0, 0),
    ],
)
async def test_a_kill_is_inside_a_transaction_that_the_killed_process_itself_had_open(  # noqa: PLR0917 -- a table
    world: World, fault: str, worker: str, told: list[tuple[str, int, Operation]], aborted: list[int],
    kills: int, inside: int,
) -> None:  # fmt: skip
    for op, at_ms, fields in told:
        world.trial.history.note(op, **{"worker": "a", "at_ms": at_ms, **fields})
    world.places.aborted[f"{MAIN}.cuts"] = {0: [cut(100 + n, 9, at_ms) for n, at_ms in enumerate(aborted)]}
    strike(world, 1_500, fault, worker)
    verdict = await judged(world)
    assert (verdict.landed, verdict.kills, verdict.kills_in_transaction) == (1, kills, inside)


@pytest.mark.parametrize(
    ("fault", "worker", "code", "why", "zombies"),
    [
        ("pause", "a", ExitCode.PRODUCER, "exit 75: ProducerFenced", 1),
        ("kill -9", "a", ExitCode.PRODUCER, "exit 75: ProducerFenced", 0),
        ("pause", "b", ExitCode.PRODUCER, "exit 75: ProducerFenced", 0),
        ("pause", "a", ExitCode.STALLED, "exit: ProducerFenced", 0),
        ("pause", "a", ExitCode.PRODUCER, "exit 75: the broker is away", 0),
    ],
)
async def test_a_zombie_is_a_paused_worker_that_was_refused(  # noqa: PLR0917 -- a table
    world: World, fault: str, worker: str, code: int, why: str, zombies: int
) -> None:
    strike(world, 1_500, fault, worker)
    world.trial.history.note("exited", worker="a", code=code, why=why)
    assert (await judged(world)).zombies == zombies


async def test_an_exit_that_nobody_asked_for_is_counted_by_its_code(world: World) -> None:
    for code in (0, -9, -15, ExitCode.PRODUCER, ExitCode.PRODUCER, ExitCode.SNAPSHOT, 1):
        world.trial.history.note("exited", worker="a", code=code, why="")
    assert (await judged(world)).exits == {ExitCode.PRODUCER: 2, ExitCode.SNAPSHOT: 1, 1: 1}


# replays from zero are alike


@pytest.fixture
def replayed(world: World) -> World:
    world.places.topics[world.places.ledger], _ = sound_ledger(150)
    world.trial.majors = (1, 2)
    world.write()
    return world


async def test_replays_that_are_the_same_pass_whatever_their_batches(replayed: World) -> None:
    for name in TABLES:  # only the last value of a row has to be there, anywhere
        found = replayed.places.compacted[f"{AGAIN}.{name}"]
        replayed.places.topics[f"{AGAIN}.{name}"] = {n: found[n][::-1] for n in found}
    await alike(replayed.trial)


WAYS_OF_ROWS = ("key", "value", "partition", "missing")
ALL_WAYS = (*WAYS_OF_ROWS, "headers", "order", "twice")
UNLIKE = [(name, way) for name in APPENDED for way in ALL_WAYS] + [(n, way) for n in TABLES for way in WAYS_OF_ROWS]


@pytest.mark.parametrize(("name", "what"), UNLIKE)
@pytest.mark.parametrize("outputs", [MAIN, AGAIN, "faults.more"])
async def test_a_replay_that_is_not_like_the_others_is_found(
    replayed: World, name: str, what: str, outputs: str
) -> None:
    replayed.trial.replays.append("faults.more")
    fold(replayed.trial, replayed.places, "faults.more")
    spoil(replayed, f"{outputs}.{name}", what)
    with pytest.raises(Broken, match=f"expected the same {name} from every replay"):
        await alike(replayed.trial)


def spoil(world: World, topic: str, what: str) -> None:
    found = world.places.topics[topic]
    last = found[0].pop()
    records = {
        "key": Kept(0, last.offset, b"somebody", last.value, headers=last.headers),
        "value": Kept(0, last.offset, last.key, b"{}", headers=last.headers),
        "headers": Kept(0, last.offset, last.key, last.value, headers=[("mood", b"new")]),
    }
    match what:
        case "partition":
            found[3].append(last)
        case "order":
            found[0].insert(0, last)
        case "twice":
            found[0] += [last, last]
        case "missing":
            found[0] = [one for one in found[0] if one.key != last.key or topic.endswith(APPENDED)]
        case _:
            found[0].append(records[what])
