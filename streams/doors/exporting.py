"""The ledger as JSON Lines: each event with the time at which it was first recorded."""

from typing import IO

from schemas.encoding import canonical
from streams.doors.kafka import read_ledger


async def export_lines(bootstrap: str, prefix: str, negotiation: str | None, stream: IO[bytes]) -> int:
    """Write the events in the order of the ledger; return how many records are none."""
    ledger = await read_ledger(bootstrap, prefix, negotiation)
    for recorded in ledger.events:
        event = recorded.event
        if event.first_recorded_at is None and recorded.recorded_at is not None:
            event = event.model_copy(update={"first_recorded_at": recorded.recorded_at})
        stream.write(canonical(event) + b"\n")
    stream.flush()
    return ledger.unreadable
