"""Metrics: numbers with published formulas, evaluated over components and meetings at an instant."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from ledger.knowledge import Knowledge
from ledger.meetings import Meeting
from ledger.rate_sums import Amount, Line, amount_at, total
from ledger.resolution import worst
from schemas.events import MetricDefined
from schemas.formulas import CountOfMeetings, SumOfRates


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A metric at an instant, with the lines of its arithmetic or the meetings it counts."""

    definition: MetricDefined
    amount: Amount
    lines: tuple[Line, ...] = ()
    meetings: tuple[Meeting, ...] = ()


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
    for term in formula.terms:
        line = amount_at(knowledge.timeline(term.component), formula.reading, term.product, at)
        lines.append(replace(line, component=term.component))
    return Evaluated(definition, total(lines, Decimal(formula.plus)), lines=tuple(lines))


def _count(knowledge: Knowledge, definition: MetricDefined, formula: CountOfMeetings, at: datetime) -> Evaluated:
    counted = [one for one in all_meetings(knowledge, at) if one.counts_in(formula) and one.begun(at)]
    confirmed = sum(1 for one in counted if one.confirmed)
    status = worst([one.status for one in counted])
    amount = Amount(Decimal(len(counted)), Decimal(confirmed), Decimal(len(counted)), status)
    return Evaluated(definition, amount, meetings=tuple(counted))


def all_meetings(knowledge: Knowledge, at: datetime) -> list[Meeting]:
    """Return the meetings and calls known to have been held or planned by an instant, in order of their days."""
    found = (knowledge.meeting(name, at) for name in knowledge.units("meeting"))
    told = [one for one in found if one is not None]
    return sorted(told, key=lambda one: (str(one.first_day and (one.first_day.on or one.first_day.at)), one.id))
