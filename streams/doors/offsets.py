"""Times that contradict themselves: an offset that their own zone does not have at that instant.

The classic slip is the summer offset on the day after the clocks went back; the event would count an hour early.
"""

from collections.abc import Iterator

from pydantic import BaseModel

from schemas.codec import Undecodable
from schemas.events import Event
from schemas.times import When, zone


def contradiction(event: Event) -> Undecodable | None:
    """Return what is wrong with the first time that contradicts itself; None where none does.

    An instant in UTC contradicts no zone. It is asked at the door alone: what zones will do may change, and what is on
    a ledger is read the same way for ever.
    """
    for pointer, when in _times(event, ""):
        printed = when.at.utcoffset() if when.at is not None else None
        if when.at is not None and printed:
            local = when.at.astimezone(zone(when.zone))
            if local.utcoffset() != printed:
                reason = f"expected the offset that {when.zone} has then, as in {local.isoformat()}, or Z; got "
                return Undecodable("invalid_value", reason + when.at.isoformat(), f"{pointer}/at")
    return None


def _times(value: object, pointer: str) -> Iterator[tuple[str, When]]:
    match value:
        case When():
            yield pointer, value
        case BaseModel():
            for name in type(value).model_fields:
                yield from _times(getattr(value, name), f"{pointer}/{name}")
        case tuple():
            for place, one in enumerate(value):
                yield from _times(one, f"{pointer}/{place}")
        case _:
            pass
