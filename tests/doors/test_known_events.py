"""What the door takes for a repeat, for another event under a taken id, and for new."""

from datetime import datetime, timedelta
from pathlib import Path

from schemas.cloudevents import headers
from schemas.codec import encode
from schemas.events import ClockStruck, ComponentChanged, Event
from schemas.times import parse_instant
from streams import ledger_file
from streams.broker import BrokerAddress
from streams.client import Parley
from streams.doors.appending import Appended
from streams.producing import Append, LedgerWriter
from streams.topics import EVENTS, partition_of
from streams.topics_on_kafka import ensure_topics
from tests.first_light.running import PARTITIONS

SYLVANIA = Path(__file__).parents[1] / "stories" / "sylvania_freedonia.jsonl"
NOON = parse_instant("2025-01-01T12:00:00+00:00")
HOUR = timedelta(hours=1)


def report() -> ComponentChanged:
    found = next(one for one in ledger_file.events(str(SYLVANIA)) if isinstance(one, ComponentChanged))
    return found.model_copy(update={"source": found.source.model_copy(update={"own_id": "sy-1"})})


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
    other = event.model_copy(update={"source": event.source.model_copy(update={"own_id": "sy-2"}), "title": "Another"})
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
