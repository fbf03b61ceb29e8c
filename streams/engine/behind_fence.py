"""What a partition is taken over with, read behind the fence: cut, set-asides, and what the outputs have."""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from streams.engine.closing import stop_consumer
from streams.engine.config import FETCH_BYTES_MAX, EngineConfig
from streams.engine.cut import Cut, Span, UnreadableCutError, cut_key, decode_cut, may_be_one
from streams.engine.moves import CutRead, LedgerBounds
from streams.engine.refusing import Refused, refuse_unpacking
from streams.engine.set_asides import decode_set_aside, set_aside_prefix
from streams.engine.torn import Settled, StrangeOutputsError, Trail, digest, settle, spans_of

log = logging.getLogger(__name__)

T = TypeVar("T")
_FETCH_WAIT_MS_MAX = 10
_POLL_RECORDS_MAX = 10_000
_OPEN_WITHIN_S: Final = 5.0
_AHEAD_MAX: Final = 1_000_000
_DELETIONS_LAST_S: Final = 20 * 3_600.0
"""Compaction keeps deletions for at least a day (`delete.retention.ms`), and clocks may differ."""
_READ_UNCOMMITTED: Final = 0
_OVERTAKEN: Final = "{0.topic}/{0.partition} was written to behind the fence"


class OpenTransactionError(Exception):
    """A transaction stands open behind the fence that should have ended it."""


class OvertakenError(Exception):
    """Another worker has taken the partition over while this one was reading."""


@dataclass(frozen=True, slots=True)
class BehindFence:
    """What was read: the cut to go on from and what belongs to it, and what the output topics have.

    committed: offset of the last committed cut, -1 if there is none
    back: the cut to go on from is an earlier one, to be committed before anything else
    """

    read: CutRead
    trail: Trail
    committed: int = -1
    back: bool = False


async def read_behind_fence(config: EngineConfig, partition: int, ids: Mapping[str, str | None]) -> BehindFence:
    """Return the cut to go on from, what is set aside, the ledger's bounds, and where the outputs end.

    That is the last committed cut, unless the cluster has torn its transaction apart: see `streams.engine.torn`.

    It reads up to the end of a partition by position: transaction markers occupy offsets too. The end is the high
    watermark, not the last stable offset, so that an open transaction is waited for and not overlooked; and at least
    what the leader says when asked for its offsets, since what it tells with records may lag behind that for a moment
    after its election (KIP-207).

    `ids` are those of the topics that are known; what is not known contradicts nothing.

    Raises UnreadableCutError if the last record of one of the partition's keys is neither a cut nor a set-aside, or if
    a record is of a batch that was refused, since nobody knows what it says; OpenTransactionError if a transaction
    there does not end, though everybody who writes there was fenced; StrangeOutputsError if an output topic is not the
    one that the cut speaks of; OvertakenError if anything looks wrong, and another worker was at work meanwhile.
    """
    cuts, ledger = TopicPartition(config.cuts, partition), TopicPartition(config.ledger, partition)
    outputs = [TopicPartition(topic, partition) for topic in (*config.outputs, *config.tables.values())]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=config.bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=config.request_timeout_ms,
        max_partition_fetch_bytes=FETCH_BYTES_MAX,
        fetch_max_wait_ms=_FETCH_WAIT_MS_MAX,
        max_poll_records=_POLL_RECORDS_MAX,
    )
    try:
        await consumer.start()
        refuse_unpacking(consumer)
        places = [cuts, ledger, *outputs]
        consumer.assign(places)  # a topic that is not assigned is looked up first, which takes 0.1 s
        consumer.pause(*places)
        for place in places:  # else the client asks for their beginnings too, one by one
            consumer.seek(place, 0)
        begins, ends = await asyncio.gather(consumer.beginning_offsets(places), _ends(consumer, places))
        consumer.seek(cuts, begins[cuts])
        found = await _last_of_each_key(consumer, cuts, ends[cuts])
        if await consumer.position(cuts) > ends[cuts]:  # then the other ends are too old as well
            raise OvertakenError(_OVERTAKEN.format(cuts))
        key, prefix = cut_key(config.ledger, partition), set_aside_prefix(config.ledger, partition)
        cut = _decoded(decode_cut, found.get(key))
        asides = [_decoded(decode_set_aside, at) for name, at in found.items() if name.startswith(prefix)]
        written_ms = 0 if cut is None else found[key].timestamp
        settled, trail = Settled(cut, {}), Trail(f"{ledger.topic}/{ledger.partition}", {})
        if cut is None or cut.offset < ends[ledger]:  # else the ledger is not the one that the cut speaks of
            reading = _Outputs(config, consumer, begins, ends, ids)
            settled, trail = await reading.settled(cut, written_ms, [cuts, ledger, *outputs])
    finally:
        await stop_consumer(consumer)
    ledger_topic_id = ids.get(config.ledger)
    offsets = {one.offset for one in asides if one is not None and one.speaks_of(ledger_topic_id)}
    bounds = LedgerBounds(begins[ledger], ends[ledger], ledger_topic_id)
    read = CutRead(settled.cut, bounds, frozenset(offsets))
    return BehindFence(read, trail, -1 if cut is None else cut.offset, settled.back)


