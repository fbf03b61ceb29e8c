"""Metrics: numbers with published formulas, evaluated over components and meetings at an instant."""

from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple, assert_never

from ledger.knowledge import Knowledge
from ledger.meetings import Meeting
from ledger.rate_sums import Amount, Line, amount_at, total
from ledger.timeline import NEVER, boundaries
from schemas.events import MetricDefined
from schemas.formulas import CountOfMeetings, SumOfRates

COUNTS_SHOWN_MAX: Final = 100


class Evaluated(NamedTuple):
    """A metric at an instant, with the lines of its arithmetic or the ids of the latest meetings it counts.

    `stays_until` is the first later instant at which time alone may make it another one. None: nobody knows.
    """

    definition: MetricDefined
    amount: Amount
    lines: tuple[Line, ...] = ()
    counts: tuple[str, ...] = ()
    stays_until: datetime | None = None


def evaluate(knowledge: Knowledge, definition: MetricDefined, at: datetime) -> Evaluated:
    """Evaluate a definition at an instant."""
    formula = definition.formula
    match formula:
        case SumOfRates():
            return _sum(knowledge, definition, formula, at)
        case CountOfMeetings():
            return _count(knowledge, definition, formula, at)
        case _:
            assert_never(formula)


def _sum(knowledge: Knowledge, definition: MetricDefined, formula: SumOfRates, at: datetime) -> Evaluated:
    lines = []
    ahead: set[datetime] = set()
    for term in formula.terms:
        timeline = knowledge.timeline(term.component)
        lines.append(amount_at(term.component, timeline, formula.reading, term.product, at))
        if timeline is not None:
            ahead |= boundaries(timeline, at)
    stays_until = min([one for one in ahead if one > at], default=NEVER)
    return Evaluated(definition, total(lines, Decimal(formula.plus)), tuple(lines), stays_until=stays_until)


def _count(knowledge: Knowledge, definition: MetricDefined, formula: CountOfMeetings, at: datetime) -> Evaluated:
    tally = knowledge.tally(definition.metric, formula, at)
    count = Decimal(len(tally.counted))
    amount = Amount(count, Decimal(tally.confirmed), count, tally.status)
    return Evaluated(definition, amount, counts=tuple([one.id for one in tally.in_order[-COUNTS_SHOWN_MAX:]]))


def all_meetings(knowledge: Knowledge, at: datetime) -> list[Meeting]:
    """Return the meetings and calls known to have been held or planned by an instant, in order of their days."""
    found = (knowledge.meeting(name, at) for name in knowledge.units("meeting"))
    told = [one for one in found if one is not None]
    return sorted(told, key=lambda one: (one.day, one.id))
