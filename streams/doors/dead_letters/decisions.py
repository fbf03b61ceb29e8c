"""What people decided about dead letters: one record each on a topic that every set of outputs shares.

It is no output of the fold: fsck does not make it again, and a new set of outputs finds it as it was. The topic is
compacted, so that the last word about a position is the one that counts.
"""

import os
import pwd
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.encoding import canonical_json
from schemas.events import LedgerPlace
from schemas.times import Instant
from streams.doors.dead_letters.ledgers import ledger_of
from streams.doors.dead_letters.letters import DeadLetter, Place
from streams.producing import LedgerWriter
from streams.reading import TopicMissing, read_table
from streams.topics import DECISIONS

TEXT_CHARACTERS_MAX: Final = 1_000
BY_CHARACTERS_MAX: Final = 200
Verdict = Literal["retried", "discarded"]


class Decision(BaseModel):
    """One dead letter is settled: an event has replaced it, or somebody said why it may stay as it is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    of: LedgerPlace
    verdict: Verdict
    at: Instant
    by: Annotated[str, Field(min_length=1, max_length=BY_CHARACTERS_MAX)]
    reason: Annotated[str, Field(max_length=TEXT_CHARACTERS_MAX)] = ""
    event: str | None = None
    position: str | None = None

    @property
    def key(self) -> bytes:
        """Key of its record: the ledger, partition and offset."""
        return f"{self.of.ledger}/{self.of.partition}/{self.of.offset}".encode()

    def encode(self) -> bytes:
        """Value of its record: canonical JSON."""
        return canonical_json(self.document())

    def document(self) -> dict[str, object]:
        """Return it as JSON has it."""
        return {"schema": "parley.decision/1", **self.model_dump(mode="json", exclude_none=True)}


class UnreadableDecision(Exception):  # noqa: N818 -- the state of a topic
    """A record on the decisions topic is none; the message says where and what to do."""


def account() -> str:
    """Return the name of the account that runs this process, its number where it has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def ledger_place(ledger: str, place: Place) -> LedgerPlace:
    """Return a position of this ledger as it stays valid when there are others."""
    return LedgerPlace(ledger=ledger, partition=place[0], offset=place[1])


class Decided(NamedTuple):
    """What the broker calls a ledger, and the decisions about it by position."""

    ledger: str
    decisions: dict[Place, Decision]


async def read_decisions(bootstrap: str, prefix: str) -> Decided:
    """Return the decisions about the ledger that there is now; none where their topic was never made."""
    ledger = await ledger_of(bootstrap, prefix)
    name = DECISIONS.name(prefix)
    try:
        rows = await read_table(bootstrap, name)
    except TopicMissing:
        return Decided(ledger, {})
    found: dict[Place, Decision] = {}
    for key, row in rows.items():
        try:
            decision = Decision.model_validate_json(row.value)
        except ValidationError as error:
            raise UnreadableDecision(
                f"{name}/{row.partition} at offset {row.offset}, key {key[:80]!r}: expected a decision about a dead "
                "letter. Only `parley dead-letters` writes this topic: find out who else does, and delete that key, or "
                "use the version of Parley that wrote it."
            ) from error
        if decision.of.ledger == ledger:
            found[decision.of.partition, decision.of.offset] = decision
    return Decided(ledger, found)


async def write_decision(bootstrap: str, prefix: str, decision: Decision) -> None:
    """Keep a decision; returns when every replica in sync has it. AppendFailed or TopicMissing if it is not kept."""
    async with LedgerWriter(bootstrap, DECISIONS.name(prefix)) as writer:
        await writer.append(decision.key, decision.encode(), (), partition=decision.of.partition)


def state_of(letter: DeadLetter, decisions: dict[Place, Decision]) -> Literal["open", "retried", "discarded"]:
    """Say what became of a dead letter."""
    decision = decisions.get(letter.place)
    return "open" if decision is None else decision.verdict
