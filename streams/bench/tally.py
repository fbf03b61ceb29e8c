"""The tally: the smallest work that is shaped like Parley's, for comparing what carries it.

Per event: read the JSON, count by negotiation, one output and one row of a table. Whoever carries it writes the same
bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from streams.engine import Outputs, Record

TABLE: Final = "measures"


Counts = tuple[int, int]
"""Events and corrections of one negotiation."""
NONE_YET: Final[Counts] = (0, 0)


def told(partition: int, offset: int, value: bytes, before: Counts) -> tuple[Counts, bytes]:
    """Take in one event; return the counts of its negotiation and what is to be written of them."""
    event = orjson.loads(value)
    corrects = "replaces" in event or event["type"] == "report_retracted"
    events, corrections = before[0] + 1, before[1] + corrects
    tally = {
        "schema": "parley.tally/1",
        "negotiation": event["negotiation"],
        "sequence": (partition, offset),
        "events": events,
        "corrections": corrections,
        "type": event["type"],
        "act": event.get("act"),
        "source": event["source"]["name"] if "source" in event else None,
    }
    return (events, corrections), orjson.dumps(tally)


@dataclass(slots=True)
class Tally:
    """The counts of all negotiations of one partition."""

    held: dict[bytes, Counts] = field(default_factory=dict)

    def take(self, partition: int, offset: int, key: bytes, value: bytes) -> bytes:
        """Take in one event and return what is to be written of it under its key."""
        self.held[key], tally = told(partition, offset, value, self.held.get(key, NONE_YET))
        return tally


class TallyProjection:
    """The tally as a projection of the engine."""

    version = "tally-1"

    def __init__(self, outputs_topic: str) -> None:
        self._outputs_topic = outputs_topic
        self._tally = Tally()

    def fold(self, records: Sequence[Record]) -> None:
        """Fold records whose outputs are committed."""
        for record in records:
            self._tally.take(record.partition, record.offset, record.key or b"", record.value or b"")

    def project(self, records: Sequence[Record], outputs: Outputs) -> None:
        """Fold records and write what the tally tells."""
        for record in records:
            key = record.key or b""
            tally = self._tally.take(record.partition, record.offset, key, record.value or b"")
            outputs.append(self._outputs_topic, key, tally)
            outputs.row(TABLE, key, tally)

    def set_aside(self, record: Record, outputs: Outputs) -> None:
        """Pass a record over; nobody sets one aside in a measurement."""
