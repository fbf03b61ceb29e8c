"""A subscriber to changes, `python -m streams.bench.subscriber FILE`: a JSON line for each handful that arrives."""

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import orjson

from streams.reading import follow


@dataclass(frozen=True, slots=True)
class SubscriberSettings:
    """Which topic of changes is followed, and where."""

    bootstrap: str
    changes: str
    start: dict[str, int]


def main() -> None:
    """Follow until ended."""
    settings = SubscriberSettings(**json.loads(Path(sys.argv[1]).read_text("utf-8")))
    asyncio.run(_follow(settings))


async def _follow(settings: SubscriberSettings) -> None:
    start = {int(partition): offset for partition, offset in settings.start.items()}
    async for changes in follow(settings.bootstrap, settings.changes, start=start):
        at = time.monotonic()
        places = [orjson.loads(change.value or b"null")["sequence"][:2] for change in changes]
        sys.stdout.write(json.dumps({"at": at, "changed": places}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
