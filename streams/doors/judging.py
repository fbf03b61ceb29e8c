"""What becomes of one line at the doors: judged once, the same way, whatever command brought it."""

from dataclasses import dataclass
from typing import Final

from schemas.codec import EVENT_BYTES_MAX, Undecodable, encode
from schemas.events import Event
from schemas.ids import event_id
from streams.doors.known_events import KnownEvents
from streams.doors.offsets import contradiction

_BYTES_MAX: Final = EVENT_BYTES_MAX - len(',"first_recorded_at":"2025-01-01T12:00:00.123456Z"')


@dataclass(frozen=True, slots=True)
class There:
    """The ledger has the very event already, under this id."""

    id: str


async def judge(event: Event | Undecodable, known: KnownEvents) -> Event | There | Undecodable:
    """Return an event that is new to the ledger; else that it is there already, or why it is refused.

    One that comes from another ledger is taken with the times that it has there.
    """
    if isinstance(event, Undecodable):
        return event
    fault = (contradiction(event) or _too_long(event)) if event.first_recorded_at is None else None
    if fault is not None:
        return fault
    match await known.judge(event):
        case "new":
            return event
        case "there":
            return There(event_id(event))
        case "taken":
            return _taken(event)


def _too_long(event: Event) -> Undecodable | None:
    """Refuse what an export could not write in a line that is read again: it adds when the event was recorded."""
    if len(encode(event)) <= _BYTES_MAX:
        return None
    reason = f"expected at most {_BYTES_MAX:,} bytes, so that an export of it can be read; got more"
    return Undecodable("too_large", reason)


def _taken(event: Event) -> Undecodable:
    name = event_id(event)
    reason = f"the ledger has another event under the id {name}: a correction is a new report that `replaces` it"
    return Undecodable("invalid_value", reason, "/source/own_id")
