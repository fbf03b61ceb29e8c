"""A clock for the tally: `python -m tests.faults.clock SETTINGS.json`; it tells each strike that it posts.

It folds deadlines from the ledger and strikes when one is to be warned of or passed, by its own time, which
`fast_by_ms` makes wrong. With `decides` it does what no clock may: it writes alerts itself, as it sees fit.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from streams.producing import LedgerWriter
from streams.reading import follow
from streams.topics import partition_of
from tests.faults.events import LEAD_MS, event_value, identity
from tests.faults.history import now_ms, written


def tell(line: Mapping[str, object]) -> None:
    """Tell whoever started this clock, for the history."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


@dataclass(slots=True)
class Clock:
    """The deadlines heard of, and up to which instant each was struck for."""

    settings: dict[str, Any]
    writer: LedgerWriter
    alerts: LedgerWriter
    due: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    struck: set[tuple[str, int]] = field(default_factory=set)

    def hear(self, value: bytes | None) -> None:
        """Take in a record of the ledger."""
        try:
            event = orjson.loads(value or b"")
        except orjson.JSONDecodeError:
            return
        if isinstance(event, dict) and event.get("type") == "deadline":
            self.due[event["negotiation"], event["deadline"]] = (event["due_ms"], event["id"])

    async def look(self) -> None:
        """Strike for whatever is to be warned of or passed by now."""
        now = now_ms() + self.settings["fast_by_ms"]
        for (negotiation, deadline), (due_ms, revision) in list(self.due.items()):
            for wake_ms in (due_ms - LEAD_MS, due_ms):
                if wake_ms <= now and (revision, wake_ms) not in self.struck:
                    self.struck.add((revision, wake_ms))
                    event = f"clock-{negotiation}-{wake_ms}"
                    await self._strike(event, negotiation, wake_ms)
                    if self.settings["decides"] and wake_ms < due_ms:
                        await self._alert(event, negotiation, deadline, due_ms, revision)

    async def _strike(self, event: str, negotiation: str, at_ms: int) -> None:
        key, partition = negotiation.encode(), partition_of(negotiation.encode(), self.settings["partitions"])
        value = event_value(event, negotiation, {"type": "strike", "at_ms": at_ms})
        line = {
            "op": "append", "producer": "clock", "author": f"clock {os.getpid()}", "number": len(self.struck),
            "key": negotiation, "value": written(value), "partition": partition,
        }  # fmt: skip
        tell({**line, "outcome": "unknown", "offset": None})
        position = await self.writer.append(key, value, [], partition=partition)
        tell({**line, "outcome": "acked", "offset": position.offset})

    async def _alert(self, event: str, negotiation: str, deadline: str, due_ms: int, revision: str) -> None:
        alert = {
            "id": identity("alert", negotiation, deadline, revision),
            "deadline": deadline,
            "due_ms": due_ms,
            "cause": event,
        }
        key = negotiation.encode()
        partition = partition_of(key, self.settings["partitions"])
        await self.alerts.append(key, orjson.dumps(alert, option=orjson.OPT_SORT_KEYS), [], partition=partition)


async def main(settings: dict[str, Any]) -> None:
    """Follow the ledger and strike, until killed."""
    bootstrap, ledger = settings["bootstrap"], settings["ledger"]
    start = dict.fromkeys(range(settings["partitions"]), 0)
    async with (
        LedgerWriter(bootstrap, ledger) as writer,
        LedgerWriter(bootstrap, f"{settings['outputs']}.alerts") as alerts,
    ):
        clock = Clock(settings, writer, alerts)
        async for records in follow(bootstrap, ledger, isolation="read_uncommitted", start=start):
            for record in records:
                clock.hear(record.value)
            await clock.look()


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))
