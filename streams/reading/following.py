"""A topic as it grows."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence

from streams.reading.faults import HoleInTopic, RecordsGone
from streams.reading.log import refuse_holes, refuse_strange
from streams.reading.records import Isolation, KafkaRecord, open_reader


async def follow(
    bootstrap: str,
    topic: str,
    *,
    partitions: Collection[int] | None = None,
    isolation: Isolation = "read_committed",
    start: Mapping[int, int] | None = None,
    dense: bool = False,
) -> AsyncGenerator[Sequence[KafkaRecord], None]:
    """Give the records from an offset on, and those to come, in lists of one partition each, in order per partition.

    `start` is the first offset wanted in each partition; a partition that is not named begins where it ends now. It
    never ends by itself; an empty list comes about ten times a second while nothing is new, so that the caller can look
    at other things. `dense` as in `read_to_end`. BrokerUnreachable when nobody answers any more, TopicMissing,
    RecordsGone when the topic has no such offset.
    """
    async with open_reader(bootstrap, topic, isolation, partitions) as reader:
        begins, ends = await reader.begins(), await reader.ends()
        offsets = {one: (start or {}).get(one, ends[one]) for one in reader.partitions}
        if gone := {one: offset for one, offset in offsets.items() if not begins[one] <= offset <= ends[one]}:
            if dense and all(offset < begins[one] for one, offset in gone.items()):
                one = min(gone)
                raise HoleInTopic(topic, one, offsets[one], begins[one])
            raise RecordsGone(topic, gone)
        reader.seek(offsets)
        while True:
            arrived = await reader.more()
            for records in arrived:
                if dense:
                    refuse_holes(records, offsets)
                else:
                    refuse_strange(records)
                yield records
            if not arrived:
                yield []
