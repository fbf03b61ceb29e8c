"""What becomes of one line at the doors: judged once, the same way, whatever command brought it."""

from dataclasses import dataclass

from schemas.codec import Undecodable
from schemas.events import Event
from schemas.ids import event_id
from streams.doors.known_events import KnownEvents
from streams.doors.offsets import contradiction


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
    fault = contradiction(event) if event.first_recorded_at is None else None
    if fault is not None:
        return fault
    match await known.judge(event):
        case "new":
            return event
        case "there":
            return There(event_id(event))
        case "taken":
            return _taken(event)


def _taken(event: Event) -> Undecodable:
    name = event_id(event)
    reason = f"the ledger has another event under the id {name}: a correction is a new report that `replaces` it"
    return Undecodable("invalid_value", reason, "/source/own_id")
