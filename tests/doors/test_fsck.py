"""fsck: what stands on the topics is what the ledger says, and what is planted there is found."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from streams.bench import workload
from streams.broker import BrokerAddress
from streams.doors.fsck import check
from streams.doors.kafka import find_cuts, up_to
from streams.engine import decode_cut
from streams.producing import LedgerWriter
from streams.projection import LedgerProjection
from streams.reading import TableRow, read_table, read_to_end
from streams.topics import ALERTS, CHANGES, CUTS, DEAD_LETTERS, DEADLINES, EVENTS, MEASURES, MEETINGS, Topic
from streams.topics_on_kafka import ensure_topics
from tests.deleting import delete_records
from tests.first_light.running import PARTITIONS, complete, parley, played_history, worker, write

PLANTED = b'{"planted":true}'


@dataclass(frozen=True, slots=True)
class Tampering:
    """Somebody who writes to derived topics, which only the worker may."""

    bootstrap: str
    prefix: str
    producer: Any  # aiokafka ships no types

    async def put(self, topic: Topic, key: bytes, value: bytes | None, partition: int) -> None:
        await self.producer.send_and_wait(topic.name(self.prefix), key=key, value=value, partition=partition)

    async def first_row(self, topic: Topic) -> tuple[bytes, TableRow]:
        return min((await read_table(self.bootstrap, topic.name(self.prefix))).items())

    async def overwrite_a_row(self) -> str:
        key, row = await self.first_row(MEASURES)
        await self.put(MEASURES, key, PLANTED, row.partition)
        return key.decode()

    async def delete_a_row(self) -> str:
        key, row = await self.first_row(DEADLINES)
        await self.put(DEADLINES, key, None, row.partition)
        return key.decode()

    async def add_a_row(self) -> str:
        _, row = await self.first_row(MEETINGS)
        await self.put(MEETINGS, b"us-china/nobody-met", PLANTED, row.partition)
        return "us-china/nobody-met"

    async def double_a_change(self) -> str:
        records = [one for one in await self.read(CHANGES) if one is not None]
        await self.put(CHANGES, records[-1].key, records[-1].value, records[-1].partition)
        return f"record {len(records)}"

    async def delete_an_alert(self) -> str:
        first = (await self.read(ALERTS))[0]
        await delete_records(self.bootstrap, ALERTS.name(self.prefix), first.partition, first.offset + 1)
        return "record 0"

    async def bury_a_record(self) -> str:
        headers = [("parley_position", b"0:0"), ("parley_code", b"not_json"), ("parley_reason", b"none")]
        name = DEAD_LETTERS.name(self.prefix)
        await self.producer.send_and_wait(name, value=PLANTED, partition=0, headers=[*headers, ("parley_pointer", b"")])
        return "record 0"

    async def miscount(self) -> str:
        key, row = await self.first_row(CUTS)
        cut = decode_cut(row.value)
        counts = tuple((name, count + 1) for name, count in cut.counts)
        await self.put(CUTS, key, replace(cut, counts=counts).encode(), row.partition)
        return key.decode()

    async def read(self, topic: Topic) -> list[Any]:
        found: list[Any] = []
        async for records in read_to_end(self.bootstrap, topic.name(self.prefix), isolation="read_committed"):
            found.extend(records)
        return found


@asynccontextmanager
async def tampering(bootstrap: str, prefix: str) -> AsyncIterator[Tampering]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        yield Tampering(bootstrap, prefix, producer)
    finally:
        await producer.stop()


async def fsck(state: Path, kafka: BrokerAddress, prefix: str, code: int) -> dict[str, Any]:
    done = await asyncio.to_thread(parley, state, "fsck", "--brokers", kafka.bootstrap, "--prefix", prefix)
    assert done.returncode == code, (done.stdout.decode(), done.stderr.decode())
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["equal"] is (code == 0)
    assert ("deploy/runbook.md" in done.stderr.decode()) is (code == 1)
    return report


async def test_what_a_worker_wrote_is_what_the_ledger_says(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> None:
    await write(kafka.bootstrap, prefix, played_history())
    async with worker(tmp_path, kafka.bootstrap, prefix):
        await complete(kafka.bootstrap, prefix)
        report = await fsck(tmp_path, kafka, prefix, 0)
    (full,) = (one for one in report["partitions"] if one["cut"] >= 0)
    assert full["cut"] == len(played_history()) - 1
    assert full["rows"] > 200
    assert min(full["changes"], full["alerts"]) > 100
    assert report["differences"] == {}


async def test_everything_that_is_planted_is_found_and_named(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> None:
    await write(kafka.bootstrap, prefix, played_history())
    async with worker(tmp_path, kafka.bootstrap, prefix):
        await complete(kafka.bootstrap, prefix)
    await fsck(tmp_path, kafka, prefix, 0)
    async with tampering(kafka.bootstrap, prefix) as somebody:
        plants: list[tuple[Topic, Callable[[], Awaitable[str]]]] = [
            (MEASURES, somebody.overwrite_a_row),
            (DEADLINES, somebody.delete_a_row),
            (MEETINGS, somebody.add_a_row),
            (CHANGES, somebody.double_a_change),
            (ALERTS, somebody.delete_an_alert),
            (DEAD_LETTERS, somebody.bury_a_record),
            (CUTS, somebody.miscount),
        ]
        expected: dict[str, tuple[int, str]] = {}
        for topic, plant in plants:
            expected[topic.name(prefix)] = (1, await plant())
            report = await fsck(tmp_path, kafka, prefix, 1)
            differences = report["differences"]
            told = {name: (one["count"], one["first"]["place"]) for name, one in differences.items()}
            assert told == expected
    first = {topic: differences[topic.name(prefix)]["first"] for topic, _ in plants}
    assert first[MEASURES]["found"] == json.loads(PLANTED)
    assert first[MEASURES]["expected"]["schema"] == "parley.measure/1"
    assert (first[DEADLINES]["found"], first[MEETINGS]["expected"], first[CHANGES]["expected"]) == (None, None, None)
    assert first[ALERTS]["found"]["sequence"] > first[ALERTS]["expected"]["sequence"]
    assert first[CUTS]["found"]["offset"] == first[CUTS]["expected"]["offset"]


async def test_a_record_planted_amid_those_of_a_worker_is_found(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    history = played_history()
    half = len(history) // 2
    await write(kafka.bootstrap, prefix, history[:half])
    async with worker(tmp_path, kafka.bootstrap, prefix):
        await complete(kafka.bootstrap, prefix)
        async with tampering(kafka.bootstrap, prefix) as somebody:
            place = await somebody.double_a_change()
        await write(kafka.bootstrap, prefix, history[half:])
        await complete(kafka.bootstrap, prefix)
        report = await fsck(tmp_path, kafka, prefix, 1)
    difference = report["differences"][CHANGES.name(prefix)]["first"]
    assert difference["place"] == place
    assert difference["expected"]["sequence"] > difference["found"]["sequence"]


async def test_a_worker_may_go_on_committing_meanwhile(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    told = asyncio.Event()
    events = workload.records(7, 1_000_000, negotiations=3, partitions=PARTITIONS)

    async def append_some() -> None:
        async with LedgerWriter(kafka.bootstrap, EVENTS.name(prefix)) as writer:
            await writer.append_all(islice(events, 20))
        await complete(kafka.bootstrap, prefix)

    async def append_on_and_on() -> None:
        while not told.is_set():
            await append_some()

    async with worker(tmp_path, kafka.bootstrap, prefix):
        await append_some()
        appending = asyncio.create_task(append_on_and_on())
        moved = 0
        for _ in range(2):
            before = up_to(await find_cuts(kafka.bootstrap, prefix), range(PARTITIONS))
            checked = await check(kafka.bootstrap, prefix, projection(prefix))
            after = up_to(await find_cuts(kafka.bootstrap, prefix), range(PARTITIONS))
            assert [one.differences for one in checked] == [{}] * PARTITIONS
            assert all(before[one.partition] <= one.cut <= after[one.partition] for one in checked)
            moved += sum(after[one.partition] - before[one.partition] for one in checked)
        told.set()
        await appending
        await fsck(tmp_path, kafka, prefix, 0)
    assert moved > 0


def projection(prefix: str) -> Callable[[int], LedgerProjection]:
    return lambda _: LedgerProjection(prefix=prefix, partitions=PARTITIONS)


async def test_outputs_of_another_version_are_not_compared(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> None:
    await write(kafka.bootstrap, prefix, played_history()[:50])
    async with worker(tmp_path, kafka.bootstrap, prefix):
        await complete(kafka.bootstrap, prefix)
    async with tampering(kafka.bootstrap, prefix) as somebody:
        key, row = await somebody.first_row(CUTS)
        other = replace(decode_cut(row.value), version="0").encode()
        await somebody.put(CUTS, key, other, row.partition)
    done = await asyncio.to_thread(parley, tmp_path, "fsck", "--brokers", kafka.bootstrap, "--prefix", prefix)
    assert (done.returncode, done.stdout) == (3, b"")
    assert "was written by fold version '0'" in " ".join(done.stderr.decode().split())
