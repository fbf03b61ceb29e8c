"""Writing to the ledger: acknowledged by every replica in sync, each record once, in order per partition."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.positions import Position
from streams.broker_reaching import reaching
from streams.engine.closing import close_wholly
from streams.topic_partitions import partitions_of
from streams.topics import BATCH_BYTES_MAX, TopicMissing

Headers = Sequence[tuple[str, bytes]]

RECORD_BYTES_MAX: Final = BATCH_BYTES_MAX - (16 << 10)
"""The longest record with key and headers; the rest of a batch is for Kafka's own numbers."""
_SEND_BYTES_MAX: Final = BATCH_BYTES_MAX // 2
_ANSWER_S: Final = 20.0
_CHUNK_RECORDS: Final = 20_000


class Append(NamedTuple):
    """One record to be appended to a partition."""

    key: bytes
    value: bytes
    headers: Headers
    partition: int


class AppendFailed(Exception):  # noqa: N818 - says what happened to the records
    """Kafka did not acknowledge everything.

    `acknowledged` holds the positions of what it did, by place in the order given. The others may be on the ledger or
    not: append them again, and let their ids tell the repeats.
    """

    def __init__(self, topic: str, count: int, acknowledged: Mapping[int, Position], cause: BaseException) -> None:
        self.acknowledged = acknowledged
        super().__init__(
            f"{topic}: {count - len(acknowledged)} of {count} records were not acknowledged"
            f" ({type(cause).__name__}: {cause}). They may be there or not: append them again, repeats are recognised."
        )


class LedgerWriter:
    """Appends bytes to one topic; an async context manager.

    BrokerUnreachable or TopicMissing on entering; AppendFailed when an append was not acknowledged in time. After that
    the writer takes nothing more, since Kafka's numbering of its records is broken: open another. ValueError when a
    record is too long for any batch; nothing of it was sent.
    """

    def __init__(self, bootstrap: str, topic: str, *, answer_s: float = _ANSWER_S) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._answer_s = answer_s
        self._partitions = 0
        self._producer: Any = None  # aiokafka ships no types
        self._failure: KafkaError | TimeoutError | None = None

    async def __aenter__(self) -> Self:
        """Connect."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=_SEND_BYTES_MAX,
            max_request_size=BATCH_BYTES_MAX,
            request_timeout_ms=int(self._answer_s * 1000),
        )
        try:
            async with reaching(self._bootstrap):
                await self._producer.start()
                self._partitions = len(await partitions_of(self._producer.client, self._topic))
        except BaseException:
            await close_wholly(self._producer.stop())
            raise
        if not self._partitions:
            await close_wholly(self._producer.stop())
            raise TopicMissing(self._topic, self._bootstrap)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait a bounded time for what is under way, and disconnect; whoever is cancelled does not wait."""
        if isinstance(error, asyncio.CancelledError):
            self._failure = TimeoutError("the append was cancelled")
        await close_wholly(self._close())

    async def _close(self) -> None:
        if self._failure is None:
            try:
                async with asyncio.timeout(self._answer_s):
                    await self._producer.flush()
            except (KafkaError, TimeoutError) as failure:
                self._failure = failure
        if self._failure is None:
            await self._producer.stop()
        else:
            # stop() would wait for a broker that is gone for as long as that stays so
            self._producer._closed = True  # noqa: SLF001
            with suppress(KafkaError):
                await self._producer._sender.close()  # noqa: SLF001
            await self._producer.client.close()

    @property
    def partitions(self) -> int:
        """How many partitions the topic has."""
        return self._partitions

    async def append(self, key: bytes, value: bytes, headers: Headers, *, partition: int) -> Position:
        """Append one record; return where it stands once it is acknowledged."""
        if self._failure is not None:
            raise AppendFailed(self._topic, 1, {}, self._failure)
        _refuse_too_long(Append(key, value, headers, partition))
        try:
            async with asyncio.timeout(self._answer_s):
                done = await self._producer.send_and_wait(
                    self._topic, value=value, key=key, headers=list(headers), partition=partition
                )
        except (KafkaError, TimeoutError) as error:
            self._failure = error
            raise AppendFailed(self._topic, 1, {}, error) from error
        return Position(self._topic, partition, done.offset)

    async def append_all(self, records: Iterable[Append]) -> list[Position]:
        """Append records in batches, in order per partition; return their positions in the order given.

        The partitions go side by side, each with one batch under way. A partition whose batch failed gets no more;
        AppendFailed tells which records are acknowledged.
        """
        acknowledged: dict[int, Position] = {}
        count = 0
        rest = iter(records)
        while chunk := list(islice(rest, _CHUNK_RECORDS)):
            if self._failure is not None:
                raise AppendFailed(self._topic, count + len(chunk), acknowledged, self._failure)
            lanes: dict[int, list[tuple[int, Append]]] = {}
            for place, record in enumerate(chunk, start=count):
                _refuse_too_long(record)
                lanes.setdefault(record.partition, []).append((place, record))
            count += len(chunk)
            outcomes = await asyncio.gather(
                *(self._append_lane(partition, lane, acknowledged) for partition, lane in lanes.items()),
                return_exceptions=True,
            )
            for outcome in outcomes:
                if isinstance(outcome, KafkaError | TimeoutError):
                    self._failure = outcome
                    raise AppendFailed(self._topic, count, acknowledged, outcome) from outcome
                if outcome is not None:
                    raise outcome
        return [acknowledged[place] for place in range(count)]

    async def _append_lane(
        self, partition: int, lane: Sequence[tuple[int, Append]], acknowledged: dict[int, Position]
    ) -> None:
        """Append records to one partition, the next batch when the last is acknowledged."""
        begin = 0
        while begin < len(lane):
            batch = self._producer.create_batch()
            end = begin
            for _, (key, value, headers, _) in islice(lane, begin, None):
                if batch.append(key=key, value=value, timestamp=None, headers=list(headers)) is None:
                    break
                end += 1
            async with asyncio.timeout(self._answer_s):
                done = await (await self._producer.send_batch(batch, self._topic, partition=partition))
            for offset, (place, _) in enumerate(lane[begin:end], start=done.offset):
                acknowledged[place] = Position(self._topic, partition, offset)
            begin = end


def _refuse_too_long(record: Append) -> None:
    length = len(record.key) + len(record.value) + sum(len(name) + len(value) for name, value in record.headers)
    if length > RECORD_BYTES_MAX:
        raise ValueError(
            f"a record of {length} bytes with key {record.key[:100]!r}: at most {RECORD_BYTES_MAX} bytes fit into"
            " a batch"
        )
