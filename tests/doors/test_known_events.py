"""What the door takes for a repeat, for another event under a taken id, and for new."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.cloudevents import headers
from schemas.codec import encode
from schemas.events import ClockStruck, ComponentChanged, Event
from schemas.times import parse_instant
from streams import ledger_file
from streams.broker import BrokerAddress
from streams.client import Parley
from streams.doors import appending, known_events
from streams.doors.appending import Appended, append
from streams.doors.arriving import at_hand
from streams.producing import Append, LedgerWriter
from streams.reading import Isolation, KafkaRecord, Reader, open_reader, read_on
from streams.topics import EVENTS, partition_of
from streams.topics_on_kafka import ensure_topics
from tests.first_light.running import PARTITIONS

SYLVANIA = Path(__file__).parents[1] / "stories" / "sylvania_freedonia.jsonl"
NOON = parse_instant("2025-01-01T12:00:00+00:00")
HOUR = timedelta(hours=1)


def report() -> ComponentChanged:
    found = next(one for one in ledger_file.events(str(SYLVANIA)) if isinstance(one, ComponentChanged))
    return own(found, "sy-1")


def own(event: ComponentChanged, own_id: str) -> ComponentChanged:
    return event.model_copy(update={"source": event.source.model_copy(update={"own_id": own_id})})


def at(event: Event, instant: datetime) -> Event:
    return event.model_copy(update={"first_recorded_at": instant})


async def append_raw(bootstrap: str, prefix: str, value: bytes, event: Event, partition: int) -> None:
    async with LedgerWriter(bootstrap, EVENTS.name(prefix)) as writer:
        key = event.negotiation.encode()
        await writer.append_all([Append(key, value, headers(event), partition)])


async def test_what_could_not_be_read_does_not_take_the_id_of_its_event(kafka: BrokerAddress, prefix: str) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    event = report()
    place = partition_of(event.negotiation.encode(), PARTITIONS)
    await append_raw(kafka.bootstrap, prefix, encode(event), event, (place + 1) % PARTITIONS)
    odd = encode(event).replace(b'"type"', b'"colour":"red","type"')
    await append_raw(kafka.bootstrap, prefix, odd, event, place)
    parley = Parley(kafka.bootstrap, prefix=prefix)
    assert await parley.append([event]) == Appended(accepted=1)
    assert await parley.append([event]) == Appended(duplicates=1)


async def test_a_record_that_names_the_id_of_another_event_does_not_take_it(kafka: BrokerAddress, prefix: str) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    event = report()
    other = own(event, "sy-2")
    place = partition_of(event.negotiation.encode(), PARTITIONS)
    await append_raw(kafka.bootstrap, prefix, encode(other), event, place)
    done = await Parley(kafka.bootstrap, prefix=prefix).append([event, other, event])
    assert done == Appended(accepted=1, duplicates=2)


async def test_an_id_that_is_taken_is_refused_and_a_repeat_is_counted(kafka: BrokerAddress, prefix: str) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    event = report()
    other = event.model_copy(update={"title": "Something else"})
    parley = Parley(kafka.bootstrap, prefix=prefix)
    assert await parley.append([event, event]) == Appended(accepted=1, duplicates=1)
    for another in (other, at(other, NOON)):
        done = await parley.append([another])
        assert (done.accepted, [one["pointer"] for one in done.refused]) == (0, ["/source/own_id"])
    assert await parley.append([at(event, NOON)]) == Appended(duplicates=1)


async def test_a_copy_of_another_ledger_is_taken_as_it_stood_there(kafka: BrokerAddress, prefix: str) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    event = report()
    other = event.model_copy(update={"title": "Something else"})
    strike = ClockStruck(negotiation=event.negotiation, at=NOON, mode="live")
    copy = [
        at(event, NOON),
        at(event, NOON + HOUR),  # a repeat, which the fold passes over
        at(other, NOON + 2 * HOUR),  # the fold finds it
        at(strike, NOON - HOUR),  # the fold refuses it
        at(strike, NOON),
    ]
    parley = Parley(kafka.bootstrap, prefix=prefix)
    assert await parley.append(copy) == Appended(accepted=4, duplicates=1)
    assert await parley.append(copy) == Appended(duplicates=5)
    assert await parley.append([event, strike]) == Appended(duplicates=2)
    assert (await parley.append([at(other, NOON)])).refused[0]["pointer"] == "/source/own_id"


async def test_what_another_writer_appends_meanwhile_is_known_before_the_next_lines(
    kafka: BrokerAddress, prefix: str
) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    first, second, third = (own(report(), f"sy-{number}") for number in range(3))
    other = second.model_copy(update={"title": "Something else"})
    elsewhere = Parley(kafka.bootstrap, prefix=prefix)

    async def chunks() -> AsyncIterator[Sequence[bytes]]:
        yield [encode(first)]
        assert await elsewhere.append([first, second, third]) == Appended(accepted=2, duplicates=1)
        yield [encode(one) for one in (other, third, first)]

    done = Appended()
    await append(kafka.bootstrap, prefix, [(done, chunks())])
    assert (done.accepted, done.duplicates) == (1, 2)
    assert [(one["line"], one["pointer"]) for one in done.refused] == [(2, "/source/own_id")]


async def test_several_files_are_appended_with_one_look_at_the_ledger(
    kafka: BrokerAddress, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    there, first, second, third = (own(report(), f"sy-{number}") for number in range(4))
    await Parley(kafka.bootstrap, prefix=prefix).append([there])
    read: list[int] = []

    async def counted(*words: Any, **how: Any) -> AsyncIterator[Sequence[KafkaRecord]]:  # noqa: ANN401 -- as it is called
        async for records in read_on(*words, **how):
            read.extend(record.offset for record in records)
            yield records

    monkeypatch.setattr(known_events, "read_on", counted)
    files = [[there, first, second], [first, second, third], [third]]
    done = [Appended() for _ in files]
    data = [at_hand(map(encode, events)) for events in files]
    await append(kafka.bootstrap, prefix, zip(done, data, strict=True))
    assert done == [Appended(accepted=2, duplicates=1), Appended(accepted=1, duplicates=2), Appended(duplicates=1)]
    assert read == [0]


async def test_lines_that_trickle_in_are_appended_with_one_reader_however_often_others_write_between(
    kafka: BrokerAddress, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    opened: list[str] = []

    def counted(bootstrap: str, topic: str, isolation: Isolation) -> AbstractAsyncContextManager[Reader]:
        opened.append(topic)
        return open_reader(bootstrap, topic, isolation)

    events = [own(report(), f"sy-{number}") for number in range(9)]

    async def chunks() -> AsyncIterator[Sequence[bytes]]:
        for first in (0, 3, 6):
            mine, *theirs = events[first : first + 3]
            yield [encode(mine)]
            async with LedgerWriter(kafka.bootstrap, EVENTS.name(prefix)) as elsewhere:
                place = partition_of(mine.negotiation.encode(), PARTITIONS)
                records = [Append(one.negotiation.encode(), encode(one), headers(one), place) for one in theirs]
                await elsewhere.append_all(records)
            yield [encode(one) for one in events[first : first + 3]]

    monkeypatch.setattr(appending, "open_reader", counted)
    done = Appended()
    await append(kafka.bootstrap, prefix, [(done, chunks())])
    assert done == Appended(accepted=3, duplicates=9)
    assert opened == [EVENTS.name(prefix)]
