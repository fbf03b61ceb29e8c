"""Topics that are not as Parley wrote them: the doors say what stands there and what to do, and call nothing equal."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.codec import encode
from streams.broker import BrokerAddress
from streams.doors import commanding
from streams.engine import ExitCode, cut_key
from streams.engine.set_asides import set_aside_prefix
from streams.topics import ALERTS, CHANGES, CUTS, DEAD_LETTERS, DEADLINES, EVENTS, MEASURES, partition_of
from streams.topics_on_kafka import ensure_topics
from tests.clock.world import promise
from tests.deleting import delete_records, delete_topics
from tests.doors.poisoned import Kind, Place, complete_with_worker, statements
from tests.first_light.running import PARTITIONS, PATIENCE_S, parley, played_history, service, write

PARTITION = partition_of(b"us-china", PARTITIONS)
WHOLE = len(played_history())
SOON = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.fixture
async def place(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> Place:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    return Place(kafka, prefix, tmp_path)


async def one_more(place: Place) -> None:
    await write(place.kafka.bootstrap, place.prefix, [promise("d", SOON, "us-china")])


async def make_the_ledger_anew(place: Place) -> None:
    await delete_topics(place.kafka.bootstrap, EVENTS.name(place.prefix))
    await ensure_topics(place.kafka.bootstrap, place.prefix, PARTITIONS)


async def make_the_ledger_anew_with_fewer_partitions(place: Place) -> None:
    """Make it without the partition of the negotiation; the derived topics stay as they are."""
    ledger = EVENTS.name(place.prefix)
    await delete_topics(place.kafka.bootstrap, ledger)
    admin = AIOKafkaAdminClient(bootstrap_servers=place.kafka.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(ledger, PARTITION, 1)])
    finally:
        await admin.close()


async def ends_for_a_person(place: Place, command: str) -> str:
    """Run a command that stays up; it ends with the code for outputs that are not Parley's. Return what it logged."""
    async with service(place.folder, command, "--brokers", place.kafka.bootstrap, "--prefix", place.prefix) as running:
        assert await asyncio.wait_for(running.wait(), PATIENCE_S) == ExitCode.VERSION
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
    await make_the_ledger_anew(place)
    await place.begin(WHOLE)  # as many events, and yet another ledger
    found = await place.ask(commanding.BAD_INPUT, "status")
    assert (found["behind"], found["complete"], found["of_another_ledger"]) == (0, False, [PARTITION])
    assert "deleted and made anew" in found["said"]
    assert "deleted and made anew" in (await place.ask(commanding.BAD_INPUT, "fsck"))["said"]


@pytest.mark.kafka
async def test_a_ledger_that_was_made_anew_with_fewer_partitions_is_called_that(place: Place) -> None:
    await place.begin(WHOLE)
    await complete_with_worker(place)
    await make_the_ledger_anew_with_fewer_partitions(place)
    found = await place.ask(commanding.BAD_INPUT, "status")
    assert (found["complete"], found["of_another_ledger"]) == (False, [PARTITION])
    assert "deleted and made anew" in found["said"]
    for words in (["fsck"], ["tables", "us-china"]):
        assert "deleted and made anew" in (await place.ask(commanding.BAD_INPUT, *words))["said"]


@pytest.mark.kafka
async def test_a_ledger_that_has_lost_its_beginning_is_called_that(place: Place) -> None:
    await place.begin(WHOLE)
    await complete_with_worker(place)
    await delete_records(place.kafka.bootstrap, EVENTS.name(place.prefix), PARTITION, 2)
    found = await place.ask(commanding.BAD_INPUT, "status")
    assert (found["behind"], found["complete"], found["beginning_gone"]) == (0, False, [PARTITION])
    assert "the first records of the ledger are gone" in found["said"]


@pytest.mark.kafka
async def test_what_somebody_planted_does_not_reach_the_terminal_as_it_is(place: Place) -> None:
    await place.begin(WHOLE)
    await complete_with_worker(place)
    await place.plant(MEASURES, PARTITION, b"us-china/\x1b[2J", b"\x1b[31mevil\x1b]0;title\x07")
    to = ("--brokers", place.kafka.bootstrap, "--prefix", place.prefix)
    done = await asyncio.to_thread(parley, place.folder, "fsck", "--table", *to)
    assert done.returncode == commanding.DIFFERENT
    assert b"\x1b" not in done.stdout
    assert b"\\u001b[31mevil" in done.stdout


@pytest.mark.kafka
async def test_a_record_nested_deeper_than_it_can_be_written_again_stops_no_door(place: Place) -> None:
    nested = Kind("too_deep", value=lambda _: b'{"negotiation":"us-china","retry_of":' + b"[" * 300 + b"]" * 300 + b"}")
    (event,) = statements(1)
    at = await place.poison(nested, event)
    await complete_with_worker(place)
    assert (await place.ask(0, "append", "-", given=encode(event)))["accepted"] == 1
    await place.dead_letters(0, "discard", at, "--reason", "planted")


