"""A record as it comes from Kafka, and how records are got."""

import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Literal, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from streams.broker_reaching import answering, reach, reaching
from streams.engine.closing import stop_consumer
from streams.engine.refusing import refuse_unpacking
from streams.engine.topic_ids import topic_id
from streams.reading.faults import RecordsGone
from streams.topic_partitions import partitions_of
from streams.topics import TopicMissing

Isolation = Literal["read_uncommitted", "read_committed"]

_FETCH_BYTES_MAX: Final = 4 << 20
_FETCH_WAIT_MS: Final = 100
_POLL_RECORDS_MAX: Final = 10_000
_ANSWER_S: Final = 5.0


class KafkaRecord(Protocol):
    """One record with its place, as aiokafka gives it. `timestamp` counts milliseconds since 1970 in UTC."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Reader:
    """Chosen partitions of one topic, each from a chosen offset."""

    def __init__(self, bootstrap: str, topic: str, consumer: Any, partitions: Collection[int]) -> None:  # noqa: ANN401 - aiokafka ships no types
        self.topic = topic
        self.partitions = tuple(sorted(partitions))
        self.bootstrap = bootstrap
        self._consumer = consumer
        self._moved_at = time.monotonic()
        self._positions: dict[int, int] = {}

    async def begins(self) -> dict[int, int]:
        """Return the first offset that each partition still has."""
        async with answering(self.bootstrap, _ANSWER_S):
            found = await self._consumer.beginning_offsets([self._place(one) for one in self.partitions])
        return {place.partition: int(offset) for place, offset in found.items()}

    async def topic_id(self) -> str | None:
        """Return the broker's id of the topic, None where it is too old to have one."""
        async with answering(self.bootstrap, _ANSWER_S):
            return await topic_id(self._consumer._client, self.topic)  # noqa: SLF001 - the consumer has no such request

    async def ends(self) -> dict[int, int]:
        """Return the offset after the last record of each partition; read_committed: after the last that is decided."""
        async with answering(self.bootstrap, _ANSWER_S):
            found = await self._consumer.end_offsets([self._place(one) for one in self.partitions])
        return {place.partition: int(offset) for place, offset in found.items()}

    def seek(self, offsets: Mapping[int, int]) -> None:
        """Go to an offset in each of these partitions; the others are not read."""
        self._positions = dict(offsets)
        self._moved_at = time.monotonic()
        self._consumer.assign([self._place(one) for one in offsets])
        for partition, offset in offsets.items():
            self._consumer.seek(self._place(partition), offset)

    def rest(self) -> None:
        """Fetch nothing until the next `seek`, else whatever arrives is fetched for nobody."""
        self._consumer.pause(*(self._place(one) for one in self._positions))

    async def more(self) -> list[list[KafkaRecord]]:
        """Return what arrived, a list per partition, after a moment at most; often nothing.

        BrokerUnreachable when nothing came for some seconds because nobody answers any more.
        """
        try:
            arrived = await self._consumer.getmany(timeout_ms=_FETCH_WAIT_MS)
        except OffsetOutOfRangeError as error:
            asked = {place.partition: int(offset) for place, offset in error.args[0].items()}
            raise RecordsGone(self.topic, asked) from error
        positions = {one: int(await self._consumer.position(self._place(one))) for one in self._positions}
        now = time.monotonic()
        if positions != self._positions:
            self._positions, self._moved_at = positions, now
        elif now - self._moved_at > _ANSWER_S:
            await reach(self.bootstrap)
            self._moved_at = now
        return [records for records in arrived.values() if records]

    @property
    def positions(self) -> Mapping[int, int]:
        """The next offset in each partition that is read; transaction markers are passed over without a record."""
        return self._positions

    def _place(self, partition: int) -> Any:  # noqa: ANN401 - aiokafka ships no types
        return TopicPartition(self.topic, partition)


@asynccontextmanager
async def open_reader(
    bootstrap: str, topic: str, isolation: Isolation, partitions: Collection[int] | None = None
) -> AsyncIterator[Reader]:
    """Give a reader of a topic, or of some of its partitions.

    BrokerUnreachable within some seconds; TopicMissing; ValueError when a partition is asked for that does not exist.
    """
    consumer = AIOKafkaConsumer(  # no group, nothing committed, and an offset that is not there is an error
        bootstrap_servers=bootstrap,
        isolation_level=isolation,
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=_FETCH_BYTES_MAX,
        fetch_max_wait_ms=_FETCH_WAIT_MS,
        max_poll_records=_POLL_RECORDS_MAX,
    )
    try:
        async with reaching(bootstrap):
            await consumer.start()
            refuse_unpacking(consumer)
            existing = await partitions_of(consumer._client, topic)  # noqa: SLF001 - the consumer might make it
            if not existing:
                raise TopicMissing(topic, bootstrap)
            # else the first question for offsets finds no leader, and aiokafka waits 0.1 s before it asks again
            await consumer._client.add_topic(topic)  # noqa: SLF001 - only its consumers' own paths ask for it
        if partitions is not None and not existing.issuperset(partitions):
            raise ValueError(f"{topic} has the partitions {sorted(existing)}, asked for {sorted(partitions)}")
        yield Reader(bootstrap, topic, consumer, existing if partitions is None else partitions)
    finally:
        await stop_consumer(consumer)
