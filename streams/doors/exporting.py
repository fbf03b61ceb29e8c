"""The ledger as JSON Lines: each event with the time at which it was first recorded."""

from collections.abc import Callable
from contextlib import aclosing
from typing import IO

from schemas.encoding import canonical
from streams.doors.asking import UnknownNegotiation
from streams.doors.kafka import ledger_events, negotiations, none_of


async def export_lines(
    bootstrap: str,
    prefix: str,
    negotiation: str | None,
    stream: IO[bytes],
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Write the events partition by partition, in the order of each; return how many records are none.

    UnknownNegotiation if there is nothing of the negotiation.
    """
    unreadable = written = 0
    async with aclosing(ledger_events(bootstrap, prefix, negotiation)) as events:
        async for recorded in events:
            if recorded is None:
                unreadable += 1
                continue
            event = recorded.event
            if event.first_recorded_at is None and recorded.recorded_at is not None:
                event = event.model_copy(update={"first_recorded_at": recorded.recorded_at})
            stream.write(canonical(event) + b"\n")
            written += 1
            progress(1)
    stream.flush()
    if negotiation is not None and not written:
        raise UnknownNegotiation(none_of("on the ledger", negotiation, await negotiations(bootstrap, prefix)))
    return unreadable