@dataclass(frozen=True, slots=True)
class _Outputs:
    """The ends of the output topics of one partition, which hold what the last transaction has left there."""

    config: EngineConfig
    consumer: AIOKafkaConsumer
    begins: Mapping[TopicPartition, int]
    ends: Mapping[TopicPartition, int]
    ids: Mapping[str, str | None]

    async def settled(
        self, cut: Cut | None, written_ms: int, places: Sequence[TopicPartition]
    ) -> tuple[Settled, Trail]:
        """Return the cut to go on from, and what the topics have already; the last cut was written at that instant."""
        cuts, ledger, *outputs = places
        name, tables = f"{ledger.topic}/{ledger.partition}", frozenset(self.config.tables.values())
        told = spans_of(cut, [place.topic for place in outputs])
        try:
            self._must_be_those_of(cut)
            spans = {place: told[place.topic] for place in outputs if self._can_be_checked(place, told)}
            counted = await self._count(spans)
            found = {place.topic: n for place, n in counted.items()}
            old = time.time() - written_ms / 1000 > _DELETIONS_LAST_S
            settled = settle(cut, found, tables, name, lasting_only=old)
        except StrangeOutputsError:
            await self._must_not_be_overtaken(cuts)
            raise
        # nothing of this partition is written between the fence and here, so the next transaction comes behind these
        starts = {place.topic: (max(self.ends[place], self.consumer.highwater(place) or 0), 0) for place in outputs}
        ahead: dict[str, deque[bytes]] = {}
        for place, span in spans.items():
            if (there := settled.ahead.get(place.topic, 0)) > 0:
                known = counted[place] - there
                starts[place.topic] = (span.start, known)
                ahead[place.topic] = await self._digests(place, span, known)
        if settled.torn:
            await self._must_not_be_overtaken(cuts)
            unknown = [
                place.topic
                for place in outputs
                if place.topic not in tables | found.keys() and (settled.back or self.begins[place] < self.ends[place])
            ]
            if unknown:
                raise StrangeOutputsError(
                    f"{name}: {settled.torn}, and what {', '.join(unknown)} has of the same transaction cannot be "
                    "told: its records there are deleted"
                )
            log.warning(
                "%s: the cluster has torn a transaction apart: %s. What is missing is written, behind offset %d",
                name,
                settled.torn,
                -1 if settled.cut is None else settled.cut.offset,
            )
        return settled, Trail(name, starts, ahead)

    def _must_be_those_of(self, cut: Cut | None) -> None:
        for topic, known in () if cut is None else cut.output_ids:
            found = self.ids.get(topic)
            if not may_be_one(known, found):
                raise StrangeOutputsError(f"{topic} had topic id {known} and has {found} now: it was made anew")

    async def _must_not_be_overtaken(self, cuts: TopicPartition) -> None:
        """Raise OvertakenError if anything was written to the cuts since: what looks torn may be a successor's."""
        if (await _ends(self.consumer, [cuts]))[cuts] > self.ends[cuts]:
            raise OvertakenError(_OVERTAKEN.format(cuts))

    def _can_be_checked(self, place: TopicPartition, told: Mapping[str, Span]) -> bool:
        span = told.get(place.topic)
        if span is None:
            return False
        if self.ends[place] < span.start:
            raise StrangeOutputsError(
                f"{place.topic}/{place.partition} ends at offset {self.ends[place]}, the last transaction began at "
                f"{span.start} or behind: it was made anew, or has lost its last records"
            )
        if self.begins[place] > span.start:
            log.warning(
                "%s/%d begins at offset %d: whether the last transaction is there as a whole cannot be told",
                place.topic,
                place.partition,
                self.begins[place],
            )
            return False
        return True

    async def _count(self, spans: Mapping[TopicPartition, Span]) -> Counter[TopicPartition]:
        counted: Counter[TopicPartition] = Counter(dict.fromkeys(spans, 0))
        for place, span in spans.items():
            self.consumer.seek(place, span.start)
        async for place, records in _up_to_the_end(self.consumer, {place: self.ends[place] for place in spans}):
            counted[place] += len(records)
            if counted[place] > spans[place].after + _AHEAD_MAX:
                raise StrangeOutputsError(
                    f"{place.topic}/{place.partition} has more than {_AHEAD_MAX} records that no cut covers"
                )
        return counted

    async def _digests(self, place: TopicPartition, span: Span, known: int) -> deque[bytes]:
        digests: deque[bytes] = deque()
        self.consumer.seek(place, span.start)
        async for _, records in _up_to_the_end(self.consumer, {place: self.ends[place]}):
            passed = min(known, len(records))
            known -= passed
            digests.extend(digest(record.key, record.value, record.headers) for record in records[passed:])
        return digests


