"""A subscriber to changes, `python -m streams.bench.subscriber FILE`: JSON lines of what arrived, some a second.

Each line is a list of the events whose changes arrived: partition, offset, and when it was in hand.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson
import uvloop

from streams.reading import KafkaRecord, follow

_TELL_EVERY_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class SubscriberSettings:
    """Which topic is followed, and where; `changes` tells of what event they are, on the ledger each is its own."""

    bootstrap: str
    topic: str
    start: dict[str, int]
    changes: bool = True


def main() -> None:
    """Follow until ended."""
    settings = SubscriberSettings(**json.loads(Path(sys.argv[1]).read_text("utf-8")))
    uvloop.run(_follow(settings))


async def _follow(settings: SubscriberSettings) -> None:
    start = {int(partition): offset for partition, offset in settings.start.items()}
    place = _cause if settings.changes else _own
    arrived: list[tuple[int, int, float]] = []
    told_at = float("-inf")
    async for records in follow(settings.bootstrap, settings.topic, start=start):  # also when nothing is new
        at = time.monotonic()
        arrived += [(*place(record), at) for record in records]
        if at - told_at > _TELL_EVERY_S:
            sys.stdout.write(json.dumps(arrived) + "\n")
            sys.stdout.flush()
            arrived, told_at = [], at


def _cause(change: KafkaRecord) -> tuple[int, int]:
    partition, offset = orjson.loads(change.value or b"null")["sequence"][:2]
    return partition, offset


def _own(event: KafkaRecord) -> tuple[int, int]:
    return event.partition, event.offset


if __name__ == "__main__":
    main()
