"""What a trial's ledger holds: additions, deadlines and strikes of a clock, each about one negotiation.

An addition counts. A deadline is heard of and replaces an earlier one of its name. A strike says what time it is:
deadlines that are due are passed, those within `LEAD_MS` are warned of once. A strike that is ahead of the log's own
time by more than `ALLOWANCE_MS` moves nothing. An event whose id came before does nothing; with other content it is
a finding. Bytes that are no event, and events in the wrong place, are dead letters.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate, count
from random import Random

import orjson

from streams.topics import BATCH_BYTES_MAX, partition_of

LEAD_MS = 3_600_000
ALLOWANCE_MS = 1_000
VALUE_BYTES_MAX = 64 << 10
DEPTH_MAX = 16
HOUR_MS = 3_600_000
_TOO_LONG_ONE_IN, _TOO_LONG_FIRST = 400, 100

NEGOTIATIONS = tuple(f"n{number}" for number in range(40))
_WEIGHTS = tuple(accumulate(1 / rank for rank in range(1, len(NEGOTIATIONS) + 1)))


def identity(*parts: object) -> str:
    """Return the id of something that an event brings about, a function of `parts` alone."""
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Draft:
    """A record to be appended: its author and the author's number for it; key, value and partition as they are sent."""

    author: str
    number: int
    key: bytes
    value: bytes
    partition: int

    @property
    def event(self) -> str:
        """The event's id."""
        return f"{self.author}-{self.number}"


@dataclass(slots=True)
class Author:
    """Writes events about the negotiations, few of them often; what it writes follows from its name and the times.

    One that is `careless` writes an event now and then that no batch can hold.
    """

    name: str
    seed: int
    partitions: int
    early_strikes: bool = True
    careless: bool = False
    _random: Random = field(init=False)
    _numbers: "count[int]" = field(init=False)

    def __post_init__(self) -> None:
        """Start at the first event."""
        self._random = Random(f"{self.seed}/{self.name}")  # noqa: S311 -- examples, not secrets
        self._numbers = count()

    def draft(self, now_ms: int) -> Draft:
        """Write the next event, at an instant."""
        negotiation = self._random.choices(NEGOTIATIONS, cum_weights=_WEIGHTS)[0]
        return self._drafted(negotiation, self._content(now_ms))

    def _drafted(self, negotiation: str, content: Mapping[str, object]) -> Draft:
        number, key = next(self._numbers), negotiation.encode()
        if self.careless and number % _TOO_LONG_ONE_IN == _TOO_LONG_FIRST:
            content = {**content, "quote": "x" * BATCH_BYTES_MAX}
        value = event_value(f"{self.name}-{number}", negotiation, content)
        return Draft(self.name, number, key, value, partition_of(key, self.partitions))

    def _content(self, now_ms: int) -> Mapping[str, object]:
        chance = self._random.random()
        if chance < 0.86:
            return {"type": "addition", "number": self._random.randint(-99, 99)}
        if chance < 0.93:
            due_ms = now_ms + int(self._random.uniform(-0.2, 2.0) * HOUR_MS)
            return {"type": "deadline", "deadline": f"d{self._random.randint(0, 9)}", "due_ms": due_ms}
        if chance < 0.98 or not self.early_strikes:
            return {"type": "strike", "at_ms": now_ms - 50}
        return {"type": "strike", "at_ms": now_ms + self._random.choice((-HOUR_MS, HOUR_MS))}


def event_value(event: str, negotiation: str, content: Mapping[str, object], version: str = "1.0") -> bytes:
    """Return an event as it stands on the ledger."""
    return orjson.dumps({"version": version, "id": event, "negotiation": negotiation, **content})
