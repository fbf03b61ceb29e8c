"""Topics that are not as Parley wrote them: the doors say what stands there and what to do, and call nothing equal."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streams.broker import BrokerAddress
from streams.doors import commanding
from streams.engine import ExitCode, cut_key
from streams.engine.set_asides import set_aside_prefix
from streams.topics import CUTS, EVENTS, MEASURES, partition_of
from streams.topics_on_kafka import ensure_topics
from tests.clock.world import promise
from tests.deleting import delete_topics
from tests.doors.poisoned import Place, complete_with_worker
from tests.first_light.running import PARTITIONS, parley, played_history, service, write

PARTITION = partition_of(b"us-china", PARTITIONS)
WHOLE = len(played_history())
SOON = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.fixture
async def place(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> Place:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    return Place(kafka, prefix, tmp_path)


async def one_more(place: Place) -> None:
    await write(place.kafka.bootstrap, place.prefix, [promise("d", SOON, "us-china")])


async def ends_for_a_person(place: Place, command: str) -> str:
    """Run a command that stays up; it ends with the code for outputs that are not Parley's. Return what it logged."""
    async with service(place.folder, command, "--brokers", place.kafka.bootstrap, "--prefix", place.prefix) as running:
        assert await running.wait() == ExitCode.VERSION
    return (place.folder / f"{command}.log").read_text("utf-8")


@pytest.mark.kafka
async def test_a_cut_that_is_none_is_named_with_its_place(place: Place) -> None:
    await place.begin()
    key = cut_key(EVENTS.name(place.prefix), PARTITION)
    await place.plant(CUTS, PARTITION, key, b"{}")
    where = f"{CUTS.name(place.prefix)}/{PARTITION}, offset 0, key '{key.decode()}': expected a cut"
    for words in (["fsck"], ["status"], ["tables", "us-china"], ["set-aside", f"{PARTITION}:3", "--reason", "none"]):
        assert where in (await place.ask(commanding.BAD_INPUT, *words))["said"]
    assert "expected a cut" in await ends_for_a_person(place, "worker")


@pytest.mark.kafka
async def test_a_set_aside_that_is_none_stops_the_clock_for_a_person(place: Place) -> None:
    await one_more(place)
    await place.plant(CUTS, PARTITION, set_aside_prefix(EVENTS.name(place.prefix), PARTITION) + b"0", b"[]")
    assert "expected a set-aside" in await ends_for_a_person(place, "clock")
    assert "expected a set-aside" in (await place.ask(commanding.BAD_INPUT, "state", "us-china"))["said"]


@pytest.mark.kafka
async def test_where_nothing_was_written_nothing_is_called_equal(place: Place) -> None:
    assert (await place.ask(0, "fsck"))["equal"] is True  # no events, no outputs
    await place.begin(WHOLE)
    await complete_with_worker(place)
    await place.ask(0, "topics", "--outputs", "blue")
    for words in (["fsck", "--against", "blue"], ["fsck", "--outputs", "blue"]):
        assert "no worker has written to" in (await place.ask(commanding.BAD_INPUT, *words))["said"]
    await one_more(place)
    report = await place.ask(0, "fsck")
    assert [one["behind"] for one in report["partitions"] if one["partition"] == PARTITION] == [1]


@pytest.mark.kafka
async def test_a_ledger_that_was_made_anew_is_called_that(place: Place) -> None:
    await place.begin(WHOLE)
    await complete_with_worker(place)
    await delete_topics(place.kafka.bootstrap, EVENTS.name(place.prefix))
    await ensure_topics(place.kafka.bootstrap, place.prefix, PARTITIONS)
    await place.begin(WHOLE)  # as many events, and yet another ledger
    found = await place.ask(commanding.BAD_INPUT, "status")
    assert (found["behind"], found["complete"], found["of_another_ledger"]) == (0, False, [PARTITION])
    assert "deleted and made anew" in found["said"]
    assert "deleted and made anew" in (await place.ask(commanding.BAD_INPUT, "fsck"))["said"]


@pytest.mark.kafka
async def test_what_somebody_planted_does_not_reach_the_terminal_as_it_is(place: Place) -> None:
    await place.begin(WHOLE)
    await complete_with_worker(place)
    await place.plant(MEASURES, PARTITION, b"us-china/\x1b[2J", b"\x1b[31mevil\x1b]0;title\x07")
    to = ("--brokers", place.kafka.bootstrap, "--prefix", place.prefix)
    done = await asyncio.to_thread(parley, place.folder, "fsck", "--table", *to)
    assert done.returncode == commanding.DIFFERENT
    assert b"\x1b" not in done.stdout
    assert b"\\x1b[31mevil" in done.stdout
