"""What a unit shows at an instant: its rows, and the deadlines that some of them tell of."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, assert_never

from ledger.deadlines import Deadline
from ledger.knowledge import Knowledge
from ledger.metrics import evaluate
from ledger.parts import OfUnit, RowKey
from ledger.reports import Unit
from ledger.rows import commitment_row, component_row, deadline_row, meeting_row, metric_row, proceeding_row
from ledger.wakes import deadlines_of
from schemas.changes import Json
from schemas.formulas import CountOfMeetings


class View(NamedTuple):
    """The rows of a unit by table and key, and its deadlines."""

    rows: dict[RowKey, Json]
    deadlines: Sequence[Deadline] = ()


def view(knowledge: Knowledge, unit: Unit, at: datetime) -> View:
    """Return what a unit shows at an instant."""
    match unit.kind:
        case "component":
            deadlines = deadlines_of(knowledge, unit, at)
            rows = _deadlines(knowledge.unit(unit), deadlines)
            row = component_row(knowledge, unit.name, at)
            if row is not None:
                rows["measures", unit.name] = row
            return View(rows, deadlines)
        case "deadline":
            deadlines = deadlines_of(knowledge, unit, at)
            return View(_deadlines(knowledge.unit(unit), deadlines), deadlines)
        case "meeting":
            found = knowledge.meeting(unit.name, at)
            if found is None:
                return View({})
            return View({("meetings", unit.name): meeting_row(found, counters(knowledge, unit.name, at), at)})
        case "metric":
            row = metric_row(evaluate(knowledge, knowledge.metrics[unit.name], at))
            return View({("metrics", unit.name): row})
        case "proceeding":
            return _measure(f"proceeding/{unit.name}", proceeding_row(knowledge, unit.name, at))
        case "commitment":
            return _measure(f"commitment/{unit.name}", commitment_row(knowledge, unit.name, at))
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


def counters(knowledge: Knowledge, name: str, at: datetime) -> Sequence[str]:
    """Return the counters that count a meeting."""
    found = knowledge.meeting(name, at)
    if found is None or not found.begun(at):
        return []
    formulas = [definition.formula for definition in knowledge.metrics.values()]
    return [one.counter for one in formulas if isinstance(one, CountOfMeetings) and found.counts_in(one)]
