"""What a unit shows at an instant: its rows, and the deadlines that some of them tell of."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, assert_never

from ledger.deadlines import Deadline
from ledger.knowledge import Knowledge
from ledger.matter_rows import commitment_row, proceeding_row
from ledger.meetings import Meeting
from ledger.metrics import evaluate
from ledger.parts import OfUnit, RowKey
from ledger.reports import Unit
from ledger.rows import component_row, deadline_row, meeting_row, metric_row
from ledger.wakes import deadlines_of
from schemas.changes import Json
from schemas.formulas import CountOfMeetings


class View(NamedTuple):
    """The rows of a unit by table and key, and its deadlines.

    `stays_until` is the first later instant at which rows that rest on other units may change by themselves.
    """

    rows: dict[RowKey, Json]
    deadlines: Sequence[Deadline] = ()
    stays_until: datetime | None = None


def view(knowledge: Knowledge, unit: Unit, part: OfUnit, at: datetime) -> View:
    """Return what a unit shows at an instant."""
    match unit.kind:
        case "component":
            deadlines = deadlines_of(knowledge, unit, part, at)
            rows = _deadlines(part, deadlines)
            row = component_row(unit.name, part, knowledge.on_component(unit, part), at)
            if row is not None:
                rows["measures", unit.name] = row
            return View(rows, deadlines)
        case "deadline":
            deadlines = deadlines_of(knowledge, unit, part, at)
            return View(_deadlines(part, deadlines), deadlines)
        case "meeting":
            found = knowledge.meeting(unit.name, at)
            if found is None:
                return View({})
            return View({("meetings", unit.name): meeting_row(found, counters(knowledge, found, at), at)})
        case "metric":
            evaluated = evaluate(knowledge, knowledge.metrics[unit.name], at)
            return View({("metrics", unit.name): metric_row(evaluated)}, stays_until=evaluated.stays_until)
        case "proceeding":
            return _measure(f"proceeding/{unit.name}", proceeding_row(unit.name, knowledge.of_unit(unit, part), at))
        case "commitment":
            return _measure(f"commitment/{unit.name}", commitment_row(unit.name, knowledge.of_unit(unit, part), at))
        case _:
            assert_never(unit.kind)


def _measure(name: str, row: Json | None) -> View:
    return View({("measures", name): row} if row is not None else {})


def _deadlines(part: OfUnit, found: Sequence[Deadline]) -> dict[RowKey, Json]:
    rows: dict[RowKey, Json] = {}
    shown: dict[str, tuple[Deadline, Json]] = {}
    for deadline in found:
        before = part.shown.get(deadline.id)
        told = before if before is not None and before[0] == deadline else (deadline, deadline_row(deadline))
        shown[deadline.id] = told
        rows["deadlines", deadline.id] = told[1]
    part.shown = shown
    return rows


def counters(knowledge: Knowledge, found: Meeting, at: datetime) -> Sequence[str]:
    """Return the counters that count a meeting."""
    if not found.begun(at):
        return []
    formulas = [definition.formula for definition in knowledge.metrics.values()]
    return [one.counter for one in formulas if isinstance(one, CountOfMeetings) and found.counts_in(one)]
