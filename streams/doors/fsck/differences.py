"""What differs between what the ledger brings about and what stands on the topics."""

from dataclasses import dataclass, field
from typing import Any, Final

import orjson

_SHOWN_BYTES_MAX: Final = 4_096


@dataclass(frozen=True, slots=True)
class Difference:
    """One record that is not as it must be: its topic and partition, its key, and both values (None: there is none).

    `place` says which row it is, or the how-manieth record of its topic's partition, counted from 0.
    """

    topic: str
    partition: int
    place: str
    expected: bytes | None
    found: bytes | None

    def document(self) -> dict[str, Any]:
        """Return it as JSON; values that are no JSON, or long ones, are shown as text, in part."""
        return {
            "partition": self.partition,
            "place": self.place,
            "expected": shown(self.expected),
            "found": shown(self.found),
        }


@dataclass(slots=True)
class Differences:
    """All differences by topic: how many there are, and the first."""

    first: dict[str, Difference] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, one: Difference) -> None:
        """Note a difference."""
        self.first.setdefault(one.topic, one)
        self.counts[one.topic] = self.counts.get(one.topic, 0) + 1

    def document(self) -> dict[str, Any]:
        """Return the differences by topic as JSON."""
        return {
            topic: {"count": self.counts[topic], "first": one.document()} for topic, one in sorted(self.first.items())
        }


def shown(value: bytes | None) -> object:
    """Return bytes as JSON can hold them: as the JSON they are, else as text with escapes, at most some thousand."""
    if value is None:
        return None
    if len(value) <= _SHOWN_BYTES_MAX:
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            pass
    text = value[:_SHOWN_BYTES_MAX].decode("utf-8", "backslashreplace")
    return text if len(value) <= _SHOWN_BYTES_MAX else f"{text}… ({len(value):,} bytes)"
