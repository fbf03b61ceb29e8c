"""The partitions of a worker go side by side: none waits for another, neither to be fenced nor to commit."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from streams.engine import Outputs, Progress, Record, fence, partition
from streams.engine.assignment import Assignment
from streams.engine.behind_fence import BehindFence
from streams.engine.moves import CutRead, LedgerBounds
from streams.engine.torn import Trail
from streams.engine.watchdog import Watchdog
from tests.clock.world import Stamped
from tests.engine.trial import PATIENCE_S, Trial

PARTITIONS = 2
OUTPUTS = "outputs"


class Meetings:
    """For each step of the protocol a place where the partitions meet: none goes on before the others are there."""

    def __init__(self) -> None:
        self.fence, self.read, self.open, self.send, self.commit = (asyncio.Barrier(PARTITIONS) for _ in range(5))
        self.asked: list[tuple[int, int | None]] = []


class Echo:
    """A projection that appends what it reads."""

    version = "1"

    def fold(self, records: Sequence[Record]) -> None:
        """Remember nothing."""

    def project(self, records: Sequence[Record], outputs: Outputs) -> None:
        """Append every record."""
        for record in records:
            outputs.append(OUTPUTS, record.key, record.value)

    def set_aside(self, record: Record, outputs: Outputs) -> None:
        """Pass a record."""


class Batch:
    """A batch of records that nobody sends."""

    def append(self, **_: object) -> object:
        """Take a record."""
        return self

    def size(self) -> int:
        """Return how long it is."""
        return 0

    def record_count(self) -> int:
        """Return how many records it has."""
        return 1

    def close(self) -> None:
        """Take no more."""


class Acknowledged:
    """The broker's word for a batch."""

    offset = 0


class Producer:
    """A broker's side of one partition, which waits at every step for the other partitions."""

    def __init__(self, meetings: Meetings) -> None:
        self.meetings = meetings
        self.client = None

    async def start(self) -> None:
        """Raise the fence."""
        await self.meetings.fence.wait()

    async def begin_transaction(self) -> None:
        """Open a transaction."""
        await self.meetings.open.wait()

    async def partitions_for(self, _topic: str) -> set[int]:
        """Return the partitions of every topic."""
        return set(range(PARTITIONS))

    def create_batch(self) -> Batch:
        """Give an empty batch."""
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> "asyncio.Future[Acknowledged]":
        """Acknowledge a batch at once, but for the cut."""
        del batch, partition
        if topic.endswith(".cuts"):
            await self.meetings.send.wait()
        acknowledged: asyncio.Future[Acknowledged] = asyncio.get_running_loop().create_future()
        acknowledged.set_result(Acknowledged())
        return acknowledged

    async def commit_transaction(self) -> None:
        """Commit."""
        await self.meetings.commit.wait()

    async def stop(self) -> None:
        """Close nothing."""


@pytest.fixture
def meetings(monkeypatch: pytest.MonkeyPatch) -> Meetings:
    meetings = Meetings()

    async def topic_ids(_client: object, topics: Sequence[str], *, first: int | None = None, **_: object) -> Any:  # noqa: ANN401
        meetings.asked.append((len(topics), first))
        return dict.fromkeys(topics, "id")

    async def agreed_ids(*_: object) -> dict[str, str]:
        return {OUTPUTS: "an id"}

    async def read_behind_fence(*_: object) -> BehindFence:
        await meetings.read.wait()
        return BehindFence(CutRead(None, LedgerBounds(0, 1, "id")), Trail("side", {}))

    monkeypatch.setattr(fence, "AIOKafkaProducer", lambda **_: Producer(meetings))
    monkeypatch.setattr(fence, "topic_ids", topic_ids)
    monkeypatch.setattr(fence, "agreed_ids", agreed_ids)
    monkeypatch.setattr(partition, "read_behind_fence", read_behind_fence)
    monkeypatch.setattr(Watchdog, "start", lambda _: None)
    return meetings


async def test_each_partition_is_fenced_read_and_committed_while_the_others_are(
    tmp_path: Path, meetings: Meetings
) -> None:
    committed: set[int] = set()
    all_committed = asyncio.Event()

    def progressed(progress: Progress) -> None:
        if progress.cut == 0:
            committed.add(progress.partition)
        if len(committed) == PARTITIONS:
            all_committed.set()

    config = Trial("nowhere:1", "side", tmp_path, PARTITIONS).engine_config(tables={}, outputs=(OUTPUTS,))
    taken = Assignment(cast("Any", None), config, lambda _: Echo(), progressed)
    async with asyncio.timeout(PATIENCE_S):
        starts = await taken.take_over(1, range(PARTITIONS))
        assert starts == dict.fromkeys(range(PARTITIONS), 0)
        taken.flow(1, starts)
        for number in range(PARTITIONS):
            record: Record = Stamped(number, 0, 0, b"k", b"1")
            taken.fetched(number, 0, 1, number % 2)
            taken.arrive(1, number, [record])
        await all_committed.wait()
        await taken.leave()
    at_take_over = [(2, None)] * PARTITIONS
    assert sorted(meetings.asked, key=str) == sorted([*at_take_over, (1, 0), (1, 1)], key=str)
