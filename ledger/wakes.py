"""The instants at which a unit's rows may change by themselves, or an alert is due: what the clock is asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import assert_never

from ledger.deadlines import Deadline, of_component, told, warn_at
from ledger.knowledge import Knowledge
from ledger.parts import OnComponent
from ledger.reports import Unit, made_at
from ledger.timeline import Timeline
from schemas.events import DeadlineChanged
from schemas.formulas import CountOfMeetings, SumOfRates
from schemas.times import window


@dataclass(slots=True)
class Wakes:
    """The next instant that each unit asks the clock for, by its day: most days are never looked at."""

    days: dict[date, dict[Unit, datetime]] = field(default_factory=dict)
    _asked: dict[Unit, date] = field(default_factory=dict)

    @property
    def next_wake(self) -> datetime | None:
        """Return the earliest instant of all. None if there is none."""
        return min(self.days[min(self.days)].values()) if self.days else None

    def ask(self, unit: Unit, wake: datetime | None) -> None:
        """Ask for an instant for a unit, in place of the one it asked for; None asks for nothing."""
        day = None if wake is None else wake.date()
        before = self._asked.get(unit)
        if before is not None and before != day:
            of_day = self.days[before]
            del of_day[unit], self._asked[unit]
            if not of_day:
                del self.days[before]
        if wake is not None and day is not None:
            self.days.setdefault(day, {})[unit] = wake
            self._asked[unit] = day

    def due(self, at: datetime) -> set[Unit]:
        """Return the units that asked for an instant up to this one."""
        days = [of_day for day, of_day in self.days.items() if day <= at.date()]
        return {unit for of_day in days for unit, wake in of_day.items() if wake <= at}


def deadlines_of(knowledge: Knowledge, unit: Unit, at: datetime) -> list[Deadline]:
    """Return the deadlines of a unit as they stand at an instant."""
    match unit.kind:
        case "component":
            found = knowledge.component(unit.name)
            return of_component(unit.name, found.acts, found.rulings, at)
        case "deadline":
            deadline = told(unit.name, knowledge.of_unit(unit), knowledge.ended, at)
            return [deadline] if deadline is not None else []
        case _:
            return []


def instants(
    knowledge: Knowledge, unit: Unit, leads: Sequence[str], at: datetime, deadlines: Iterable[Deadline]
) -> set[datetime]:
    """Return all instants, past and to come, at which the unit's answers may change.

    `deadlines` are its own as they stand at `at`.
    """
    match unit.kind:
        case "component":
            return _of_deadlines(deadlines, leads) | _of_component(knowledge.component(unit.name))
        case "deadline":
            return _of_deadlines(deadlines, leads) | _making(knowledge, unit) | _endings(knowledge, unit)
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


def _of_component(component: OnComponent) -> set[datetime]:
    found = _boundaries(component.timeline)
    found.update([act.made_at for act in component.acts])
    found.update([made_at(entry.event) for entry in component.proceedings])
    found.update([ruling.at for ruling in component.rulings])
    return found


def _endings(knowledge: Knowledge, deadline: Unit) -> set[datetime]:
    """Return when the components that a deadline hangs on were ended: it is moot from then on."""
    events = (entry.event for entry in knowledge.of_unit(deadline))
    components = {event.component for event in events if isinstance(event, DeadlineChanged)}
    acts = (act for name in components if name is not None for act in knowledge.acts(name))
    return {act.made_at for act in acts if act.lead.stage == "ended"}


def _of_deadlines(deadlines: Iterable[Deadline], leads: Sequence[str]) -> set[datetime]:
    found: set[datetime] = set()
    for deadline in deadlines:
        found.update(window(deadline.due))
        if deadline.state == "pending" and deadline.due.basis != "inferred":
            found.update([warn_at(deadline.due, lead) for lead in leads])
    return found


def _boundaries(timeline: Timeline) -> set[datetime]:
    found: set[datetime] = set()
    readings = (timeline.lawful, timeline.collected)
    for tracks in readings if timeline.lawful is not timeline.collected else readings[:1]:
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
                found |= _boundaries(knowledge.component(term.component).timeline)
            return found
        case CountOfMeetings():
            meetings = [Unit("meeting", name) for name in knowledge.units("meeting")]
            begun = {one for unit in meetings for one in _of_meeting(knowledge, unit.name, at)}
            return begun.union(*(_making(knowledge, unit) for unit in meetings))
        case _:
            assert_never(formula)
