"""The dead letters of one set of outputs: what the worker wrote of records that could not be read."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from streams.doors.asking import position
from streams.doors.dead_letters.ledgers import of_another_ledger
from streams.reading import KafkaRecord, end_positions, read_to_end
from streams.settings import UsageError
from streams.topics import DEAD_LETTERS, EVENTS

REFUSED_BATCH: Final = "refused_batch"
SET_ASIDE: Final = "set_aside"
_TOLD: Final = ("parley_position", "parley_code", "parley_reason", "parley_pointer")
Place = tuple[int, int]


class NoDeadLetter(Exception):  # noqa: N818 -- bad input
    """There is no dead letter of that position of the ledger; the message says where positions are found."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record of the ledger that could not be read, as the worker passed it on.

    place: partition and offset on the ledger, its name. offset: where it stands on its own topic, in the partition of
    the same number. Key, value and headers are those of the record; for Kafka a header may be without a value.
    """

    place: Place
    offset: int
    at: datetime
    code: str
    reason: str
    pointer: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]

    @property
    def name(self) -> str:
        """The position of the record on the ledger, PARTITION:OFFSET."""
        return place_text(self.place)


def place_text(place: Place) -> str:
    """Write a position of the ledger as people type it."""
    return f"{place[0]}:{place[1]}"


def read_letter(record: KafkaRecord) -> DeadLetter | None:
    """Read a dead letter; None for a record that no worker wrote.

    Only the last four headers are the worker's: whoever wrote the record may have given it such names himself.
    """
    headers, told = tuple(record.headers[: -len(_TOLD)]), record.headers[-len(_TOLD) :]
    if tuple(name for name, _ in told) != _TOLD:
        return None
    where, code, reason, pointer = ((value or b"").decode("utf-8", "replace") for _, value in told)
    try:
        place = position(where)
    except UsageError:
        return None
    if place[0] != record.partition:
        return None
    at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    return DeadLetter(place, record.offset, at, code, reason, pointer, record.key, record.value, headers)


async def read_letters(
    bootstrap: str, prefix: str, *, progress: Callable[[int], None] = lambda _: None
) -> AsyncGenerator[DeadLetter | None, None]:
    """Give the dead letters of now, partition by partition; None for a record that no worker wrote."""
    async with aclosing(read_to_end(bootstrap, DEAD_LETTERS.name(prefix), isolation="read_committed")) as batches:
        async for records in batches:
            for record in records:
                yield read_letter(record)
            progress(len(records))


async def find_letter(bootstrap: str, prefix: str, place: Place) -> DeadLetter:
    """Return the dead letter of a position of the ledger. NoDeadLetter if there is none, or only of another ledger."""
    topic = DEAD_LETTERS.name(prefix)
    partition = place[0]
    if partition in await of_another_ledger(bootstrap, prefix):
        raise NoDeadLetter(
            f"expected the position of a dead letter, got {place_text(place)}: what {topic} has of that partition "
            f"speaks of a ledger {EVENTS.name(prefix)} that was deleted and made anew, where other records stand now. "
            "Give the new ledger new derived topics (runbook, exit code 76)."
        )
    if partition in await end_positions(bootstrap, topic):
        batches = read_to_end(bootstrap, topic, partitions=[partition], isolation="read_committed")
        async with aclosing(batches):
            async for records in batches:
                for letter in map(read_letter, records):
                    if letter is not None and letter.place == place:
                        return letter
    raise NoDeadLetter(
        f"expected the position of a dead letter, got {place_text(place)}: {topic} has none of that record. "
        "`parley dead-letters list` names them by their position on the ledger; a worker that is behind has not "
        "written all of them yet (`parley status`)."
    )


async def original_bytes(bootstrap: str, prefix: str, letter: DeadLetter) -> bytes | None:
    """Return the bytes of the record, from the ledger where the dead letter has none; None where nobody keeps them."""
    if letter.value is not None or letter.code == REFUSED_BATCH:
        return letter.value
    partition, offset = letter.place
    batches = read_to_end(
        bootstrap,
        EVENTS.name(prefix),
        partitions=[partition],
        start={partition: offset},
        ends={partition: offset + 1},
        dense=True,
    )
    async with aclosing(batches):
        async for records in batches:
            return records[0].value
    return None
