"""A compacted topic as the table it is."""

from collections.abc import Collection
from typing import NamedTuple

from streams.reading.log import read_to_end
from streams.reading.records import Isolation


class TableRow(NamedTuple):
    """The last value of a key, its place, and its time in milliseconds since 1970 in UTC."""

    value: bytes
    partition: int
    offset: int
    timestamp: int


async def read_table(
    bootstrap: str,
    topic: str,
    *,
    partitions: Collection[int] | None = None,
    isolation: Isolation = "read_committed",
) -> dict[bytes, TableRow]:
    """Return the last committed value of each key as of now; keys that were deleted are left out.

    Errors as in `read_to_end`.
    """
    rows: dict[bytes, TableRow] = {}
    async for records in read_to_end(bootstrap, topic, partitions=partitions, isolation=isolation):
        for record in records:
            if record.key is None:
                continue  # a compacted topic takes none
            if record.value is None:
                rows.pop(record.key, None)
            else:
                rows[record.key] = TableRow(record.value, record.partition, record.offset, record.timestamp)
    return rows
