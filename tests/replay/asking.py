"""Checkpoints of the shipped history: what must be answered at twelve moments, and how an answer is held against it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from ledger.answer import Asked, state
from schemas.positions import Recorded

NEGOTIATION: Final = "us-china"
CHECKPOINTS: Final = Path(__file__).with_name("checkpoints.jsonl")
_DAY: Final = 10


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What holds at one moment: values of metrics, counters of groups, and days on which something pending is due."""

    id: str
    asked: Asked
    metrics: Mapping[str, str]
    meetings: Mapping[str, Mapping[str, int]]
    due_on: tuple[date, ...]


def checkpoints() -> tuple[Checkpoint, ...]:
    """Read the checkpoints in the order of their moments."""
    return tuple(_checkpoint(json.loads(line)) for line in CHECKPOINTS.read_text(encoding="utf-8").splitlines())


def _checkpoint(found: dict[str, Any]) -> Checkpoint:
    return Checkpoint(
        id=found["id"],
        asked=Asked(datetime.fromisoformat(found["as_of"]), datetime.fromisoformat(found["known_at"])),
        metrics=found["metrics"],
        meetings=found["meetings"],
        due_on=tuple(
            date.fromisoformat(one["date"][:_DAY]) for one in found["pending_deadlines"] if one["date"] is not None
        ),
    )


def answer(events: Sequence[Recorded], checkpoint: Checkpoint) -> dict[str, Any]:
    """Ask for the state at a checkpoint, as a reader of the JSON has it."""
    found: dict[str, Any] = json.loads(json.dumps(state(NEGOTIATION, events, checkpoint.asked)))
    return found


def differences(found: dict[str, Any], checkpoint: Checkpoint) -> Iterator[str]:
    """Give each point in which an answer is not what the checkpoint says. Deadlines are compared by local day."""
    for name, value in checkpoint.metrics.items():
        told = found["metrics"].get(name, {}).get("value")
        if told != value:
            yield f"{name}: expected {value}, got {told}"
    for group, counters in checkpoint.meetings.items():
        for counter, count in counters.items():
            told = found["meetings"].get(group, {}).get(counter)
            if told != count:
                yield f"{group} {counter}: expected {count}, got {told}"
    pending = [one for one in found["deadlines"] if one["state"] == "pending"]
    days = {date.fromisoformat(one["due"][:_DAY]) for one in pending if len(one["due"]) >= _DAY}
    for day in checkpoint.due_on:
        if day not in days:
            yield f"expected a pending deadline on {day}, got none"
    for one in pending:
        if datetime.fromisoformat(one["latest"]) <= checkpoint.asked.at:
            yield f"{one['deadline']} is pending, though it passed on {one['due']}"
