"""Where an event stands on the ledger, and what the log knows of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from schemas.events import Event


class Position(NamedTuple):
    """One place on the ledger: dense offsets within a partition of a topic."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event plus what the log knows: its id, its position and the broker's append time (None for a file).

    `data` are the bytes that it was read from, where they are at hand.
    """

    event: Event
    id: str
    partition: int
    offset: int
    recorded_at: datetime | None
    data: bytes = b""

    @property
    def first_recorded_at(self) -> datetime | None:
        """When it was recorded first, perhaps on another ledger; None where nobody says.

        Whatever an event says of itself, that was not after it was recorded here.
        """
        told, here = self.event.first_recorded_at, self.recorded_at
        if told is None or here is None:
            return told or here
        return min(told, here)
