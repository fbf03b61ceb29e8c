"""An event folded before it is appended: what would stop the worker is found in time."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, NamedTuple

from schemas.cloudevents import headers
from schemas.codec import encode
from schemas.events import Event
from streams.engine.projection import Headers, Projection
from streams.now import now
from streams.reading import end_positions, read_set_asides, read_to_end
from streams.topics import EVENTS, partition_of

FOLD_RAISED: Final = "fold_raised"


class Refusal(NamedTuple):
    """Why an event is not appended: a code, a reason for people, and the JSON pointer of the fault."""

    code: str
    reason: str
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The record that an event would be."""

    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: Headers


class _Dropped:
    """What the event brings about, which nobody wants yet."""

    def append(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = ()) -> None:
        """Drop a record."""

    def row(self, table: str, key: bytes, value: bytes | None) -> None:
        """Drop a row."""


async def refused_by_the_fold(
    bootstrap: str, prefix: str, event: Event, projection_of: Callable[[int], Projection]
) -> Refusal | None:
    """Fold the ledger of a negotiation and then one more event, as a worker would; say what is wrong with that.

    `projection_of` makes the fold of a ledger of so many partitions.
    """
    topic = EVENTS.name(prefix)
    ends = await end_positions(bootstrap, topic)
    aside = await read_set_asides(bootstrap, prefix)
    key = event.negotiation.encode()
    partition = partition_of(key, len(ends))
    projection = projection_of(len(ends))
    batches = read_to_end(bootstrap, topic, partitions=[partition], ends=ends, dense=True)
    async with aclosing(batches):
        async for records in batches:
            for record in records:
                if record.key != key or (partition, record.offset) in aside:
                    continue
                try:
                    projection.fold([record])
                except Exception as error:  # noqa: BLE001 -- whatever a fold raises stops a worker
                    return Refusal(
                        FOLD_RAISED,
                        f"the fold of {event.negotiation} raises on the record {partition}:{record.offset}, which "
                        f"stands before it ({_told(error)}): set that aside first, `parley set-aside "
                        f"{partition}:{record.offset} --reason TEXT`",
                    )
    at = int(now().timestamp() * 1000)
    wanted = _Wanted(partition, ends[partition], at, key, encode(event), headers(event))
    try:
        projection.project([wanted], _Dropped())
    except Exception as error:  # noqa: BLE001 -- whatever a fold raises stops a worker
        return Refusal(FOLD_RAISED, f"the fold raises on it ({_told(error)}): it would stop the worker")
    return None


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