async def _ends(consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    """Return the high watermarks. A reader of what is committed is told the last stable offsets, if it asks as such."""
    fetcher = consumer._fetcher  # noqa: SLF001 -- the client cannot be asked otherwise, and fetches nothing meanwhile
    isolation, fetcher._isolation_level = fetcher._isolation_level, _READ_UNCOMMITTED  # noqa: SLF001
    try:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(places)
    finally:
        fetcher._isolation_level = isolation  # noqa: SLF001
    return ends


async def _last_of_each_key(consumer: AIOKafkaConsumer, cuts: TopicPartition, end: int) -> dict[bytes, ConsumerRecord]:
    found: dict[bytes, ConsumerRecord] = {}
    async for _, records in _up_to_the_end(consumer, {cuts: end}):
        for record in records:
            if isinstance(record.value, Refused):
                raise UnreadableCutError(
                    f"{cuts.topic}/{cuts.partition} at offset {record.offset}: expected a cut or a set-aside, got "
                    f"{record.value.reason}. Set compression.type=producer on the topic, and give this worker derived "
                    "topics of its own"
                )
            if record.value is None:
                found.pop(record.key, None)
            elif record.key is not None:
                found[record.key] = record
    return found


async def _up_to_the_end(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
) -> AsyncIterator[tuple[TopicPartition, Sequence[Any]]]:
    """Give what these places hold from their positions on, up to the ends or the high watermarks, whichever is later.

    The places are paused when it ends.
    """
    left = dict(ends)
    open_since: dict[TopicPartition, float] = {}
    consumer.resume(*left)
    while left:
        for place in list(left):
            high, position = consumer.highwater(place), await consumer.position(place)
            if high is not None and position >= max(high, left[place]):
                consumer.pause(place)
                del left[place]
            elif high is None or (stable := consumer.last_stable_offset(place)) is None or stable > position:
                open_since.pop(place, None)
            elif time.monotonic() - open_since.setdefault(place, time.monotonic()) > _OPEN_WITHIN_S:
                raise OpenTransactionError(
                    f"{place.topic}/{place.partition}: a transaction that begins at offset {stable} does not end. "
                    "Either another worker takes the partition over just now, or the cluster has lost the end of it "
                    "(Apache Kafka 4.3 does when a broker is killed, KAFKA-20734)"
                )
        if left:
            for place, records in (await consumer.getmany(*left, timeout_ms=_FETCH_WAIT_MS_MAX)).items():
                yield place, records


def _decoded(decode: Callable[[bytes], T], record: ConsumerRecord | None) -> T | None:
    if record is None:
        return None
    try:
        return decode(record.value)
    except UnreadableCutError as error:
        raise UnreadableCutError(f"{record.topic}/{record.partition} at offset {record.offset}: {error}") from error
