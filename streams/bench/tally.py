"""The tally: the smallest work that is shaped like Parley's, for comparing what carries it.

Per event: read the JSON, count by negotiation, one output and one row of a table. Whoever carries it writes the same
bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import orjson

from streams.engine import Outputs, Record

TABLE: Final = "measures"


class Told(NamedTuple):
    """What the tally writes of one event, to the outputs and as the row of the negotiation."""

    key: bytes
    value: bytes


@dataclass(slots=True)
class Tally:
    """Events, corrections and the last act of each negotiation of one partition."""

    held: dict[bytes, tuple[int, int]] = field(default_factory=dict)

    def take(self, partition: int, offset: int, key: bytes, value: bytes) -> Told:
        """Take in one event and return what is to be written."""
        event = orjson.loads(value)
        events, corrections = self.held.get(key, (0, 0))
        events += 1
        if "replaces" in event or event["type"] == "report_retracted":
            corrections += 1
        self.held[key] = events, corrections
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
        return Told(key, orjson.dumps(tally))


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
            key, value = self._tally.take(record.partition, record.offset, record.key or b"", record.value or b"")
            outputs.append(self._outputs_topic, key, value)
            outputs.row(TABLE, key, value)

    def set_aside(self, record: Record, outputs: Outputs) -> None:
        """Pass a record over; nobody sets one aside in a measurement."""
