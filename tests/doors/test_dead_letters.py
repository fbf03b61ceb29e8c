"""`parley dead-letters`: every kind is listed, shown, retried or discarded, once; the ledger is none the worse."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from schemas.codec import encode
from schemas.ids import event_id
from streams.broker import BrokerAddress
from streams.doors.dead_letters import deciding
from streams.doors.dead_letters.decisions import ledger_place
from streams.doors.dead_letters.ledgers import ledger_of
from streams.doors.dead_letters.trial import Refusal
from streams.doors.kafka import read_ledger
from streams.engine import Outputs, Record
from streams.producing import LedgerWriter
from streams.projection import LedgerProjection
from streams.topics import DECISIONS, EVENTS
from streams.topics_on_kafka import ensure_topics
from tests.deleting import delete_topics
from tests.doors.poisoned import KINDS, Headers, Kind, Place, complete_with_worker, statements
from tests.engine.batches import append_batch, gzip_bomb
from tests.first_light.running import PARTITIONS

REASON = ("--reason", "a test of ours")


@pytest.fixture
def place(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> Place:
    return Place(kafka, prefix, tmp_path)


def fixed_file(place: Place, data: bytes) -> str:
    (place.folder / "fixed.json").write_bytes(data)
    return str(place.folder / "fixed.json")


async def test_each_kind_is_listed_shown_retried_and_discarded(place: Place) -> None:
    await place.begin()
    events = statements(2 * len(KINDS))
    retried = {name: await place.poison(kind, events[n]) for n, (name, kind) in enumerate(KINDS.items())}
    discarded = {
        name: await place.poison(kind, events[n]) for n, (name, kind) in enumerate(KINDS.items(), start=len(KINDS))
    }
    await complete_with_worker(place)

    status = await place.ask(0, "status")
    assert status["dead_letters"] == {"open": 8, "retried": 0, "discarded": 0}
    found = await place.dead_letters(0, "list")
    lines = {line["position"]: line for line in found["dead_letters"]}
    assert (found["counts"]["open"], set(lines)) == (8, {*retried.values(), *discarded.values()})

    for (name, kind), event in zip(KINDS.items(), events, strict=False):
        position, line = retried[name], lines[retried[name]]
        assert (line["code"], line["pointer"], line["state"]) == (kind.code, kind.pointer, "open")
        assert line["bytes"] == len(kind.value(event))
        shown = await place.dead_letters(0, "show", position)
        assert shown["value"]["text"] == kind.value(event)[: 16 << 10].decode()
        assert {"name": "ce_id", "text": event_id(event), "bytes": 32, "cut_off": False} in shown["headers"]
        assert f"parley dead-letters retry {position}" in shown["next"]

        fixed = fixed_file(place, encode(event))
        done = await place.dead_letters(0, "retry", position, "--file", fixed, "--by", "desk")
        decision = done["decision"]
        assert (done["accepted"], done["duplicates"], done["refused"]) == (1, 0, [])
        assert (decision["verdict"], decision["by"], decision["event"]) == ("retried", "desk", event_id(event))
        again = await place.dead_letters(3, "retry", position, "--file", fixed)
        assert f"{position} was retried already: the event {event_id(event)}" in again["said"]

    for position in discarded.values():
        kept = await place.dead_letters(0, "discard", position, *REASON)
        assert (kept["decision"]["verdict"], kept["decision"]["reason"]) == ("discarded", "a test of ours")
    twice = await place.dead_letters(0, "discard", position, "--reason", "another")
    assert (twice["was_discarded"], twice["decision"]) == (True, kept["decision"])
    never = await place.dead_letters(3, "discard", retried["oversized"], *REASON)
    assert "was retried already" in never["said"]

    await complete_with_worker(place)
    assert (await place.ask(0, "fsck"))["equal"] is True
    status = await place.ask(0, "status")
    assert status["dead_letters"] == {"open": 0, "retried": 4, "discarded": 4}
    on_ledger = {one.id: one.event for one in (await read_ledger(place.kafka.bootstrap, place.prefix)).events}
    for (name, _), event in zip(KINDS.items(), events, strict=False):
        replaced = on_ledger[event_id(event)].retry_of
        assert replaced is not None
        assert f"{replaced.partition}:{replaced.offset}" == retried[name]


async def test_what_only_stood_in_the_wrong_place_is_retried_as_it_is(place: Place) -> None:
    await place.begin()
    event, other = statements(2)
    misplaced = await place.poison(KINDS["wrong partition"], event)
    malformed = await place.poison(KINDS["malformed"], other)
    await complete_with_worker(place)
    assert (await place.dead_letters(0, "retry", misplaced))["accepted"] == 1
    refused = await place.dead_letters(3, "retry", malformed)
    (line,) = refused["refused"]
    assert (line["line"], line["code"], line["pointer"]) == (1, "unknown_field", "/colour")
    assert (refused["accepted"], refused["decision"]) == (0, None)

    here = await place.dead_letters(0, "list", "--state", "open")
    assert [one["position"] for one in here["dead_letters"]] == [malformed]
    coded = await place.dead_letters(0, "list", "--code", "invalid_value", "--limit", "1")
    assert ([one["state"] for one in coded["dead_letters"]], coded["left_out"]) == (["retried"], 0)
    newest = await place.dead_letters(0, "list", "--limit", "1")
    assert (len(newest["dead_letters"]), newest["left_out"]) == (1, 1)


async def test_a_retry_killed_between_its_writes_is_completed_and_not_appended_twice(place: Place) -> None:
    await place.begin()
    (event,) = statements(1)
    position = await place.poison(KINDS["malformed"], event)
    await complete_with_worker(place)
    fixed = fixed_file(place, encode(event))
    await place.dead_letters(-9, "retry", position, "--file", fixed, "--stop-at", "after_append")
    assert (await place.dead_letters(0, "list"))["counts"]["open"] == 1
    refused = await place.dead_letters(3, "discard", position, *REASON)
    assert "was retried already" in refused["said"]
    done = await place.dead_letters(0, "retry", position, "--file", fixed)
    assert (done["accepted"], done["duplicates"], done["decision"]["event"]) == (0, 1, event_id(event))
    assert (await place.dead_letters(0, "list"))["counts"] == {"open": 0, "retried": 1, "discarded": 0}
    await place.dead_letters(3, "retry", position, "--file", fixed)
    found = (await read_ledger(place.kafka.bootstrap, place.prefix)).events
    assert [one.id for one in found].count(event_id(event)) == 1


async def test_decisions_hold_for_another_set_of_outputs(place: Place) -> None:
    await place.begin()
    first, second = statements(2)
    retried = await place.poison(KINDS["malformed"], first)
    discarded = await place.poison(KINDS["wrong key"], second)
    await complete_with_worker(place)
    await place.dead_letters(0, "retry", retried, "--file", "-", given=encode(first))
    await place.dead_letters(0, "discard", discarded, *REASON)
    await ensure_topics(place.kafka.bootstrap, f"{place.prefix}+blue", PARTITIONS)
    await complete_with_worker(place, "blue")
    found = await place.dead_letters(0, "list", settings={"outputs": "blue"})
    assert {one["position"]: one["state"] for one in found["dead_letters"]} == {
        retried: "retried",
        discarded: "discarded",
    }
    compared = await place.ask(0, "fsck", "--outputs", "blue")
    assert compared["equal"] is True


async def test_a_batch_that_nobody_unpacked_is_retried_with_a_file_only(place: Place) -> None:
    await place.begin()
    offset = await append_batch(place.kafka.bootstrap, EVENTS.name(place.prefix), gzip_bomb(1 << 20))
    await complete_with_worker(place)
    position = f"0:{offset}"
    shown = await place.dead_letters(0, "show", position)
    assert (shown["code"], shown["value"]) == ("refused_batch", None)
    refused = await place.dead_letters(3, "retry", position)
    assert "never unpacked" in refused["said"]
    assert (await place.dead_letters(3, "show", position, "--raw"))["said"].startswith(f"parley: {position} has no")
    (event,) = statements(1)
    done = await place.dead_letters(0, "retry", position, "--file", "-", given=encode(event))
    assert done["accepted"] == 1


async def test_what_the_fold_was_told_to_pass_is_retried_once_it_can_be_read(place: Place) -> None:
    await place.begin()
    event, behind = statements(2)
    later = Kind("set_aside", value=lambda one: encode(one).replace(b'"type"', b'"version":"2.0","type"'))
    await place.poison(KINDS["malformed"], event)
    position = await place.poison(later, event)
    await place.ask(0, "set-aside", position, "--reason", "not to be installed")
    await complete_with_worker(place)
    assert (await place.dead_letters(0, "show", position))["code"] == "set_aside"
    refused = await place.dead_letters(3, "retry", position)
    assert [(one["code"], one["pointer"]) for one in refused["refused"]] == [("unknown_major", "/version")]
    done = await place.dead_letters(0, "retry", position, "--file", "-", given=encode(event))
    assert done["accepted"] == 1

    stops = await place.poison(later, behind)
    dead = (await place.dead_letters(0, "list", "--state", "open"))["dead_letters"][0]["position"]
    refused = await place.dead_letters(3, "retry", dead, "--file", "-", given=encode(behind))
    (line,) = refused["refused"]
    assert line["code"] == "fold_raised"
    assert f"parley set-aside {stops} --reason TEXT" in line["reason"]


class Raising(LedgerProjection):
    """A fold with a bug: it raises on one statement."""

    def project(self, records: Sequence[Record], outputs: Outputs) -> None:
        if any(b"statement-1" in (record.value or b"") for record in records):
            raise ZeroDivisionError("one statement too many")
        super().project(records, outputs)


async def test_what_the_fold_would_raise_on_is_refused_before_it_is_written(place: Place) -> None:
    await place.begin()
    events = statements(2)
    positions = [await place.poison(KINDS["malformed"], event) for event in events]
    await complete_with_worker(place)
    done = []
    for position, event in zip(positions, events, strict=True):
        partition, offset = map(int, position.split(":"))
        where = deciding.Where(place.kafka.bootstrap, place.prefix, (partition, offset), "desk")
        done.append(
            await deciding.retry(
                where, encode(event), lambda partitions: Raising(prefix=place.prefix, partitions=partitions)
            )
        )
    reason = "the fold raises on it (ZeroDivisionError: one statement too many): it would stop the worker"
    assert [one.refusal for one in done] == [None, Refusal("fold_raised", reason)]
    on_ledger = {one.id for one in (await read_ledger(place.kafka.bootstrap, place.prefix)).events}
    assert [event_id(event) in on_ledger for event in events] == [True, False]


async def test_an_event_that_the_ledger_has_is_not_appended_as_a_retry(place: Place) -> None:
    await place.begin()
    event, other = statements(2)
    position = await place.poison(KINDS["malformed"], event)
    await complete_with_worker(place)
    await place.ask(0, "append", "-", given=encode(event))
    there = await place.dead_letters(3, "retry", position, "--file", "-", given=encode(event))
    assert "discard the dead letter" in there["refused"][0]["reason"]
    taken = other.model_copy(update={"source": getattr(event, "source", None)})
    refused = await place.dead_letters(3, "retry", position, "--file", "-", given=encode(taken))
    assert "another event under the id" in refused["refused"][0]["reason"]
    empty = await place.dead_letters(3, "retry", position, "--file", "-")
    assert empty["refused"][0]["code"] == "empty"


async def test_a_retry_is_judged_as_append_judges_a_line(place: Place) -> None:
    await place.begin()
    (event,) = statements(1)
    position = await place.poison(KINDS["malformed"], event)
    await complete_with_worker(place)
    document = json.loads(encode(event))
    document["announced"] = {"at": "2025-11-10T00:01:00-04:00", "zone": "America/New_York"}
    given = json.dumps(document).encode()
    appended = await place.ask(3, "append", "-", given=given)
    retried = await place.dead_letters(3, "retry", position, "--file", "-", given=given)
    assert (retried["accepted"], retried["decision"]) == (0, None)
    assert retried["refused"] == appended["refused"]
    assert [(one["code"], one["pointer"]) for one in retried["refused"]] == [("invalid_value", "/announced/at")]


async def test_what_was_discarded_can_be_retried_and_an_event_that_says_so_itself_is_found(place: Place) -> None:
    await place.begin()
    (event,) = statements(1)
    position = await place.poison(KINDS["malformed"], event)
    await complete_with_worker(place)
    await place.dead_letters(0, "discard", position, *REASON)
    partition, offset = map(int, position.split(":"))
    replaced = ledger_place(await ledger_of(place.kafka.bootstrap, place.prefix), (partition, offset))
    by_hand = event.model_copy(update={"version": "1.1", "retry_of": replaced})
    assert (await place.ask(0, "append", "-", given=encode(by_hand)))["accepted"] == 1
    done = await place.dead_letters(0, "retry", position)
    assert (done["duplicates"], done["decision"]["event"]) == (1, event_id(event))
    assert (await place.dead_letters(0, "list"))["counts"] == {"open": 0, "retried": 1, "discarded": 0}


async def test_without_a_topic_for_decisions_nothing_is_decided(place: Place) -> None:
    await place.begin()
    (event,) = statements(1)
    position = await place.poison(KINDS["malformed"], event)
    await complete_with_worker(place)
    async with LedgerWriter(place.kafka.bootstrap, DECISIONS.name(place.prefix)) as writer:
        await writer.append(b"somebody", b"{}", (), partition=1)
    refused = await place.dead_letters(3, "list")
    assert "key b'somebody': expected a decision about a dead letter" in refused["said"]

    await delete_topics(place.kafka.bootstrap, DECISIONS.name(place.prefix))
    assert (await place.ask(0, "status"))["dead_letters"]["open"] == 1
    missing = await place.dead_letters(4, "discard", position, *REASON)
    assert "Create Parley's topics with `parley topics`" in missing["said"]


async def test_dead_letters_of_a_ledger_that_was_made_anew_are_left_out(place: Place) -> None:
    await place.begin()
    (event,) = statements(1)
    position = await place.poison(KINDS["malformed"], event)
    await complete_with_worker(place)
    assert (await place.dead_letters(0, "list"))["of_another_ledger"] == 0
    await delete_topics(place.kafka.bootstrap, EVENTS.name(place.prefix))
    await place.begin(40)  # so that another record stands at that position
    found = await place.dead_letters(0, "list")
    assert (found["counts"]["open"], found["dead_letters"], found["of_another_ledger"]) == (0, [], 1)
    assert "1 dead letters are left out: they speak of a ledger that was deleted" in found["said"]
    status = await place.ask(3, "status")
    assert (status["dead_letters"]["open"], len(status["of_another_ledger"])) == (0, 1)
    for words in (("show", position), ("retry", position), ("discard", position, *REASON)):
        assert "was deleted and made anew" in (await place.dead_letters(3, *words))["said"]


async def test_only_the_last_headers_are_the_workers(place: Place) -> None:
    await place.begin()
    (event,) = statements(1)
    faked = [("parley_position", b"0:0"), ("parley_code", b"nothing"), ("parley_reason", b"\x1b[2J"), ("x", b"\xff")]
    empty = cast("Headers", [("empty", None)])  # for Kafka a header may be without a value, whatever its clients say
    position = await place.poison(KINDS["malformed"], event, [*faked, *empty])
    await complete_with_worker(place)
    shown = await place.dead_letters(0, "show", position)
    assert (shown["position"], shown["code"]) == (position, "unknown_field")
    assert {"name": "parley_position", "text": "0:0", "bytes": 3, "cut_off": False} in shown["headers"]
    assert {"name": "x", "base64": "/w==", "bytes": 1, "cut_off": False} in shown["headers"]
    assert {"name": "empty", "text": None, "bytes": 0, "cut_off": False} in shown["headers"]
    missing = await place.dead_letters(3, "show", "0:0")
    assert "expected the position of a dead letter, got 0:0" in missing["said"]
    terminal = await place.tell("dead-letters", "show", position, "--table")
    assert {"header empty: none", "header x: base64 /w=="} <= set(terminal.splitlines())
    for words, code in ((("show", "0"), 2), (("show", "9:0"), 3), (("discard", position, "--reason", " "), 2)):
        assert "expected" in (await place.dead_letters(code, *words))["said"]
