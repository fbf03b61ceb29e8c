"""Where a topic begins and ends."""

from collections.abc import Collection

from streams.reading.records import Isolation, open_reader


async def end_positions(
    bootstrap: str,
    topic: str,
    partitions: Collection[int] | None = None,
    *,
    isolation: Isolation = "read_uncommitted",
) -> dict[int, int]:
    """Return the offset after the last record of each partition; 0 where there is none yet.

    With read_committed it is the offset up to which everything is decided: what an open transaction wrote comes after.
    """
    async with open_reader(bootstrap, topic, isolation, partitions) as reader:
        return await reader.ends()


async def bounds(bootstrap: str, topic: str) -> dict[int, tuple[int, int]]:
    """Return the offset of the first record that each partition still has, or would have, and that after the last."""
    async with open_reader(bootstrap, topic, "read_uncommitted") as reader:
        begins, ends = await reader.begins(), await reader.ends()
    return {partition: (begins[partition], ends[partition]) for partition in begins}
