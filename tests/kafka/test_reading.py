"""Reading: up to the end and no further, committed or not, as a table, on and on; and what is wrong is said."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from streams.broker import BrokerAddress, EmbeddedBroker
from streams.producing import Append, LedgerWriter
from streams.reading import (
    BrokerUnreachable,
    HoleInTopic,
    Isolation,
    RecordsGone,
    TableRow,
    TopicMissing,
    end_positions,
    follow,
    read_table,
    read_to_end,
)
from streams.reading.records import open_reader
from streams.topics_on_kafka import ensure_topics, topics_found
from tests.deleting import delete_records


async def write(bootstrap: str, topic: str, *values: bytes, partition: int = 0) -> None:
    async with LedgerWriter(bootstrap, topic) as writer:
        await writer.append_all([Append(b"k", value, (), partition) for value in values])


async def values(bootstrap: str, topic: str, isolation: Isolation) -> list[bytes | None]:
    return [record.value async for records in read_to_end(bootstrap, topic, isolation=isolation) for record in records]


async def until_it_fails(batches: AsyncIterator[object]) -> None:
    async for _ in batches:
        pass


@asynccontextmanager
async def transactions(bootstrap: str, name: str) -> AsyncIterator[Any]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=name, transaction_timeout_ms=60_000)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def test_reading_ends_where_the_topic_ended_when_it_began(kafka: BrokerAddress, prefix: str) -> None:
    topic = f"{prefix}.events.v1"
    await ensure_topics(kafka.bootstrap, prefix, 2)
    assert await end_positions(kafka.bootstrap, topic) == {0: 0, 1: 0}
    assert await values(kafka.bootstrap, topic, "read_uncommitted") == []
    await write(kafka.bootstrap, topic, b"a", b"b", b"c")
    await write(kafka.bootstrap, topic, b"d", partition=1)
    read = []
    async for records in read_to_end(kafka.bootstrap, topic, dense=True):
        await write(kafka.bootstrap, topic, b"later", partition=records[0].partition)
        read += [(record.partition, record.offset, record.value) for record in records]
    assert sorted(read) == [(0, 0, b"a"), (0, 1, b"b"), (0, 2, b"c"), (1, 0, b"d")]
    assert await end_positions(kafka.bootstrap, topic) == {0: 4, 1: 2}


async def test_reading_begins_where_it_is_told(kafka: BrokerAddress, prefix: str) -> None:
    topic = f"{prefix}.events.v1"
    await ensure_topics(kafka.bootstrap, prefix, 2)
    await write(kafka.bootstrap, topic, b"a", b"b", b"c")
    await write(kafka.bootstrap, topic, b"d", partition=1)
    from_two = [r.value async for rs in read_to_end(kafka.bootstrap, topic, start={0: 2}, partitions=[0]) for r in rs]
    assert from_two == [b"c"]
    assert [rs async for rs in read_to_end(kafka.bootstrap, topic, start={0: 3, 1: 1})] == []
    with pytest.raises(RecordsGone, match=r"asked for offset 4 of partition 0, which Kafka does not have"):
        await anext(read_to_end(kafka.bootstrap, topic, start={0: 4}))
    with pytest.raises(ValueError, match=r"has the partitions \[0, 1\], asked for \[5\]"):
        await anext(read_to_end(kafka.bootstrap, topic, partitions=[5]))


async def test_committed_reading_passes_over_what_was_aborted_and_stops_before_what_is_open(
    kafka: BrokerAddress, prefix: str
) -> None:
    topic = f"{prefix}.changes.v1"
    await ensure_topics(kafka.bootstrap, prefix, 1)
    async with transactions(kafka.bootstrap, prefix) as producer:
        async with producer.transaction():
            await producer.send_and_wait(topic, b"committed", partition=0)
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"aborted", partition=0)
        await producer.abort_transaction()  # its marker is the last thing on the topic
        assert await values(kafka.bootstrap, topic, "read_committed") == [b"committed"]
        assert await values(kafka.bootstrap, topic, "read_uncommitted") == [b"committed", b"aborted"]
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"open", partition=0)
        assert await values(kafka.bootstrap, topic, "read_committed") == [b"committed"]
        assert await values(kafka.bootstrap, topic, "read_uncommitted") == [b"committed", b"aborted", b"open"]
        assert await end_positions(kafka.bootstrap, topic, isolation="read_committed") == {0: 4}
        assert await end_positions(kafka.bootstrap, topic) == {0: 5}
        await producer.commit_transaction()
        assert await values(kafka.bootstrap, topic, "read_committed") == [b"committed", b"open"]


async def test_a_table_is_the_last_committed_value_of_each_key(kafka: BrokerAddress, prefix: str) -> None:
    topic = f"{prefix}.measures.v1"
    await ensure_topics(kafka.bootstrap, prefix, 2)
    async with transactions(kafka.bootstrap, prefix) as producer:
        async with producer.transaction():
            for key, value, partition in [
                (b"a", b"1", 0),
                (b"b", b"1", 1),
                (b"a", b"2", 0),
                (b"gone", b"1", 1),
                (b"gone", None, 1),
            ]:
                await producer.send_and_wait(topic, value, key=key, partition=partition, timestamp_ms=1_700_000_000_000)
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"3", key=b"a", partition=0)
        await producer.abort_transaction()
    assert await read_table(kafka.bootstrap, topic) == {
        b"a": TableRow(b"2", 0, 1, 1_700_000_000_000),
        b"b": TableRow(b"1", 1, 0, 1_700_000_000_000),
    }


async def test_a_hole_in_the_ledger_is_not_read_over(kafka: BrokerAddress, prefix: str) -> None:
    topic = f"{prefix}.events.v1"
    await ensure_topics(kafka.bootstrap, prefix, 1)
    await write(kafka.bootstrap, topic, b"a", b"b")
    async with transactions(kafka.bootstrap, prefix) as producer, producer.transaction():
        await producer.send_and_wait(topic, b"c", partition=0)  # somebody writes the ledger in a transaction
    await write(kafka.bootstrap, topic, b"d")
    with pytest.raises(HoleInTopic, match=r"/0: expected offset 3, found 4\. A ledger has no holes"):
        async for _ in read_to_end(kafka.bootstrap, topic, dense=True):
            pass
    assert await values(kafka.bootstrap, topic, "read_uncommitted") == [b"a", b"b", b"c", b"d"]


async def test_a_ledger_without_its_beginning_is_not_read(kafka: BrokerAddress, prefix: str) -> None:
    topic = f"{prefix}.events.v1"
    await ensure_topics(kafka.bootstrap, prefix, 1)
    await write(kafka.bootstrap, topic, b"a", b"b", b"c")
    await delete_records(kafka.bootstrap, topic, 0, 2)
    with pytest.raises(HoleInTopic, match=r"/0: expected offset 0, found 2"):
        await anext(read_to_end(kafka.bootstrap, topic, dense=True))
    with pytest.raises(HoleInTopic, match=r"/0: expected offset 1, found 2"):
        await anext(follow(kafka.bootstrap, topic, start={0: 1}, dense=True))
    with pytest.raises(RecordsGone, match=r"asked for offset 1 of partition 0"):
        await anext(follow(kafka.bootstrap, topic, start={0: 1}))
    assert await values(kafka.bootstrap, topic, "read_uncommitted") == [b"c"]


async def test_following_gives_what_was_there_and_what_comes(kafka: BrokerAddress, prefix: str) -> None:
    topic = f"{prefix}.changes.v1"
    await ensure_topics(kafka.bootstrap, prefix, 2)
    await write(kafka.bootstrap, topic, b"old 0", b"old 1")
    await write(kafka.bootstrap, topic, b"old", partition=1)
    seen: list[tuple[int, int, bytes | None]] = []
    written = False
    deadline = time.monotonic() + 20
    async with aclosing(follow(kafka.bootstrap, topic, start={0: 1})) as batches:  # partition 1: only what comes
        async for records in batches:
            seen += [(record.partition, record.offset, record.value) for record in records]
            if seen and not written:
                written = True
                await write(kafka.bootstrap, topic, b"new", partition=1)
            if len(seen) == 2:
                break
            assert time.monotonic() < deadline, seen
    assert seen == [(0, 1, b"old 1"), (1, 1, b"new")]


async def test_a_time_limit_that_runs_out_while_a_reader_closes_is_not_lost(kafka: BrokerAddress, prefix: str) -> None:
    topic = f"{prefix}.changes.v1"
    await ensure_topics(kafka.bootstrap, prefix, 1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(None) as limit, open_reader(kafka.bootstrap, topic, "read_committed"):
            limit.reschedule(0)  # in the next turn of the loop, which comes when the reader waits for its own end


async def test_a_missing_topic_is_named_and_not_made(kafka: BrokerAddress, prefix: str) -> None:
    for _ in range(2):
        with pytest.raises(TopicMissing, match=rf"^No topic {prefix}\.nothing on "):
            await anext(read_to_end(kafka.bootstrap, f"{prefix}.nothing"))


@pytest.mark.parametrize("bootstrap", ["127.0.0.1:1", "127.0.0.1:1,127.0.0.1:2"])
async def test_without_a_broker_there_is_an_answer_at_once(bootstrap: str) -> None:
    begun = time.monotonic()
    with pytest.raises(BrokerUnreachable, match=rf"^No Kafka at {bootstrap}: "):
        await anext(read_to_end(bootstrap, "parley.events.v1"))
    with pytest.raises(BrokerUnreachable):
        await end_positions(bootstrap, "parley.events.v1")
    assert time.monotonic() - begun < 5


@pytest.mark.kafka
@pytest.mark.parametrize("asking", ["for ends", "for topics", "to write"])
async def test_a_broker_that_dies_between_two_questions_is_told_as_one_that_is_gone(
    tmp_path: Path, asking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = EmbeddedBroker(tmp_path)
    client = {"for ends": AIOKafkaConsumer, "for topics": AIOKafkaAdminClient, "to write": AIOKafkaProducer}[asking]
    start = client.start

    async def start_and_lose(self: Any) -> None:  # noqa: ANN401 - aiokafka ships no types
        await start(self)
        os.kill(broker.pid, signal.SIGKILL)
        while broker.exit_code is None:  # noqa: ASYNC110 - another process ends
            await asyncio.sleep(0.01)

    async def ask(bootstrap: str) -> None:
        if asking == "for ends":
            await end_positions(bootstrap, "parley.events.v1")
        elif asking == "for topics":
            await topics_found(bootstrap, "parley")
        else:
            async with LedgerWriter(bootstrap, "parley.events.v1"):
                pass

    try:
        address = broker.start()
        await ensure_topics(address.bootstrap, "parley", 1)
        monkeypatch.setattr(client, "start", start_and_lose)
        with pytest.raises(BrokerUnreachable, match=rf"^No Kafka at {address.bootstrap}: "):
            await ask(address.bootstrap)
    finally:
        broker.stop()


@pytest.mark.kafka
async def test_a_broker_that_dies_while_it_is_followed_is_told_within_seconds(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path)
    try:
        address = broker.start()
        await ensure_topics(address.bootstrap, "parley", 1)
        batches = follow(address.bootstrap, "parley.changes.v1")
        assert await anext(batches) == []
        os.kill(broker.pid, signal.SIGKILL)
        died_at = time.monotonic()
        with pytest.raises(BrokerUnreachable, match=r"connection refused"):
            await until_it_fails(batches)
        assert time.monotonic() - died_at < 15
    finally:
        broker.stop()
