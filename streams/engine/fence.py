"""Kafka's fence used directly: the transactional producer of one ledger partition."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import chain

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.producer import sender

from streams.engine.config import EngineConfig
from streams.engine.projection import Entry
from streams.engine.topic_ids import agreed_ids, topic_ids

_BATCH_BYTES_MAX = 1 << 19


class OutputTooLongError(Exception):
    """A topic does not take what a batch brings about; the message says which one, and how long that is."""


class UnknownOffsetError(Exception):
    """The broker has taken a batch, and does not say where it stands."""


class MissingPartitionError(Exception):
    """An output topic has fewer partitions than the ledger."""


class FencedProducer:
    """The transactional producer of one ledger partition.

    Faust's own `exactly_once` sends outputs outside of the transaction, its producer makes a line in the log of a send
    that failed, and a paused worker that wakes up overwrites newer rows. Here nothing is visible before the commit, a
    failed send ends the process, and a worker whose successor has raised the fence can send nothing.

    All its records go to the partition number of the ledger partition. Any error leaves it unusable: exit. `sent_bytes`
    counts what it has sent, as it stands in the batches.
    """

    def __init__(self, config: EngineConfig, partition: int) -> None:
        # How long a transaction that follows at once waits before it asks again whether the markers of the one before
        # it are written; they are within 2 ms or so, aiokafka waits 20, which is most of the latency under load. It has
        # no setting but this one of its module.
        sender.BACKOFF_OVERRIDE = 0.002
        self.sent_bytes = 0
        self._partition = partition
        self._answer_within = config.transaction_timeout / 3
        self._producer = AIOKafkaProducer(
            bootstrap_servers=config.bootstrap,
            client_id=config.transactional_id(partition),
            acks="all",
            transactional_id=config.transactional_id(partition),
            transaction_timeout_ms=int(config.transaction_timeout * 1000),
            request_timeout_ms=config.request_timeout_ms,
            linger_ms=0,
            max_batch_size=_BATCH_BYTES_MAX,
        )

    async def raise_fence(self) -> None:
        """Fence every predecessor with this transactional id; what it left open is aborted when this returns."""
        await self._producer.start()

    async def topic_ids(self, *topics: str) -> dict[str, str | None]:
        """Return the brokers' ids of topics."""
        return await topic_ids(self._producer.client, topics)

    async def agreed_ids(self, topics: Sequence[str]) -> dict[str, str]:
        """Return the ids of topics on which the brokers agree."""
        return await agreed_ids(self._producer.client, topics, self._answer_within)

    async def topic_id(self, topic: str, said_by: int | None = None) -> str | None:
        """Return the id of a topic, on the word of a node if it has one to say while a transaction may be open."""
        ids = await topic_ids(self._producer.client, [topic], first=said_by, within=self._answer_within)
        return ids[topic]

    async def look_for(self, topics: Sequence[str]) -> None:
        """Raise MissingPartitionError unless each of these topics has the partition."""
        for topic, found in zip(topics, await asyncio.gather(*map(self._producer.partitions_for, topics)), strict=True):
            if self._partition not in found:
                raise MissingPartitionError(
                    f"expected partition {self._partition} of {topic}, as the ledger has one, it has {sorted(found)}"
                )

    async def send(self, entries: Mapping[str, Sequence[Entry]]) -> dict[str, int]:
        """Open a transaction and send these entries by topic, none of them without any.

        Returns when the broker has acknowledged all of them: the offset after the last one by topic. OutputTooLongError
        when a topic takes no records that long.
        """
        await self._producer.begin_transaction()
        ends = await asyncio.gather(*(self._send(topic, of_topic) for topic, of_topic in entries.items()))
        return dict(zip(entries, ends, strict=True))

    async def commit(self) -> None:
        """Commit the open transaction."""
        await self._producer.commit_transaction()

    async def stop(self) -> None:
        """Close the connections; no transaction may be open."""
        await self._producer.stop()

    async def _send(self, topic: str, entries: Sequence[Entry]) -> int:
        acknowledgements = []
        batch = self._producer.create_batch()
        for key, value, headers in entries:
            if batch.append(key=key, value=value, timestamp=None, headers=list(headers)) is None:
                self.sent_bytes += batch.size()
                acknowledgements.append(await self._producer.send_batch(batch, topic, partition=self._partition))
                batch = self._producer.create_batch()
                batch.append(key=key, value=value, timestamp=None, headers=list(headers))
        self.sent_bytes += batch.size()
        batch.close()
        acknowledgements.append(await self._producer.send_batch(batch, topic, partition=self._partition))
        try:
            acknowledged = await asyncio.gather(*acknowledgements)
        except MessageSizeTooLargeError as error:
            longest = max(entries, key=_length)
            raise OutputTooLongError(
                f"{topic} does not take what is sent; the longest record, with key {longest[0]!r}, has "
                f"{_length(longest)} bytes (max.message.bytes of the topic is to be more, at least {_BATCH_BYTES_MAX})"
            ) from error
        last: int = acknowledged[-1].offset
        if last < 0:  # it was sent again after its acknowledgement was lost, and the broker knows no more where it is
            raise UnknownOffsetError(f"{topic}/{self._partition}: acknowledged without an offset")
        return last + int(batch.record_count())


def _length(entry: Entry) -> int:
    key, value, headers = entry
    return sum(len(part or b"") for part in (key, value, *chain.from_iterable(headers)))
