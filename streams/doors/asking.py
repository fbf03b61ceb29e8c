"""Questions with times: from Kafka or from a file, with the same answer but for the position."""

import re
from datetime import date, datetime
from typing import Final

from ledger.answer import Asked, latest_public_at, state
from schemas.changes import Json
from schemas.times import instant_text, midnight, parse_instant, zone
from streams import ledger_file
from streams.doors.kafka import Ledger, negotiations, none_of, read_ledger
from streams.now import now
from streams.settings import UsageError

_POSITION: Final = re.compile(r"([0-9]{1,4}):([0-9]{1,18})")


class UnknownNegotiation(Exception):  # noqa: N818 -- bad input
    """The ledger has nothing under that name; the message names what it has."""


def instant(text: str | None, option: str) -> datetime | None:
    """Read an instant of an option. UsageError says what was expected and, for a bare day, what the choice is."""
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError as error:
        if _is_day(text):
            raise UsageError(
                f"{option} {text}: a day is not an instant. Say whether you mean its beginning or its end, and where: "
                f"{_midnight_in(text, 'America/New_York')} is Washington's midnight before that day, "
                f"{text}T23:59:59+08:00 the end of that day in Beijing."
            ) from error
        raise UsageError(f"{option}: {error}") from error


def position(text: str) -> tuple[int, int]:
    """Read PARTITION:OFFSET, a place on the ledger; UsageError says what was expected."""
    found = _POSITION.fullmatch(text)
    if found is None:
        raise UsageError(f"expected a position PARTITION:OFFSET such as 2:1841, got {text[:80]!r}")
    return int(found[1]), int(found[2])


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _midnight_in(day: str, zone_name: str) -> str:
    return instant_text(midnight(date.fromisoformat(day), zone_name).astimezone(zone(zone_name)))


async def events_of(negotiation: str, *, ledger: str | None, bootstrap: str, prefix: str) -> Ledger:
    """Return what a file or Kafka holds of a negotiation. UnknownNegotiation if it has no event."""
    if ledger is not None:
        every = ledger_file.recorded(ledger_file.events(ledger))
        found = Ledger([one for one in every if one.event.negotiation == negotiation])
        names = {one.event.negotiation for one in every} if not found.events else ()
    else:
        found = await read_ledger(bootstrap, prefix, negotiation)
        names = await negotiations(bootstrap, prefix) if not found.events else ()
    if not found.events:
        raise UnknownNegotiation(none_of("on the ledger", negotiation, names))
    return found


def ask(
    negotiation: str,
    ledger: Ledger,
    at: datetime | None,
    known_at: datetime | None,
    recorded_by: datetime | None,
) -> Json:
    """Return the state. Without `at`: now. Without `known_at`: with everything on the ledger.

    `unread` counts the records in the same place that are no events, or set aside.
    UsageError for `recorded_by` where events do not say when they were recorded.
    """
    events = ledger.events
    if recorded_by is not None and any(one.first_recorded_at is None for one in events):
        raise UsageError(
            "--recorded-by asks what this ledger had, and its events do not say when they were recorded: ask Kafka, or "
            "a file that `parley export` has written. What was public by an instant is --known-at."
        )
    present = now().replace(microsecond=0)
    latest = latest_public_at(events)
    everything = max(present, latest) if latest is not None else present
    answer = state(negotiation, events, Asked(at or present, known_at or everything, recorded_by))
    return {**answer, "unread": ledger.unreadable}
