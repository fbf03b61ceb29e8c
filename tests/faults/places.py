"""The topics of a trial: made, read, damaged, and compacted by force."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.structs import TopicPartition

from streams.engine import Cut, Record, decode_cut
from streams.reading import Isolation, end_positions, read_to_end
from streams.topics import CUTS, EVENTS
from tests.deleting import delete_records, delete_topics

TABLES = ("sums", "deadlines")
APPENDED = ("changes", "alerts", "dead-letters")
SENTINEL = b"~compaction"

_KEPT = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
_COMPACTED = {"cleanup.policy": "compact", "segment.bytes": str(1 << 20), "min.cleanable.dirty.ratio": "0.05"}
_COMPACTED_NOW = {**_COMPACTED, "segment.ms": "1", "min.cleanable.dirty.ratio": "0.0"}
_COMPACTION_S = 60.0
_RETENTION_S = 60.0

Contents = dict[int, list[Record]]


@dataclass(frozen=True, slots=True)
class Places:
    """The topics `prefix.events`, and of one set of outputs `prefix.SET.changes`, `….cuts` and so on."""

    bootstrap: str
    prefix: str
    partitions: int
    replication: int = 1

    @property
    def ledger(self) -> str:
        """The ledger's topic, named as Parley's own doors look for it."""
        return EVENTS.name(self.prefix)

    async def create_ledger(self) -> None:
        """Create the ledger."""
        await self._create({self.ledger: {**_KEPT, "message.timestamp.type": "LogAppendTime"}})

    async def create_cuts_of_the_doors(self) -> None:
        """Create the topic in which Parley's doors look for records that are set aside; it stays empty."""
        await self._create({CUTS.name(self.prefix): {"cleanup.policy": "compact"}})

    async def create_outputs(self, outputs: str) -> None:
        """Create the topics of a set of outputs, all beginning with `outputs`."""
        policies: dict[str, Mapping[str, str]] = {f"{outputs}.{name}": _KEPT for name in APPENDED}
        policies |= {f"{outputs}.{name}": _COMPACTED for name in TABLES}
        policies[f"{outputs}.cuts"] = {"cleanup.policy": "compact"}  # the judge looks at every cut
        await self._create(policies)

    async def delete(self, *topics: str) -> None:
        """Delete topics and wait until the broker has forgotten them; without names, all that begin with the prefix."""
        async with self.admin() as admin:
            wanted = set(topics) or {name for name in await admin.list_topics() if name.startswith(f"{self.prefix}.")}
        if wanted:
            await delete_topics(self.bootstrap, *sorted(wanted))

    async def delete_records(self, partition: int, before: int) -> None:
        """Delete the records of a ledger partition before an offset."""
        await delete_records(self.bootstrap, self.ledger, partition, before)

    async def until_begins_at(self, begins: Mapping[int, int]) -> None:
        """Wait until the ledger has no records before these offsets any more."""
        places = {TopicPartition(self.ledger, n): begin for n, begin in begins.items()}
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap)
        await consumer.start()
        try:
            async with asyncio.timeout(_RETENTION_S):
                while any(  # noqa: ASYNC110 -- the broker changes it
                    begin < places[place] for place, begin in (await consumer.beginning_offsets(places)).items()
                ):
                    await asyncio.sleep(0.1)
        finally:
            await consumer.stop()

    async def write_a_marker(self, partition: int, key: bytes, value: bytes) -> None:
        """Append to the ledger in a transaction, as nobody may: its end occupies an offset, which is a hole."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, transactional_id=f"{self.prefix}.marker")
        await producer.start()
        try:
            async with producer.transaction():
                await producer.send_and_wait(self.ledger, key=key, value=value, partition=partition)
        finally:
            await producer.stop()

    async def configure(self, topic: str, configs: Mapping[str, str]) -> None:
        """Replace the settings of a topic."""
        async with self.admin() as admin:
            (response,) = await admin.alter_configs(
                [ConfigResource(ConfigResourceType.TOPIC, topic, configs=dict(configs))]
            )
            assert [code for code, *_ in response.resources] == [0], response

    async def read(self, topic: str, *, committed: bool = True) -> Contents:
        """Return what a topic holds now by partition, in order."""
        found: Contents = {n: [] for n in range(self.partitions)}
        isolation: Isolation = "read_committed" if committed else "read_uncommitted"
        async for records in read_to_end(self.bootstrap, topic, isolation=isolation):
            found[records[0].partition].extend(records)
        return found

    async def cuts(self, outputs: str) -> dict[int, list[tuple[int, Cut]]]:
        """Return every committed cut of each partition with its time in milliseconds, in order."""
        read = await self.read(f"{outputs}.cuts")
        return {n: [(one.timestamp, decode_cut(one.value or b"")) for one in records] for n, records in read.items()}

    async def ends(self) -> dict[int, int]:
        """Return the offset after the last record of each ledger partition."""
        return dict(await end_positions(self.bootstrap, self.ledger))

    async def compact(self, topic: str) -> Contents:
        """Have the broker clean a table's topic, and return what it then holds, without what was written to do so.

        The segment that is written to is never cleaned; so it is closed by a record of a later one, and by another one
        if the broker had not taken up the settings when the first came. The cleaner is done when no key is left twice
        before the first.
        """
        await self.configure(topic, _COMPACTED_NOW)
        async with asyncio.timeout(_COMPACTION_S), AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            first = await self._sentinels(producer, topic)
            while True:
                read = await self.read(topic)
                found = {n: [one for one in read[n] if one.offset < first[n]] for n in read}
                if all(max(Counter(one.key for one in records).values(), default=1) == 1 for records in found.values()):
                    return found
                await asyncio.sleep(0.2)
                await self._sentinels(producer, topic)

    async def _sentinels(self, producer: AIOKafkaProducer, topic: str) -> dict[int, int]:
        return {
            n: (await producer.send_and_wait(topic, key=SENTINEL, value=b"", partition=n)).offset
            for n in range(self.partitions)
        }

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[Any]:
        """Give an admin client."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()

    async def _create(self, topics: Mapping[str, Mapping[str, str]]) -> None:
        common = {"min.insync.replicas": str(max(1, self.replication - 1)), "max.message.bytes": str(1 << 20)}
        async with self.admin() as admin:
            created = await admin.create_topics(
                [
                    NewTopic(name, self.partitions, self.replication, topic_configs={**common, **configs})
                    for name, configs in topics.items()
                ]
            )
            assert [code for _, code, _ in created.topic_errors] == [0] * len(topics), created
            while not topics.keys() <= await _led(admin):  # noqa: ASYNC110 -- the broker changes it
                await asyncio.sleep(0.02)


async def _led(admin: Any) -> set[str]:  # noqa: ANN401 -- aiokafka ships no types
    return {
        topic["topic"]
        for topic in await admin.describe_topics()
        if topic["error_code"] == 0 and all(one["leader"] >= 0 for one in topic["partitions"])
    }
