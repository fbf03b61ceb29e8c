"""Retrying and discarding a dead letter, each once.

A retry is first an event on the ledger, which names the record that it replaces, and then a decision. Whoever dies
between the two has left the event; the same command finds it there and keeps the decision only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from schemas.cloudevents import headers
from schemas.codec import Undecodable, decode, encode
from schemas.events import RETRY_VERSION, Event, LedgerPlace
from schemas.ids import event_id
from streams.doors.dead_letters.decisions import (
    Decision,
    ledger_place,
    read_decisions,
    write_decision,
)
from streams.doors.dead_letters.letters import (
    REFUSED_BATCH,
    Place,
    find_letter,
    original_bytes,
    place_text,
)
from streams.doors.dead_letters.trial import Refusal, refused_by_the_fold
from streams.doors.judging import There, judge
from streams.doors.known_events import KnownEvents, Replacing, read_known
from streams.engine.projection import Projection
from streams.ledger_file import lines
from streams.now import now
from streams.producing import LedgerWriter
from streams.reading import open_reader
from streams.topics import EVENTS, partition_of


class NotDecided(Exception):  # noqa: N818 -- says what became of the wish
    """Nothing was appended or kept; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Where:
    """The dead letter that is spoken of, and who speaks."""

    bootstrap: str
    prefix: str
    place: Place
    by: str
    progress: Callable[[int], None] = lambda _: None


class Retried(NamedTuple):
    """What became of a retry: the decision, and whether its event was there before; or why it was refused."""

    decision: Decision | None
    was_there: bool = False
    refusal: Refusal | None = None


async def retry(
    where: Where,
    fixed: bytes | None,
    projection_of: Callable[[int], Projection],
    *,
    appended: Callable[[], None] = lambda: None,
) -> Retried:
    """Append the event that a dead letter should have been: mended, or its own bytes as they are.

    `projection_of` makes the fold of a ledger of so many partitions; `appended` is called between the two writes.
    NoDeadLetter, NotDecided.
    """
    letter = await find_letter(where.bootstrap, where.prefix, where.place)
    replaced, decided, known = await _history(where)
    done = known.replacing.get(replaced)
    if decided is not None and decided.verdict == "retried":
        raise NotDecided(_retried(decided))
    if done is not None:
        return Retried(await _keep(where, replaced, done), was_there=True)
    if fixed is None and letter.code == REFUSED_BATCH:
        raise NotDecided(
            f"{letter.name} is a batch that was never unpacked ({letter.reason}): nobody kept its bytes. Give the "
            f"event that it should have held: `parley dead-letters retry {letter.name} --file FIXED`."
        )
    data = fixed if fixed is not None else await original_bytes(where.bootstrap, where.prefix, letter)
    event = await judge(_event(data or b"", replaced), known)
    if isinstance(event, There | Undecodable):
        return Retried(None, refusal=_refused(event))
    refusal = await refused_by_the_fold(where.bootstrap, where.prefix, event, projection_of)
    if refusal is not None:
        return Retried(None, refusal=refusal)
    done = await _append(where, event)
    appended()
    return Retried(await _keep(where, replaced, done))


async def discard(where: Where, reason: str) -> tuple[Decision, bool]:
    """Keep somebody's word that a dead letter may stay as it is; tell whether it was kept before.

    NoDeadLetter, NotDecided if it has been retried.
    """
    await find_letter(where.bootstrap, where.prefix, where.place)
    replaced, decided, known = await _history(where)
    done = known.replacing.get(replaced)
    if decided is not None and decided.verdict == "retried":
        raise NotDecided(_retried(decided))
    if done is not None:
        raise NotDecided(_retried(_decision(where, replaced, done, now())))
    if decided is not None:
        return decided, True
    decision = Decision(of=replaced, verdict="discarded", at=now(), by=where.by, reason=reason)
    await write_decision(where.bootstrap, where.prefix, decision)
    return decision, False


async def _history(where: Where) -> tuple[LedgerPlace, Decision | None, KnownEvents]:
    ledger, decisions = await read_decisions(where.bootstrap, where.prefix)
    async with open_reader(where.bootstrap, EVENTS.name(where.prefix), "read_uncommitted") as reader:
        known = await read_known(reader, where.prefix, progress=where.progress)
    return ledger_place(ledger, where.place), decisions.get(where.place), known


def _retried(decision: Decision) -> str:
    return (
        f"{place_text((decision.of.partition, decision.of.offset))} was retried already: the event {decision.event} at "
        f"{decision.position} of the ledger replaces it. A correction of that is a new report that `replaces` it."
    )


def _event(data: bytes, replaced: LedgerPlace) -> Event | Undecodable:
    """Read one event as `append` reads a line, and say what it replaces."""
    event = next((line.event for line in lines([data])), decode(b""))
    if isinstance(event, Undecodable):
        return event
    version = RETRY_VERSION if event.version == "1.0" else event.version
    return decode(encode(event.model_copy(update={"version": version, "retry_of": replaced})))


def _refused(fault: There | Undecodable) -> Refusal:
    if isinstance(fault, Undecodable):
        return Refusal(fault.code, fault.reason, fault.pointer)
    return Refusal(
        "invalid_value",
        f"the ledger has this very event, {fault.id}, already: nothing is missing, discard the dead letter",
        "/source/own_id",
    )


async def _append(where: Where, event: Event) -> Replacing:
    key = event.negotiation.encode()
    async with LedgerWriter(where.bootstrap, EVENTS.name(where.prefix)) as writer:
        partition = partition_of(key, writer.partitions)
        stands = await writer.append(key, encode(event), headers(event), partition=partition)
    return Replacing(event_id(event), stands.partition, stands.offset)


async def _keep(where: Where, replaced: LedgerPlace, done: Replacing) -> Decision:
    decision = _decision(where, replaced, done, now())
    await write_decision(where.bootstrap, where.prefix, decision)
    return decision


def _decision(where: Where, replaced: LedgerPlace, done: Replacing, at: datetime) -> Decision:
    position = place_text((done.partition, done.offset))
    return Decision(of=replaced, verdict="retried", at=at, by=where.by, event=done.event, position=position)
