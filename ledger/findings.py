"""Findings: reasoned complaints about events, each counted in the warnings of every answer.

The fold and the answer take in the same events, each in its own way; what is wrong with one they ask here.
"""

from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Final, NamedTuple

from ledger.knowledge import Knowledge
from ledger.reports import Entry, takes_back
from ledger.rows import utc_text
from schemas.events import ClockStruck, MetricDefined, StackingRuleDefined
from schemas.formulas import CountOfMeetings
from schemas.positions import Recorded

EARLY_STRIKE_ALLOWANCE: Final = timedelta(seconds=1)


class Finding(NamedTuple):
    """What is wrong with an event: the code it is counted by, and the reason in words."""

    code: str
    reason: str


CONFLICTING: Final = Finding("conflicting_duplicate", "the same id came before with other content")
NOT_FIRST: Final = Finding("replay_not_first", "a replay opens a ledger, it cannot join one")


def of_early_strike(recorded: Recorded, strike: ClockStruck) -> Finding | None:
    """Return the finding about a live clock that struck before its time."""
    recorded_at = recorded.first_recorded_at
    if strike.mode == "live" and recorded_at is not None and strike.at > recorded_at + EARLY_STRIKE_ALLOWANCE:
        return Finding("early_strike", f"the clock struck {utc_text(strike.at.astimezone(UTC))} before its time")
    return None


def of_foreign_strike(strike: ClockStruck, *, replayed: bool) -> Finding | None:
    """Return the finding about a live clock in a replay, or a replay's clock on a live ledger."""
    if (strike.mode == "replay") == replayed:
        return None
    return Finding("foreign_clock", f"a {strike.mode} clock does not belong on this ledger")


def of_report(knowledge: Knowledge, entry: Entry) -> Iterator[Finding]:
    """Give the findings about a report that is about to be taken in: who takes back what another source has said."""
    source = entry.event.source.name
    for name in takes_back(entry.event):
        earlier = knowledge.report(name) if source not in knowledge.taken_back_by(name) else None
        if earlier is not None and earlier.source.name != source:
            yield _foreign(name, source, earlier.source.name)
    for other in knowledge.taken_back_by(entry.id):
        if other != source:
            yield _foreign(entry.id, other, source)


def _foreign(report: str, by: str, source: str) -> Finding:
    why = f"{by} takes back report {report} of {source}: it stands, for only its own source can take it back"
    return Finding("foreign_withdrawal", why)


def of_definition(knowledge: Knowledge, event: MetricDefined | StackingRuleDefined) -> list[Finding]:
    """Return the findings about a definition that is about to be taken in: an answer has one place for a counter."""
    if not isinstance(event, MetricDefined) or not isinstance(formula := event.formula, CountOfMeetings):
        return []
    same = (formula.group, formula.counter)
    return [
        Finding(
            "counter_taken", f"{other.metric} is counter {same[1]} of group {same[0]} too: answers show one of them"
        )
        for other in knowledge.metrics.values()
        if other.metric != event.metric
        and isinstance(other.formula, CountOfMeetings)
        and (other.formula.group, other.formula.counter) == same
    ]
