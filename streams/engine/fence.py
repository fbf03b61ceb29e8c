"""Kafka's fence used directly: the transactional producer of one ledger partition, and what must be read behind it."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Final, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.producer import sender

from streams.engine.closing import stop_consumer
from streams.engine.config import EngineConfig
from streams.engine.cut import UnreadableCutError, cut_key, decode_cut
from streams.engine.moves import CutRead, LedgerBounds
from streams.engine.projection import Entry
from streams.engine.refusing import Refused, refuse_unpacking
from streams.engine.set_asides import decode_set_aside, set_aside_prefix
from streams.engine.topic_ids import topic_id

T = TypeVar("T")
_BATCH_BYTES_MAX = 1 << 19
_FETCH_BYTES_MAX = 4 << 20
_FETCH_WAIT_MS_MAX = 10
_POLL_RECORDS_MAX = 10_000
_OPEN_WITHIN_S: Final = 5.0


class OpenTransactionError(Exception):
    """A transaction stands open on the cuts, behind the fence that should have ended it."""


class OutputTooLongError(Exception):
    """A topic does not take what a batch brings about; the message says which one, and how long that is."""


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
        self._producer = AIOKafkaProducer(
            bootstrap_servers=config.bootstrap,
            client_id=config.transactional_id(partition),
            acks="all",
            transactional_id=config.transactional_id(partition),
            transaction_timeout_ms=int(config.transaction_timeout * 1000),
            request_timeout_ms=_request_timeout_ms(config),
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
        """Open a transaction and send these entries by topic; returns when the broker has acknowledged all of them.

        OutputTooLongError when a topic takes no records that long.
        """
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
                self.sent_bytes += batch.size()
                acknowledgements.append(await self._producer.send_batch(batch, topic, partition=self._partition))
                batch = self._producer.create_batch()
                batch.append(key=key, value=value, timestamp=None, headers=list(headers))
        self.sent_bytes += batch.size()
        batch.close()
        acknowledgements.append(await self._producer.send_batch(batch, topic, partition=self._partition))
        try:
            await asyncio.gather(*acknowledgements)
        except MessageSizeTooLargeError as error:
            longest = max(entries, key=_length)
            raise OutputTooLongError(
                f"{topic} does not take what is sent; the longest record, with key {longest[0]!r}, has "
                f"{_length(longest)} bytes (max.message.bytes of the topic is to be more, at least {_BATCH_BYTES_MAX})"
            ) from error


async def read_behind_fence(config: EngineConfig, partition: int, ledger_topic_id: str | None) -> CutRead:
    """Return the last committed cut of a ledger partition, what is set aside of it, and the ledger's bounds.

    It reads up to the end of the cuts partition, by position: transaction markers occupy offsets too. The end is
    the high watermark, not the last stable offset, so that an open transaction is waited for and not overlooked; and
    at least what the leader says when asked for its offsets, since what it tells with records may lag behind that for
    a moment after its election (KIP-207).

    Raises UnreadableCutError if the last record of one of the partition's keys is neither a cut nor a set-aside, or if
    a record is of a batch that was refused, since nobody knows what it says; OpenTransactionError if a transaction
    there does not end, though everybody who writes there was fenced.
    """
    cuts = TopicPartition(config.cuts, partition)
    ledger = TopicPartition(config.ledger, partition)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=config.bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=_request_timeout_ms(config),
        max_partition_fetch_bytes=_FETCH_BYTES_MAX,
        fetch_max_wait_ms=_FETCH_WAIT_MS_MAX,
        max_poll_records=_POLL_RECORDS_MAX,
    )
    try:
        await consumer.start()
        refuse_unpacking(consumer)
        consumer.assign([cuts, ledger])  # a topic that is not assigned is looked up first, which takes 0.1 s
        consumer.pause(ledger)
        await consumer.seek_to_beginning(cuts)
        begins, ends = await asyncio.gather(consumer.beginning_offsets([ledger]), consumer.end_offsets([cuts, ledger]))
        found = await _last_of_each_key(consumer, cuts, ends[cuts])
    finally:
        await stop_consumer(consumer)
    place = f"{config.cuts}/{partition}"
    key, prefix = cut_key(config.ledger, partition), set_aside_prefix(config.ledger, partition)
    cut = _decoded(decode_cut, found.get(key), place)
    asides = [_decoded(decode_set_aside, at, place) for name, at in found.items() if name.startswith(prefix)]
    offsets = {one.offset for one in asides if one is not None and one.speaks_of(ledger_topic_id)}
    return CutRead(cut, LedgerBounds(begins[ledger], ends[ledger], ledger_topic_id), frozenset(offsets))


async def _last_of_each_key(
    consumer: AIOKafkaConsumer, cuts: TopicPartition, end: int
) -> dict[bytes, tuple[int, bytes]]:
    found: dict[bytes, tuple[int, bytes]] = {}
    open_since = None
    while (high := consumer.highwater(cuts)) is None or (position := await consumer.position(cuts)) < max(high, end):
        if high is None or consumer.last_stable_offset(cuts) != position:
            open_since = None
        elif open_since is None:
            open_since = time.monotonic()
        elif time.monotonic() - open_since > _OPEN_WITHIN_S:
            raise OpenTransactionError(
                f"{cuts.topic}/{cuts.partition}: a transaction that begins at offset {position} does not end. Either "
                "another worker takes the partition over just now, or the cluster has lost the end of it (Apache "
                "Kafka 4.3 does when a broker is killed, KAFKA-20734)"
            )
        for record in (await consumer.getmany(cuts, timeout_ms=_FETCH_WAIT_MS_MAX)).get(cuts, ()):
            if isinstance(record.value, Refused):
                raise UnreadableCutError(
                    f"{cuts.topic}/{cuts.partition} at offset {record.offset}: expected a cut or a set-aside, got "
                    f"{record.value.reason}. Set compression.type=producer on the topic, and give this worker derived "
                    "topics of its own"
                )
            if record.value is None:
                found.pop(record.key, None)
            elif record.key is not None:
                found[record.key] = (record.offset, record.value)
    return found


def _length(entry: Entry) -> int:
    key, value, headers = entry
    return sum(map(len, (key or b"", value or b"", *chain.from_iterable(headers))))


def _request_timeout_ms(config: EngineConfig) -> int:
    return int(config.request_timeout * 1000) // 3


def _decoded(decode: Callable[[bytes], T], at: tuple[int, bytes] | None, place: str) -> T | None:
    if at is None:
        return None
    offset, value = at
    try:
        return decode(value)
    except UnreadableCutError as error:
        raise UnreadableCutError(f"{place} at offset {offset}: {error}") from error
