"""Producers that repeat each other, and producers that are newer than the worker."""

import asyncio
from dataclasses import dataclass, field
from itertools import count

from streams.engine import ExitCode
from streams.topics import partition_of
from tests.faults.crew import Broken
from tests.faults.events import NEGOTIATIONS, Draft, event_value
from tests.faults.history import now_ms
from tests.faults.trial import Trial


async def twice_each(trial: Trial) -> None:
    """Have two producers append the same events side by side, and kill the worker meanwhile."""
    slot = await trial.start("a", instance_id="a")
    appending = asyncio.create_task(append_twice_each(trial, "twin", 4_000))
    await trial.until_moved(trial.random.randint(1_000, 4_000))
    await trial.kill(slot)
    await appending


async def append_twice_each(trial: Trial, name: str, count: int) -> None:
    """Have two producers append the same events side by side."""
    author = trial.author(name)
    drafts = [author.draft(now_ms()) for _ in range(count)]

    async def append(producer: str) -> None:
        left = iter(drafts)
        await trial.producer(producer, lambda _: next(left)).run(chunk=40, per_second=1_500, count=count)

    await asyncio.gather(append(f"one {name}"), append(f"other {name}"))


@dataclass(slots=True)
class Versioned:
    """Writes additions in a version of the schema, with a field that only that version knows."""

    name: str
    version: str
    partitions: int
    _numbers: "count[int]" = field(default_factory=count)

    def draft(self, _now_ms: int) -> Draft:
        """Write the next event."""
        number = next(self._numbers)
        negotiation = NEGOTIATIONS[number % len(NEGOTIATIONS)]
        content = {"type": "addition", "number": number, "mood": f"of {self.version}"}
        value = event_value(f"{self.name}-{number}", negotiation, content, self.version)
        key = negotiation.encode()
        return Draft(self.name, number, key, value, partition_of(key, self.partitions))


async def newer_schema(trial: Trial) -> None:
    """Append events of a newer minor version, which are read, then of a newer major one, which stops the worker."""
    await trial.preload(1_000)
    slot = await trial.start("a", instance_id="a")
    minor = Versioned("minor", "1.7", trial.places.partitions)
    await trial.producer("minor", minor.draft).run(chunk=50, count=200)
    await trial.until_covered()
    slot.wanted = False
    major = Versioned("major", "2.0", trial.places.partitions)
    await trial.producer("major", major.draft).run(chunk=50, count=200)
    await trial.preload(1_000, "behind")
    trial.strike("newer major version", trial.places.ledger)
    await trial.stopped(slot, ExitCode.PROJECTION)
    if not trial.crew.said(slot, "upgrade me"):
        raise Broken(f"expected the worker to say what to do\n{trial.crew.tail(slot)}")
    trial.majors = (1, 2)
    await trial.start("a", instance_id="a", majors=[1, 2])
