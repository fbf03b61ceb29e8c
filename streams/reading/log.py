"""A topic from an offset up to where it ended when the reading began."""

import time
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Final

from streams.broker_reaching import BrokerUnreachable
from streams.engine.refusing import Refused
from streams.reading.faults import HoleInTopic, RecordsGone, StrangeBatch
from streams.reading.records import Isolation, KafkaRecord, Reader, open_reader

_SILENCE_S: Final = 15.0


async def read_to_end(
    bootstrap: str,
    topic: str,
    *,
    partitions: Collection[int] | None = None,
    isolation: Isolation = "read_uncommitted",
    start: Mapping[int, int] | None = None,
    ends: Mapping[int, int] | None = None,
    dense: bool = False,
) -> AsyncGenerator[Sequence[KafkaRecord], None]:
    """Give the records up to the end that the topic has now, in lists of one partition each, in order per partition.

    `start` is the first offset wanted in each partition, 0 where it is not named; `ends` the offset after the last one,
    where the topic ends now if it is not named: what is open there is waited for. `dense` is for the ledger: every
    offset must be there, else HoleInTopic. It stops by position, since transaction markers occupy offsets too.
    BrokerUnreachable when nobody answers, TopicMissing, RecordsGone when the topic has no such offset.
    """
    async with (
        open_reader(bootstrap, topic, isolation, partitions) as reader,
        aclosing(read_on(reader, start=start, ends=ends, dense=dense)) as arriving,
    ):
        async for records in arriving:
            yield records


async def read_on(
    reader: Reader,
    *,
    start: Mapping[int, int] | None = None,
    ends: Mapping[int, int] | None = None,
    dense: bool = False,
) -> AsyncGenerator[Sequence[KafkaRecord], None]:
    """Give what a reader has up to the end that there is now, as `read_to_end` does; it can be asked again."""
    begins, ends = await reader.begins(), {**await reader.ends(), **(ends or {})}
    wanted = {one: (start or {}).get(one, 0) for one in reader.partitions}
    if dense:
        for one, offset in wanted.items():
            if offset < begins[one]:
                raise HoleInTopic(reader.topic, one, offset, begins[one])
    named = {one: wanted[one] for one in start or {} if one in wanted}
    if gone := {one: offset for one, offset in named.items() if not begins[one] <= offset <= ends[one]}:
        raise RecordsGone(reader.topic, gone)
    offsets = {one: max(offset, begins[one]) for one, offset in wanted.items()}
    async with aclosing(_up_to(reader, offsets, ends)) as arriving:
        async for records in arriving:
            if dense:
                refuse_holes(records, offsets)
            else:
                refuse_strange(records)
            yield records


def refuse_holes(records: Sequence[KafkaRecord], offsets: dict[int, int]) -> None:
    """Check that records of one partition follow `offsets` without a hole, and move `offsets` on; HoleInTopic."""
    partition = records[0].partition
    for expected, record in enumerate(records, start=offsets[partition]):
        if record.offset != expected:
            raise HoleInTopic(record.topic, partition, expected, record.offset)
    offsets[partition] += len(records)


def refuse_strange(records: Sequence[KafkaRecord]) -> None:
    """Check that no record is of a batch that was refused; on the ledger it may be, elsewhere StrangeBatch."""
    for record in records:
        if not record.value and isinstance(record.value, Refused):
            raise StrangeBatch(record.topic, record.partition, record.offset, record.value.reason)


async def _up_to(
    reader: Reader, offsets: Mapping[int, int], ends: Mapping[int, int]
) -> AsyncGenerator[Sequence[KafkaRecord], None]:
    if not (unread := {one: offset for one, offset in offsets.items() if offset < ends[one]}):
        return
    reader.seek(unread)
    moved_at = time.monotonic()
    while any(offset < ends[one] for one, offset in reader.positions.items()):
        before = dict(reader.positions)
        for arrived in await reader.more():
            end = ends[arrived[0].partition]
            records = arrived if arrived[-1].offset < end else [one for one in arrived if one.offset < end]
            if records:
                yield records
        if reader.positions != before:
            moved_at = time.monotonic()
        elif time.monotonic() - moved_at > _SILENCE_S:
            raise BrokerUnreachable(
                reader.bootstrap, f"{reader.topic} gave nothing for {_SILENCE_S:g} s before its end"
            )
    reader.rest()