@pytest.mark.kafka
async def test_an_event_of_a_newer_major_version_is_left_out_of_no_answer_and_no_export(place: Place) -> None:
    await place.begin()
    newer = Kind("unknown_major", value=lambda event: encode(event).replace(b'"type"', b'"version":"2.0","type"'))
    (event,) = statements(1)
    at = await place.poison(newer, event)
    where = f"partition {PARTITION}, offset {at.partition(':')[2]}"
    assert where in (await place.ask(commanding.BAD_INPUT, "state", "us-china"))["said"]
    to = ("--brokers", place.kafka.bootstrap, "--prefix", place.prefix)
    export = await asyncio.to_thread(parley, place.folder, "export", *to)
    assert (export.returncode, len(export.stdout.splitlines())) == (commanding.BAD_INPUT, 20)
    assert where in export.stderr.decode()


@pytest.mark.kafka
async def test_a_derived_topic_that_is_gone_is_not_made_anew_beside_the_others(place: Place) -> None:
    await place.begin(WHOLE)
    await complete_with_worker(place)
    gone = DEADLINES.name(place.prefix)
    await delete_topics(place.kafka.bootstrap, gone)
    for command in ("topics", "worker", "clock"):
        said = (await place.ask(commanding.BAD_INPUT, command))["said"]
        assert f"{gone}: expected a topic beside" in said
        assert "--outputs NAME" in said
    await delete_topics(place.kafka.bootstrap, EVENTS.name(place.prefix))
    said = (await place.ask(commanding.BAD_INPUT, "topics"))["said"]
    assert f"{EVENTS.name(place.prefix)}: expected a topic beside" in said
    assert "Restore the ledger" in said


@pytest.mark.kafka
async def test_two_sets_are_compared_beside_what_somebody_else_wrote(place: Place) -> None:
    await place.begin()
    for outputs in ("", "blue"):
        await place.ask(0, "topics", "--outputs", outputs)
        await complete_with_worker(place, outputs)
    strange = {
        ALERTS: b'{"sequence":5,"kind":"row"}',
        CHANGES: b'{"schema":"parley.change/1","kind":"row","sequence":[0,99,0]}',
        DEAD_LETTERS: b"x",
    }
    for topic, value in strange.items():
        await place.plant(topic, PARTITION, b"us-china", value, [("parley_position", b"abc")])
    nothing: list[Any] = [("parley_position", None)]
    await place.plant(DEAD_LETTERS, PARTITION, b"us-china", b"y", nothing)
    found = await place.ask(commanding.DIFFERENT, "fsck", "--against", "blue")
    assert {name for name, tally in found["topics"].items() if tally["only_here"]} == {one.suffix for one in strange}
    assert (await place.ask(0, "status"))["strange_dead_letters"] == 2


@pytest.mark.kafka
async def test_two_sets_are_not_compared_where_one_is_of_another_ledger(place: Place) -> None:
    await place.begin(WHOLE)
    await complete_with_worker(place)
    await make_the_ledger_anew(place)
    await place.ask(0, "topics", "--outputs", "blue")
    said = (await place.ask(commanding.BAD_INPUT, "fsck", "--against", "blue"))["said"]
    assert "deleted and made anew" in said
    found = await place.ask(commanding.BAD_INPUT, "tables", "us-china")
    assert found["measures"]
    assert "deleted and made anew" in found["said"]


@pytest.mark.kafka
async def test_what_nobody_has_written_or_heard_of_is_no_empty_answer(place: Place) -> None:
    await place.begin()
    assert "No worker has written" in (await place.ask(0, "tables", "us-china"))["said"]
    await complete_with_worker(place)
    for words in (["tables", "us-chian"], ["export", "us-chian"], ["state", "us-chian"]):
        said = (await place.ask(commanding.BAD_INPUT, *words))["said"]
        assert "no negotiation 'us-chian'" in said
        assert "there is us-china." in said
    changes = ("--kind", "changes", "--no-follow")
    for cursor, says in (("9:0", "partition 0 to 3"), (f"{PARTITION}:20", "Is it of another ledger?")):
        said = (await place.ask(commanding.BAD_INPUT, "watch", *changes, "--since", cursor))["said"]
        assert says in said
    one_for_both = await place.ask(commanding.USAGE, "watch", "--since", f"{PARTITION}:1", "--no-follow")
    assert "expected --kind changes or --kind alerts beside a cursor" in one_for_both["said"]
    assert "no negotiation 'us-chian'" in (await place.ask(0, "watch", "us-chian", *changes))["said"]
    await place.plant(MEASURES, PARTITION, b"us-china/\xff", b"{}")
    assert "expected a key in UTF-8" in (await place.ask(commanding.BAD_INPUT, "tables", "us-china"))["said"]
