"""Where is measured: a Kafka made for the purpose, or one that is named; and the ledger that is laid there."""

import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient

from streams.broker import EmbeddedBroker
from streams.engine.closing import close_wholly
from streams.now import now
from streams.producing import Append, LedgerWriter
from streams.reading import end_positions
from streams.topics import EVENTS, Topic
from streams.topics_on_kafka import ensure_topics

PARTITIONS: Final = 4
Tell = Callable[[str], None]
"""Says to a person what is going on."""


@dataclass(frozen=True, slots=True)
class Place:
    """A Kafka, the first part of all topic names there, and a folder for what the processes need and say."""

    bootstrap: str
    prefix: str
    folder: Path
    broker: int | None = None
    """The process of the Kafka, where it was made for the purpose."""

    def topic(self, topic: Topic) -> str:
        """Return the name of a topic here."""
        return topic.name(self.prefix)

    def beside(self, name: str) -> "Place":
        """Return a place for the outputs of one measurement, beside the others."""
        return replace(self, prefix=f"{self.prefix}-{name}", folder=self.folder / name)


@dataclass(frozen=True, slots=True)
class Laid:
    """A ledger to be measured on: where its partitions end, its bytes, and how long it took to append it all."""

    ends: dict[int, int]
    value_bytes: int
    seconds: float

    @property
    def events(self) -> int:
        """How many events it has."""
        return sum(self.ends.values())


@asynccontextmanager
async def place(brokers: str | None, *, lasting: bool = False) -> AsyncIterator[Place]:
    """Give a place with a prefix of its own: on the named Kafka, which is left as it was, or on one for the purpose.

    The latter is `lasting` where it is to be measured as one that has been up for long.
    """
    prefix = f"bench-{now():%Y%m%d-%H%M%S}"
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as name:
        folder = Path(name)
        if brokers is None:
            kafka = EmbeddedBroker(folder / "broker", lasting=lasting)
            with kafka as address:
                yield Place(address.bootstrap, prefix, folder / "processes", kafka.pid)
            return
        try:
            yield Place(brokers, prefix, folder / "processes")
        finally:
            await remove_topics(brokers, prefix)


async def remove_topics(bootstrap: str, prefix: str) -> None:
    """Remove the topics of a prefix, and those beside it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        own = [topic for topic in await admin.list_topics() if topic.startswith((f"{prefix}.", f"{prefix}-"))]
        if own:
            await admin.delete_topics(own)
    finally:
        await close_wholly(admin.close())


async def lay(here: Place, source: Iterator[Append], events: int, tell: Tell) -> Laid:
    """Create the topics of a place and append so many events of a workload to its ledger."""
    await ensure_topics(here.bootstrap, here.prefix, PARTITIONS)
    tell(f"appending {events:,} events")
    size = 0

    def counted() -> Iterator[Append]:
        nonlocal size
        for count, record in enumerate(islice(source, events), start=1):
            size += len(record.value)
            if count % 100_000 == 0:
                tell(f"appended {count:,} of {events:,} events")
            yield record

    begun_at = time.monotonic()
    async with LedgerWriter(here.bootstrap, here.topic(EVENTS)) as writer:
        await writer.append_all(counted())
    seconds = time.monotonic() - begun_at
    return Laid(await end_positions(here.bootstrap, here.topic(EVENTS)), size, seconds)
