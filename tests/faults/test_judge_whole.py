"""A whole trial in memory is judged: sound, it has nothing wrong; with one thing spoilt, just that is found."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from streams.engine import Cut, Record, decode_cut
from tests.faults.checkers import Wrong
from tests.faults.crew import Crew
from tests.faults.history import History, Operation
from tests.faults.in_memory import Kept, PlacesInMemory, World, appended, drafted, put, sound_ledger
from tests.faults.judge import Verdict, last_values
from tests.faults.places import APPENDED, TABLES
from tests.faults.trial import Trial

RECORDS = 150
Found = list[Record]
Spoil = Callable[[Found], None]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with History(tmp_path / "history.jsonl") as history:
        places = PlacesInMemory()
        trial = Trial(places, 1, tmp_path, history, Crew(history, tmp_path), "in memory", majors=(1, 2))
        trial.replays.append("faults.again")
        places.topics[places.ledger], appends = sound_ledger(RECORDS)
        history.operations.extend(appends)
        yield World(trial, places)


def only(verdict: Verdict, *wrongs: Wrong, where: str = "") -> None:
    """See that this is what is wrong, each once, and that every finding names the place."""
    assert sorted(verdict.wrong.elements()) == sorted(wrongs), verdict.findings
    assert all(where in one for one in verdict.findings), verdict.findings
    assert not verdict.good


async def test_a_sound_trial_has_nothing_wrong(world: World) -> None:
    world.write()
    verdict = await world.judged()
    assert verdict.findings == []
    assert verdict.good
    assert not verdict.wrong
    assert verdict.events == sum(map(len, world.ledger.values())) > 3 * RECORDS
    for outputs in (world.trial.outputs, *world.trial.replays):
        for name in (*APPENDED, *TABLES):
            assert any(world.places.topics[f"{outputs}.{name}"].values()), name


async def test_the_history_tells_how_much_was_compared(world: World) -> None:
    world.write()
    sums = f"{world.trial.outputs}.sums"
    before = {n: len(found) for n, found in world.places.topics[sums].items()}
    await world.judged()
    (observed,) = world.trial.history.of("observed")
    assert observed["records"] == {n: len(found) for n, found in world.ledger.items()}
    compacted = next(one for one in world.trial.history.of("compacted") if one["topic"] == sums)
    assert compacted["before"] == before
    assert compacted["after"] == {n: len(found) for n, found in world.places.compacted[sums].items()} != before


# the ledger against the history


def acked_last(world: World, partition: int = 1) -> Operation:
    return [one for one in world.operations if one.get("partition") == partition and one["outcome"] == "acked"][-1]


def put_at_the_end(world: World, value: bytes, partition: int = 1) -> None:
    put(world.places, world.places.ledger, Kept(partition, 0, b"n0", value))


def an_acknowledged_record_is_gone(world: World) -> None:
    world.ledger[1].pop()


def another_key(world: World) -> None:
    world.ledger[1][-1] = replace(kept(world.ledger[1][-1]), key=b"somebody")


def another_value(world: World) -> None:
    world.ledger[1][-1] = replace(kept(world.ledger[1][-1]), value=b"{}")


def another_partition(world: World) -> None:
    put(world.places, world.places.ledger, replace(kept(world.ledger[1].pop()), partition=2))


def unknown_in_another_partition(world: World) -> None:
    acked_last(world).update(outcome="unknown", offset=None)
    another_partition(world)


def a_refused_record_is_there(world: World) -> None:
    put_at_the_end(world, b"refused", 0)


def nobody_sent_it(world: World) -> None:
    put_at_the_end(world, b"nobody")


def a_hole(world: World) -> None:
    acked_last(world).update(outcome="unknown", offset=None)
    last = kept(world.ledger[1][-1])
    world.ledger[1][-1] = replace(last, offset=last.offset + 1)


def an_author_overtakes_himself(world: World) -> None:
    draft = drafted(1, 2)[0]
    for number, value in ((7, b"seventh"), (6, b"sixth")):
        world.operations.append(appended(replace(draft, author="b", number=number, value=value), "unknown"))
        put(world.places, world.places.ledger, Kept(2, 0, draft.key, value))


SPOILT_LEDGERS: tuple[tuple[Callable[[World], None], tuple[Wrong, ...], str], ...] = (
    (an_acknowledged_record_is_gone, ("lost",), "was acknowledged there"),
    (another_key, ("lost",), "was acknowledged there"),
    (another_value, ("lost", "invented"), "ledger/1@"),
    (another_partition, ("lost", "invented"), "ledger/"),
    (unknown_in_another_partition, ("invented",), "ledger/2@"),
    (a_refused_record_is_there, ("invented",), "was refused"),
    (nobody_sent_it, ("invented",), "nobody sent 'nobody'"),
    (a_hole, ("lost",), "ledger/1: expected offset"),
    (an_author_overtakes_himself, ("out of order",), "b-6 came late"),
)


@pytest.mark.parametrize(("spoil", "wrongs", "where"), SPOILT_LEDGERS, ids=[one[0].__name__ for one in SPOILT_LEDGERS])
async def test_a_ledger_that_is_not_what_was_sent_is_found(
    world: World, spoil: Callable[[World], None], wrongs: tuple[Wrong, ...], where: str
) -> None:
    spoil(world)
    world.write()
    for outputs in SETS:  # no cut counts the hole: it is the ledger's alone
        last_cut(world, outputs, 1, offset=len(world.ledger[1]) - 1)
    only(await world.judged(), *wrongs, where=where)


# what was appended


def kept(record: Record) -> Kept:
    assert isinstance(record, Kept)
    return record


def changed(record: Record) -> Kept:
    value = (record.value or b"").replace(b'"due_ms":', b'"due_ms":1').replace(b'"count":', b'"count":1')
    return replace(kept(record), value=value if value != record.value else (record.value or b"") + b" ")


def of_nobody(record: Record) -> Kept:
    headers = [("position", b"9:9"), ("code", b"empty")] if record.headers else ()
    return replace(kept(record), value=b'{"id":"nobody"}', headers=headers)


def swapped(found: Found) -> None:
    first, second = two_of_a_key(found)
    found[first], found[second] = found[second], found[first]


def two_of_a_key(found: Sequence[Record]) -> tuple[int, int]:
    """Return the places of two records of one key, that are not alike."""
    places = ((n, m) for n, one in enumerate(found) for m, other in enumerate(found[:n]) if one.key == other.key)
    return next((m, n) for n, m in places if found[m].value != found[n].value)


APPENDED_SPOILT: dict[str, tuple[Spoil, tuple[Wrong, ...]]] = {
    "one is missing": (lambda found: found.__delitem__(1), ("lost",)),
    "the last is missing": (lambda found: found.__delitem__(-1), ("lost",)),
    "one is there twice": (lambda found: found.append(found[0]), ("doubled",)),
    "one has another content": (lambda found: found.__setitem__(0, changed(found[0])), ("stale",)),
    "one has another key": (lambda found: found.__setitem__(0, replace(kept(found[0]), key=b"somebody")), ("stale",)),
    "one is nobody's": (lambda found: found.append(of_nobody(found[0])), ("invented",)),
    "one has another id": (lambda found: found.__setitem__(-1, of_nobody(found[-1])), ("lost", "invented")),
    "two of a key are swapped": (swapped, ("out of order",)),
}
SETS = ("faults.main", "faults.again")


@pytest.mark.parametrize("outputs", SETS)
@pytest.mark.parametrize("name", APPENDED)
@pytest.mark.parametrize("how", APPENDED_SPOILT)
async def test_one_wrong_record_that_was_appended_is_found(world: World, how: str, name: str, outputs: str) -> None:
    world.write()
    spoil, wrongs = APPENDED_SPOILT[how]
    spoil(world.places.topics[f"{outputs}.{name}"][0])
    only(await world.judged(), *wrongs, where=f"{outputs}.{name}/0")


@pytest.mark.parametrize("name", APPENDED)
async def test_an_output_in_another_partition_is_lost_in_its_own(world: World, name: str) -> None:
    world.write()
    topic = world.places.topics[f"faults.main.{name}"]
    topic[3].append(topic[0].pop())
    only(await world.judged(), "lost", "invented", where=f"faults.main.{name}/")


# rows


def row_that_changed(world: World, topic: str) -> tuple[bytes, Found]:
    """Return the key of a row that lives and had another value before, and all its records."""
    found = world.places.topics[topic][0]
    for key in last_values(found):
        records = [one for one in found if one.key == key]
        if len({one.value for one in records} - {None}) > 1:
            return key, records
    raise AssertionError(topic)


def dead_row(world: World, topic: str) -> Found:
    """Return the records of a row that was ended."""
    found = world.places.topics[topic][0]
    key = next(one.key for one in found if one.key not in last_values(found))
    return [one for one in found if one.key == key]


def row_missing(world: World, topic: str, found: Found) -> None:
    key, _ = row_that_changed(world, topic)
    found[:] = [one for one in found if one.key != key]


def row_of_before(world: World, topic: str, found: Found) -> None:
    key, records = row_that_changed(world, topic)
    now = last_values(records)[key]
    found.append(next(one for one in records if one.value not in (now, None)))


def row_of_nobody(world: World, topic: str, found: Found) -> None:
    found.append(replace(kept(world.places.topics[topic][0][0]), key=b"nobody"))


def row_invented(world: World, topic: str, found: Found) -> None:
    key, _ = row_that_changed(world, topic)
    found.append(Kept(0, len(found), key, b"{}"))


def row_ended(world: World, topic: str, found: Found) -> None:
    key, _ = row_that_changed(world, topic)
    found.append(Kept(0, len(found), key, None))


def row_back(world: World, topic: str, found: Found) -> None:
    found.append(dead_row(world, topic)[0])


SPOILT_ROWS: tuple[tuple[Callable[[World, str, Found], None], str, Wrong], ...] = (
    *((row_missing, table, "lost") for table in TABLES),
    *((row_of_before, table, "stale") for table in TABLES),
    *((row_of_nobody, table, "invented") for table in TABLES),
    *((row_invented, table, "invented") for table in TABLES),
    *((row_ended, table, "lost") for table in TABLES),
    (row_back, "deadlines", "stale"),
)


@pytest.mark.parametrize("outputs", SETS)
@pytest.mark.parametrize("state", ["", " compacted"])
@pytest.mark.parametrize("spoilt", SPOILT_ROWS, ids=[f"{one[0].__name__}-{one[1]}" for one in SPOILT_ROWS])
async def test_one_wrong_row_is_found_before_and_after_a_compaction(
    world: World, spoilt: tuple[Callable[[World, str, Found], None], str, Wrong], state: str, outputs: str
) -> None:
    world.write()
    spoil, table, wrong = spoilt
    topic = f"{outputs}.{table}"
    topics = world.places.compacted if state else world.places.topics
    spoil(world, topic, topics[topic][0])
    verdict = await world.judged()
    only(verdict, wrong, where=f"{topic}/0{state}: ")


# cuts


def last_cut(world: World, outputs: str, partition: int, **changes: object) -> None:
    """Change the last cut of a partition."""
    found = world.places.topics[f"{outputs}.cuts"][partition]
    cut = replace(decode_cut(found[-1].value or b""), **changes)  # type: ignore[arg-type]
    found[-1] = replace(kept(found[-1]), value=cut.encode())


@pytest.mark.parametrize("outputs", SETS)
@pytest.mark.parametrize(("further", "wrong"), [(-1, "lost"), (1, "invented")])
async def test_a_cut_of_another_offset_is_found(world: World, further: int, wrong: Wrong, outputs: str) -> None:
    world.write()
    last_cut(world, outputs, 2, offset=len(world.ledger[2]) - 1 + further)
    only(await world.judged(), wrong, where="cut/2")


@pytest.mark.parametrize("outputs", SETS)
@pytest.mark.parametrize("name", APPENDED)
@pytest.mark.parametrize("more", [-1, 1, None])
async def test_a_cut_of_other_counts_is_found(world: World, more: int | None, name: str, outputs: str) -> None:
    world.write()
    counts = dict(decode_cut(world.places.topics[f"{outputs}.cuts"][0][-1].value or b"").counts)
    topic = f"{outputs}.{name}"
    if more is None:
        del counts[topic]
    else:
        counts[topic] += more
    last_cut(world, outputs, 0, counts=tuple(counts.items()))
    only(await world.judged(), "stale", where="cut/0")


async def test_a_partition_without_a_cut_is_found(world: World) -> None:
    world.write()
    world.places.topics["faults.again.cuts"][0].clear()
    only(await world.judged(), "lost", "stale", where="cut/0")


async def test_a_cut_of_an_empty_partition_is_found(world: World) -> None:
    world.write()
    cut = Cut(world.places.ledger, None, 3, 5, "1")
    put(world.places, "faults.main.cuts", Kept(3, 0, cut.key, cut.encode()))
    only(await world.judged(), "invented", where="cut/3")


async def test_a_cut_that_never_counted_is_no_cut(world: World) -> None:
    world.write()
    cut = Cut(world.places.ledger, None, 0, 5, "1")
    world.places.aborted["faults.main.cuts"] = {0: [Kept(0, 10_000, cut.key, cut.encode())]}
    assert (await world.judged()).good


# a ledger that was damaged: its outputs are those of what was there before, up to the cut


@pytest.fixture
def damaged(world: World) -> World:
    """Take something of the ledger away after its outputs were written up to a cut."""
    world.trial.before_damage = {n: list(found) for n, found in world.ledger.items()}
    world.write(up_to=100)
    world.ledger.update({n: found[:50] for n, found in world.ledger.items()})
    return world


async def test_outputs_of_what_was_there_before_a_damage_are_sound(damaged: World) -> None:
    verdict = await damaged.judged()
    assert verdict.findings == []
    assert verdict.good
    assert verdict.events == 300


async def test_a_cut_over_an_offset_that_has_no_record_is_found(world: World) -> None:
    del world.ledger[0][99]
    world.trial.before_damage = {n: list(found) for n, found in world.ledger.items()}
    world.write(up_to=100)
    verdict = await world.judged()
    assert "lost: ledger/0: offset 99 is not there, and a cut covers it" in verdict.findings
    assert verdict.wrong == {"lost": 1, "invented": 2}  # each set's cut is one too far as well


@pytest.mark.parametrize("outputs", SETS)
async def test_an_output_beyond_the_cut_of_a_damaged_ledger_is_found(damaged: World, outputs: str) -> None:
    record = of_nobody(damaged.places.topics[f"{outputs}.changes"][0][0])
    damaged.places.topics[f"{outputs}.changes"][0].append(record)
    only(await damaged.judged(), "invented", where=f"{outputs}.changes/0")


# the verdict itself


async def test_everything_wrong_is_counted_and_the_first_ten_of_a_sort_are_shown(world: World) -> None:
    world.write()
    del world.places.topics["faults.main.changes"][0][:12]
    verdict = await world.judged()
    assert verdict.wrong == {"lost": 12}
    assert len(verdict.findings) == 10


def test_what_is_wrong_and_what_is_in_the_way_are_both_not_good() -> None:
    assert Verdict(Path()).good
    assert not Verdict(Path(), trouble="it did not end").good
