"""What is said of dead letters: a line of the list, everything about one, and what to do next."""

import base64
import heapq
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from schemas.codec import Undecodable, decode
from streams.doors.dead_letters.decisions import Decision, state_of
from streams.doors.dead_letters.ledgers import of_another_ledger
from streams.doors.dead_letters.letters import (
    REFUSED_BATCH,
    SET_ASIDE,
    DeadLetter,
    Place,
    read_letters,
)

SHOWN_BYTES_MAX: Final = 16 << 10
_WITHOUT_VALUE: Final = MappingProxyType({"bytes": 0, "cut_off": False, "text": None})
_MISPLACED: Final = "/negotiation"
_REASON_CHARACTERS_MAX: Final = 120
STATES: Final = ("open", "retried", "discarded")


@dataclass(slots=True)
class Listed:
    """The newest dead letters that were asked for, oldest first, and how many there are of each state in all.

    strange: records that no worker wrote. of_another_ledger: dead letters of one that was deleted and made anew.
    """

    lines: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATES, 0))
    open_of: Counter[int] = field(default_factory=Counter)
    matching: int = 0
    strange: int = 0
    of_another_ledger: int = 0


async def listed(
    bootstrap: str,
    prefix: str,
    decisions: dict[Place, Decision],
    *,
    limit: int,
    wanted: Callable[[str, str], bool] = lambda _state, _code: True,
    progress: Callable[[int], None] = lambda _: None,
) -> Listed:
    """Go through the dead letters and keep the newest `limit` of those that are wanted, by state and code."""
    found = Listed()
    newest: list[tuple[Any, Place, dict[str, Any]]] = []
    elsewhere = await of_another_ledger(bootstrap, prefix)
    async with aclosing(read_letters(bootstrap, prefix, progress=progress)) as letters:
        async for letter in letters:
            if letter is None:
                found.strange += 1
                continue
            if letter.place[0] in elsewhere:
                found.of_another_ledger += 1
                continue
            state = state_of(letter, decisions)
            found.counts[state] += 1
            found.open_of[letter.place[0]] += state == "open"
            if not wanted(state, letter.code):
                continue
            found.matching += 1
            entry = (letter.at, letter.place, _line(letter, state))
            if len(newest) < limit:
                heapq.heappush(newest, entry)
            elif limit:
                heapq.heappushpop(newest, entry)
    found.lines = [line for _, _, line in sorted(newest, key=lambda entry: entry[:2])]
    return found


def _line(letter: DeadLetter, state: str) -> dict[str, Any]:
    reason = letter.reason
    short = reason if len(reason) <= _REASON_CHARACTERS_MAX else f"{reason[: _REASON_CHARACTERS_MAX - 1]}…"
    return {
        "position": letter.name,
        "dead_letter": f"{letter.place[0]}:{letter.offset}",
        "at": letter.at.isoformat(timespec="seconds"),
        "state": state,
        "code": letter.code,
        "pointer": letter.pointer,
        "bytes": len(letter.value or b""),
        "reason": short,
    }


def whole(
    letter: DeadLetter, value: bytes | None, decision: Decision | None, *, aside: str | None = None
) -> dict[str, Any]:
    """Return everything that is known of one dead letter.

    `value` are the record's bytes, wherever they are kept; `aside` is why a person has set it aside.
    """
    return {
        **_line(letter, "open" if decision is None else decision.verdict),
        "bytes": len(value or b""),
        "reason": letter.reason,
        "set_aside_because": aside,
        "key": written(letter.key),
        "headers": [{"name": name, **(written(one) or _WITHOUT_VALUE)} for name, one in letter.headers],
        "value": written(value),
        "decision": None if decision is None else decision.document(),
        "next": next_step(letter, value, decision),
    }


def written(data: bytes | None) -> dict[str, Any] | None:
    """Write bytes as text if they are UTF-8, else as base64, as far as the limit allows; None if there are none."""
    if data is None:
        return None
    told: dict[str, Any] = {"bytes": len(data), "cut_off": len(data) > SHOWN_BYTES_MAX}
    try:
        return {**told, "text": data.decode("utf-8").encode()[:SHOWN_BYTES_MAX].decode("utf-8", "ignore")}
    except UnicodeDecodeError:
        return {**told, "base64": base64.b64encode(data[:SHOWN_BYTES_MAX]).decode()}


def written_text(told: Mapping[str, Any] | None) -> str:
    """Write bytes for a terminal, which whoever prints it escapes."""
    if told is None or told.get("text", "") is None:
        return "none"
    text = str(told["text"]) if "text" in told else f"base64 {told['base64']}"
    return f"{text}… ({told['bytes']:,} bytes in all)" if told["cut_off"] else text


def next_step(letter: DeadLetter, value: bytes | None, decision: Decision | None) -> str:
    """Say what to do with a dead letter."""
    command = "parley dead-letters"
    discard = f"or, if nothing is missing: `{command} discard {letter.name} --reason TEXT`"
    if decision is not None and decision.verdict == "retried":
        return f"Nothing: the event {decision.event} at {decision.position} of the ledger replaces it."
    if decision is not None:
        return f"Nothing: discarded by {decision.by}. It can still be retried: `{command} retry {letter.name}`."
    if letter.code == REFUSED_BATCH:
        return (
            "Nobody unpacked the batch and nobody kept its bytes. Ask whoever wrote it for the event and append that: "
            f"`{command} retry {letter.name} --file FIXED`; {discard}."
        )
    if not isinstance(decode(value), Undecodable):
        return f"This Parley can read it; {_why_dead(letter)}. `{command} retry {letter.name}` as it is; {discard}."
    at = f" at {letter.pointer}" if letter.pointer else ""
    return (
        f"`{command} show {letter.name} --raw > fixed.json`, mend it{at}, then `{command} retry {letter.name} --file "
        f"fixed.json`; {discard}."
    )


def _why_dead(letter: DeadLetter) -> str:
    if letter.code == SET_ASIDE:
        return "a person set it aside"
    if letter.pointer == _MISPLACED:
        return "it did not stand in its place"
    return "the worker that passed it could not"
