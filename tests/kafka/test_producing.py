"""Writing: acknowledged places, order per partition, and what is said when Kafka does not answer."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from schemas.positions import Position
from streams.broker import BrokerAddress, EmbeddedBroker
from streams.producing import RECORD_BYTES_MAX, Append, AppendFailed, LedgerWriter
from streams.reading import BrokerUnreachable, KafkaRecord, TopicMissing, read_to_end
from streams.topics_on_kafka import ensure_topics

HEADERS = (("ce_specversion", b"1.0"), ("ce_id", "é".encode()))


async def everything(bootstrap: str, topic: str) -> list[KafkaRecord]:
    return [record async for records in read_to_end(bootstrap, topic, dense=True) for record in records]


async def test_an_append_says_where_it_stands_and_is_there_byte_for_byte(kafka: BrokerAddress, prefix: str) -> None:
    topic = f"{prefix}.events.v1"
    await ensure_topics(kafka.bootstrap, prefix, 2)
    async with LedgerWriter(kafka.bootstrap, topic) as writer:
        assert writer.partitions == 2
        places = [await writer.append(b"us-china", b"\x00 %d" % i, HEADERS, partition=i % 2) for i in range(5)]
    assert places == [Position(topic, i % 2, i // 2) for i in range(5)]
    found = {
        (one.partition, one.offset): (one.key, one.value, one.headers)
        for one in await everything(kafka.bootstrap, topic)
    }
    assert found == {(i % 2, i // 2): (b"us-china", b"\x00 %d" % i, HEADERS) for i in range(5)}


async def test_a_writer_closes_wholly_though_a_time_limit_runs_out_meanwhile(kafka: BrokerAddress, prefix: str) -> None:
    topic = f"{prefix}.events.v1"
    await ensure_topics(kafka.bootstrap, prefix, 1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(None) as limit, LedgerWriter(kafka.bootstrap, topic):
            limit.reschedule(0)  # in the next turn of the loop, which comes when the writer waits for its own end
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_many_appends_keep_their_order_in_each_partition(kafka: BrokerAddress, prefix: str) -> None:
    topic = f"{prefix}.events.v1"
    await ensure_topics(kafka.bootstrap, prefix, 4)
    # sizes from nothing to beyond what one batch holds several of, partitions unevenly; more than one chunk
    records = [Append(b"k", b"%d:" % i + b"x" * (i * 7919 % 2000), HEADERS, i * i % 4) for i in range(30_000)]
    async with LedgerWriter(kafka.bootstrap, topic) as writer:
        assert await writer.append_all([]) == []
        places = await writer.append_all(records)
    found = {
        Position(one.topic, one.partition, one.offset): one.value for one in await everything(kafka.bootstrap, topic)
    }
    assert found == {place: record.value for place, record in zip(places, records, strict=True)}
    for partition in range(4):
        offsets = [place.offset for place in places if place.partition == partition]
        assert offsets == list(range(len(offsets)))


async def test_the_longest_event_fits_and_what_no_batch_holds_is_refused(kafka: BrokerAddress, prefix: str) -> None:
    topic = f"{prefix}.events.v1"
    await ensure_topics(kafka.bootstrap, prefix, 1)
    async with LedgerWriter(kafka.bootstrap, topic) as writer:
        longest = [Append(b"k", bytes(256 << 10), HEADERS, 0)] * 5
        assert await writer.append_all(longest) == [Position(topic, 0, i) for i in range(5)]
        with pytest.raises(ValueError, match=r"^a record of 2097153 bytes with key b'k': at most 1032192 bytes fit"):
            await writer.append_all([Append(b"k", b"good", (), 0), Append(b"k", bytes(2 << 20), (), 0)])
        with pytest.raises(ValueError, match=r"^a record of 2097153 bytes"):
            await writer.append(b"k", bytes(2 << 20), (), partition=0)
        longest_record = bytes(RECORD_BYTES_MAX - 1)
        assert await writer.append(b"k", longest_record, (), partition=0) == Position(topic, 0, 5)
        assert await writer.append_all([Append(b"k", longest_record, (), 0)] * 2) == [
            Position(topic, 0, 6),
            Position(topic, 0, 7),
        ]


async def test_a_missing_topic_is_named_and_not_made(kafka: BrokerAddress, prefix: str) -> None:
    with pytest.raises(TopicMissing, match=rf"^No topic {prefix}\.events\.v1 on {kafka.bootstrap}\. Create Parley's"):
        async with LedgerWriter(kafka.bootstrap, f"{prefix}.events.v1"):
            pass


async def test_without_a_broker_writing_does_not_begin() -> None:
    with pytest.raises(BrokerUnreachable):
        async with LedgerWriter("127.0.0.1:1", "parley.events.v1"):
            pass


@pytest.mark.kafka
async def test_what_is_not_acknowledged_is_said_to_be_uncertain(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path)
    try:
        address = broker.start()
        await ensure_topics(address.bootstrap, "parley", 1)
        async with LedgerWriter(address.bootstrap, "parley.events.v1", answer_s=1) as writer:
            await writer.append(b"k", b"v", (), partition=0)
            os.kill(broker.pid, signal.SIGKILL)
            with pytest.raises(AppendFailed) as failure:
                await writer.append_all([Append(b"k", b"v", (), 0)] * 3)
            with pytest.raises(AppendFailed):
                await writer.append(b"k", b"v", (), partition=0)  # it takes nothing more
        assert failure.value.acknowledged == {}
        assert str(failure.value).startswith("parley.events.v1: 3 of 3 records were not acknowledged (")
        assert str(failure.value).endswith("They may be there or not: append them again, repeats are recognised.")
    finally:
        broker.stop()
