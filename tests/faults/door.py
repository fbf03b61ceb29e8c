"""Parley's own door on a trial's ledger: good lines land and bad ones are refused, whatever happens meanwhile.

What lands are Parley's events, not the tally's, which takes each for a dead letter.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from itertools import islice

from schemas.codec import EVENT_BYTES_MAX, encode
from schemas.events import Event, StatementMade
from streams import ledger_file
from streams.doors.appending import Appended, append
from streams.producing import AppendFailed
from streams.reading import BrokerUnreachable
from streams.topics import partition_of
from tests.faults.crew import Broken
from tests.faults.events import NEGOTIATIONS, Draft
from tests.faults.history import note_append
from tests.faults.trial import Trial

_AT_ONCE = 4
_AGAIN_AFTER_S = 0.2

BAD: Mapping[str, Callable[[bytes], bytes]] = {
    "unknown_field": lambda line: line.replace(b'"type"', b'"colour":"red","type"'),
    "not_json": lambda line: line[:-1],
    "too_large": lambda line: line + b" " * EVENT_BYTES_MAX,
    "invalid_value": lambda line: line.replace(b'"act":"', b'"act":"not-'),  # another event under its id
}
"""What is wrong with a line, by the door's code for it, and how a good one is made bad so."""


def lines_of(name: str, count: int, partitions: int) -> tuple[list[Draft], dict[int, str]]:
    """Return lines of which every other one is bad, each after the good one that it is made of; and their codes."""
    pattern = next(one for one in ledger_file.events(ledger_file.DEMO) if isinstance(one, StatementMade))
    lines: list[Draft] = []
    codes: dict[int, str] = {}
    for number in range(0, count, 2):
        key = NEGOTIATIONS[number % len(NEGOTIATIONS)].encode()
        good = encode(_event(pattern, f"{name} {number}", key.decode()))
        codes[number + 1] = list(BAD)[number // 2 % len(BAD)]
        for one, value in enumerate((good, BAD[codes[number + 1]](good)), start=number):
            lines.append(Draft(name, one, key, value, partition_of(key, partitions)))
    return lines, codes


def _event(pattern: StatementMade, own_id: str, negotiation: str) -> Event:
    source = pattern.source.model_copy(update={"own_id": own_id})
    return pattern.model_copy(update={"negotiation": negotiation, "act": own_id.replace(" ", "-"), "source": source})


async def append_through_the_door(trial: Trial, name: str, count: int) -> None:
    """Append good and bad lines, all of them again while that fails, as the door's message says."""
    trial.careless.add(name)
    lines, codes = lines_of(name, count, trial.places.partitions)
    for one in lines:
        if one.number not in codes:
            note_append(trial.history, name, one, "unknown")
    told = await _appended(trial, name, [one.value for one in lines])
    refused = {line["line"] - 1: line["code"] for line in told.refused}
    for one in lines:
        note_append(trial.history, name, one, "refused" if one.number in refused else "landed")
    if refused != codes or told.accepted + told.duplicates != len(lines) - len(codes):
        raise Broken(f"expected the door to refuse {codes} and to take the others, got {told}")


async def _appended(trial: Trial, name: str, lines: Sequence[bytes]) -> Appended:
    while True:
        told = Appended()
        try:
            await append(trial.places.bootstrap, trial.places.prefix, [(told, _some(lines))])
        except (AppendFailed, BrokerUnreachable) as error:
            trial.history.note("writer", producer=name, why=str(error)[:200])
            await asyncio.sleep(_AGAIN_AFTER_S)
        else:
            return told


async def _some(lines: Sequence[bytes]) -> AsyncIterator[Sequence[bytes]]:
    left = iter(lines)
    while some := list(islice(left, _AT_ONCE)):
        yield some
