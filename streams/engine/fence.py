"""Kafka's fence used directly: the transactional producer of one ledger partition, and what must be read behind it."""

import asyncio
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streams.engine.config import EngineConfig
from streams.engine.cut import Cut, UnreadableCutError, cut_key, decode_cut
from streams.engine.moves import LedgerBounds
from streams.engine.outputs import Entry
from streams.engine.topic_ids import topic_id

_BATCH_BYTES_MAX = 1 << 19
_FETCH_BYTES_MAX = 4 << 20
_FETCH_WAIT_MS_MAX = 10


class FencedProducer:
    """The transactional producer of one ledger partition.

    All its records go to the partition number of the ledger partition. Any error leaves it unusable: exit.
    """

    def __init__(self, config: EngineConfig, partition: int) -> None:
        self._partition = partition
        self._producer = AIOKafkaProducer(
            bootstrap_servers=config.bootstrap,
            client_id=config.transactional_id(partition),
            acks="all",
            transactional_id=config.transactional_id(partition),
            transaction_timeout_ms=int(config.transaction_timeout * 1000),
            request_timeout_ms=int(config.request_timeout * 1000),
            linger_ms=0,
            max_batch_size=_BATCH_BYTES_MAX,
        )

    async def raise_fence(self) -> None:
        """Fence every predecessor with this transactional id; what it left open is aborted when this returns."""
        await self._producer.start()

    async def topic_id(self, topic: str) -> str | None:
        """Return the broker's id of a topic."""
        return await topic_id(self._producer.client, topic)

    async def send(self, entries: Mapping[str, Sequence[Entry]]) -> None:
        """Open a transaction and send these entries by topic; returns when the broker has acknowledged all of them."""
        await self._producer.begin_transaction()
        await asyncio.gather(*(self._send(topic, of_topic) for topic, of_topic in entries.items()))

    async def commit(self) -> None:
        """Commit the open transaction."""
        await self._producer.commit_transaction()

    async def stop(self) -> None:
        """Close the connections; no transaction may be open."""
        await self._producer.stop()

    async def _send(self, topic: str, entries: Sequence[Entry]) -> None:
        acknowledgements = []
        batch = self._producer.create_batch()
        for key, value, headers in entries:
            if batch.append(key=key, value=value, timestamp=None, headers=list(headers)) is None:
                acknowledgements.append(await self._producer.send_batch(batch, topic, partition=self._partition))
                batch = self._producer.create_batch()
                batch.append(key=key, value=value, timestamp=None, headers=list(headers))
        batch.close()
        acknowledgements.append(await self._producer.send_batch(batch, topic, partition=self._partition))
        await asyncio.gather(*acknowledgements)


async def read_behind_fence(
    config: EngineConfig, partition: int, ledger_topic_id: str | None
) -> tuple[Cut | None, LedgerBounds]:
    """Return the last committed cut of a ledger partition, and the ledger's bounds.

    It reads up to the end of the cuts partition, by position: transaction markers occupy offsets too. The end is
    the high watermark, not the last stable offset, so that an open transaction is waited for and not overlooked.

    Raises UnreadableCutError if the last record of the partition's key is not a cut.
    """
    cuts = TopicPartition(config.cuts, partition)
    ledger = TopicPartition(config.ledger, partition)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=config.bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=_FETCH_BYTES_MAX,
        fetch_max_wait_ms=_FETCH_WAIT_MS_MAX,
    )
    await consumer.start()
    try:
        consumer.assign([cuts])
        await consumer.seek_to_beginning(cuts)
        key = cut_key(config.ledger, partition)
        found: tuple[int, bytes] | None = None
        while (end := consumer.highwater(cuts)) is None or await consumer.position(cuts) < end:
            for record in (await consumer.getmany(cuts, timeout_ms=_FETCH_WAIT_MS_MAX)).get(cuts, ()):
                if record.key == key:
                    found = None if record.value is None else (record.offset, record.value)
        begin = (await consumer.beginning_offsets([ledger]))[ledger]
        end = (await consumer.end_offsets([ledger]))[ledger]
    finally:
        await consumer.stop()
    bounds = LedgerBounds(begin, end, ledger_topic_id)
    if found is None:
        return None, bounds
    offset, value = found
    try:
        return decode_cut(value), bounds
    except UnreadableCutError as error:
        raise UnreadableCutError(f"{config.cuts}/{partition} at offset {offset}: {error}") from error
