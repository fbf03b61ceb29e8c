"""Partitions are released once, and whoever needs that waits for it."""

import asyncio
from typing import Any, cast

from streams.engine.assignment import Assignment
from tests.engine.trial import Trial


class Leaving:
    """A partition with a batch in flight, and what it holds."""

    def __init__(self) -> None:
        self.committed = asyncio.Event()
        self.closed = False

    async def leave(self) -> "Leaving":
        """Leave when the batch is committed."""
        await self.committed.wait()
        return self

    async def close(self) -> None:
        """Note that what was held is let go."""
        self.closed = True


async def test_a_shutdown_in_the_middle_of_a_rebalance_waits_for_the_batch_in_flight(tmp_path: Any) -> None:  # noqa: ANN401
    config = Trial("nowhere:1", "assignment", tmp_path, 1).engine_config()
    assignment = Assignment(cast("Any", None), config, cast("Any", None), cast("Any", None))
    partition = Leaving()
    assignment._partitions = {0: cast("Any", partition)}  # noqa: SLF001  it was taken over
    rebalance = asyncio.create_task(assignment.release())
    await asyncio.sleep(0)
    shutdown = asyncio.create_task(assignment.leave())
    await asyncio.sleep(0)
    assert not shutdown.done()
    partition.committed.set()
    await shutdown
    await rebalance
    assert partition.closed
