"""The instants at which a unit's rows may change by themselves, or an alert is due: what the clock is asked for."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import assert_never

from ledger.deadlines import Deadline, of_component, told, warn_at
from ledger.knowledge import Knowledge, Unit
from ledger.reports import made_at
from ledger.timeline import Timeline
from schemas.events import DeadlineChanged
from schemas.formulas import CountOfMeetings, SumOfRates
from schemas.times import window


def deadlines_of(knowledge: Knowledge, unit: Unit, at: datetime) -> list[Deadline]:
    """Return the deadlines of a unit as they stand at an instant."""
    match unit.kind:
        case "component":
            return of_component(unit.name, knowledge.acts(unit.name), knowledge.rulings(unit.name), at)
        case "deadline":
            found = told(unit.name, knowledge.of_unit(unit), knowledge.ended_components(at), at)
            return [found] if found is not None else []
        case _:
            return []


def instants(knowledge: Knowledge, unit: Unit, leads: Sequence[str], at: datetime) -> set[datetime]:
    """Return all instants, past and to come, at which the unit's answers may change."""
    match unit.kind:
        case "component":
            found = set(_of_deadlines(deadlines_of(knowledge, unit, at), leads))
            return found | _boundaries(knowledge.timeline(unit.name)) | _making_of_component(knowledge, unit.name)
        case "deadline":
            found = set(_of_deadlines(deadlines_of(knowledge, unit, at), leads))
            return found | _making(knowledge, unit) | _endings(knowledge, unit)
        case "meeting":
            return _of_meeting(knowledge, unit.name, at) | _making(knowledge, unit)
        case "metric":
            return _of_metric(knowledge, unit.name, at)
        case "proceeding" | "commitment":
            return _making(knowledge, unit)
        case _:
            assert_never(unit.kind)


def _making(knowledge: Knowledge, unit: Unit) -> set[datetime]:
    """Return when the acts on a unit were made: an act dated ahead of the ledger's time counts from then on."""
    return {made_at(entry.event) for entry in knowledge.of_unit(unit)}


def _making_of_component(knowledge: Knowledge, component: str) -> set[datetime]:
    found = {act.made_at for act in knowledge.acts(component)}
    found |= {made_at(entry.event) for entry in knowledge.proceedings_on(component)}
    return found | {ruling.at for ruling in knowledge.rulings(component)}


def _endings(knowledge: Knowledge, deadline: Unit) -> set[datetime]:
    """Return when the components that a deadline hangs on were ended: it is moot from then on."""
    events = (entry.event for entry in knowledge.of_unit(deadline))
    components = {event.component for event in events if isinstance(event, DeadlineChanged)}
    acts = (act for name in components if name is not None for act in knowledge.acts(name))
    return {act.made_at for act in acts if act.lead.stage == "ended"}


def _of_deadlines(deadlines: Iterable[Deadline], leads: Sequence[str]) -> Iterable[datetime]:
    for deadline in deadlines:
        covered = window(deadline.due)
        yield covered.earliest
        yield covered.latest
        if deadline.state == "pending" and deadline.due.basis != "inferred":
            for lead in leads:
                yield warn_at(deadline.due, lead)


def _boundaries(timeline: Timeline | None) -> set[datetime]:
    if timeline is None:
        return set()
    found: set[datetime] = set()
    for tracks in (timeline.lawful, timeline.collected):
        for track in tracks.values():
            for segment in track:
                found.add(segment.from_at)
                found.add(segment.from_latest)
    return found


def _of_meeting(knowledge: Knowledge, name: str, at: datetime) -> set[datetime]:
    found = knowledge.meeting(name, at)
    if found is None or found.first_day is None:
        return set()
    return {window(found.first_day).earliest}


def _of_metric(knowledge: Knowledge, name: str, at: datetime) -> set[datetime]:
    formula = knowledge.metrics[name].formula
    match formula:
        case SumOfRates():
            found: set[datetime] = set()
            for term in formula.terms:
                found |= _boundaries(knowledge.timeline(term.component))
            return found
        case CountOfMeetings():
            meetings = [Unit("meeting", name) for name in knowledge.units("meeting")]
            begun = {one for unit in meetings for one in _of_meeting(knowledge, unit.name, at)}
            return begun.union(*(_making(knowledge, unit) for unit in meetings))
        case _:
            assert_never(formula)
