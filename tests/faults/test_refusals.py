"""What is refused never reaches the ledger, and a trial in which nothing was refused that should be has failed."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from schemas.codec import Undecodable
from streams.doors import appending, judging
from streams.producing import RECORD_BYTES_MAX
from tests.faults.crew import Crew
from tests.faults.door import BAD, append_through_the_door, lines_of
from tests.faults.events import Author
from tests.faults.history import History
from tests.faults.in_memory import NOW_MS, PARTITIONS, PlacesInMemory, appended, drafted
from tests.faults.judge import Verdict, judge_refusals
from tests.faults.playing import Kind, Stage, played
from tests.faults.trial import Trial


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    with History(tmp_path / "history.jsonl") as history:
        yield Trial(PlacesInMemory(), 1, tmp_path, history, Crew(history, tmp_path), "in memory")


def test_a_careless_author_writes_one_event_in_some_hundred_that_no_batch_can_hold() -> None:
    careless, careful = (Author("a", 7, PARTITIONS, careless=one) for one in (True, False))
    too_long = []
    for number in range(1_000):
        draft, other = careless.draft(NOW_MS), careful.draft(NOW_MS)
        assert (draft.event, draft.key, draft.partition) == (other.event, other.key, other.partition)
        assert len(other.value) < RECORD_BYTES_MAX
        if len(draft.value) > RECORD_BYTES_MAX:
            too_long.append(number)
        else:
            assert draft.value == other.value
    assert too_long == [100, 500, 900]


@pytest.mark.parametrize(
    ("careless", "refused", "trouble"),
    [
        ((), (), None),
        (("load",), ("load", "load"), None),
        (("load",), (), "expected some records of load to be refused, none was"),
        (("load", "door 0"), ("load", "load"), "expected some records of door 0 to be refused, none was"),
    ],
)
def test_of_whoever_is_careless_something_has_to_be_refused(
    trial: Trial, careless: tuple[str, ...], refused: tuple[str, ...], trouble: str | None
) -> None:
    trial.careless.update(careless)
    draft = drafted(1, 0)[0]
    trial.history.operations.append({**appended(draft, "acked", 0), "producer": "load"})
    trial.history.operations += [{**appended(draft, "refused"), "producer": name} for name in refused]
    verdict = Verdict(trial.folder)
    judge_refusals(trial, verdict)
    assert (verdict.refused, verdict.trouble) == (len(refused), trouble)


def test_half_of_the_lines_are_bad_in_each_way_there_is() -> None:
    lines, codes = lines_of("door", 16, PARTITIONS)
    assert [one.number for one in lines] == list(range(16))
    assert list(codes) == list(range(1, 16, 2))
    assert list(codes.values()) == [*BAD, *BAD]


async def at_the_door(trial: Trial) -> None:
    """Append some good and bad lines beside a worker, and again, which changes nothing."""
    await trial.places.create_cuts_of_the_doors()
    await trial.preload(500)
    await trial.start("a", instance_id="a")
    for _ in range(2):
        await append_through_the_door(trial, "door", 40)


AT_THE_DOOR = Kind("at the door", at_the_door, partitions=2)


async def test_good_lines_land_through_the_door_and_bad_ones_do_not(stage: Stage) -> None:
    verdict = await played(AT_THE_DOOR, stage, 1)
    assert verdict.good, (verdict.trouble, verdict.findings)
    assert (verdict.events, verdict.refused) == (500 + 20, 20 + 20)


Judge = Callable[..., Awaitable[object]]


async def refuses_all(*_: object) -> object:
    return Undecodable("empty", "whatever it is")


async def takes_what_has_an_id_that_is_taken(event: object, known: object) -> object:
    found = await JUDGE(event, known)
    return event if isinstance(found, Undecodable) and found.pointer == "/source/own_id" else found


JUDGE: Judge = judging.judge


@pytest.mark.parametrize("bug", [refuses_all, takes_what_has_an_id_that_is_taken])
async def test_a_door_that_judges_wrongly_is_found(stage: Stage, monkeypatch: pytest.MonkeyPatch, bug: Judge) -> None:
    monkeypatch.setattr(appending, "judge", bug)
    verdict = await played(AT_THE_DOOR, stage, 1)
    assert verdict.trouble is not None
    assert verdict.trouble.startswith("expected the door to refuse {1: 'unknown_field', 3: 'not_json', ")
