"""The instants at which a unit's rows may change by themselves, or an alert is due: what the clock is asked for."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, assert_never

from ledger.dates_told import told
from ledger.deadlines import Deadline, of_component, warnings_at
from ledger.knowledge import Knowledge
from ledger.parts import OfUnit, OnComponent
from ledger.reports import Unit
from ledger.timeline import NEVER, boundaries
from schemas.times import window


class Seen(NamedTuple):
    """When a unit was looked at, what there was of it, and its deadlines as they stood."""

    at: datetime
    part: OfUnit
    deadlines: Sequence[Deadline]


def _never_saved(day: date) -> dict[Unit, datetime]:
    raise LookupError(f"expected no day that is saved, got {day}")


@dataclass(slots=True)
class Wakes:
    """The next instant that each unit asks the clock for, by its day: most days are never looked at.

    A day that is None is saved, and read (by `read`) when it is looked at. `touched` are the days of which something
    has changed, until somebody who saves them forgets them.
    """

    days: dict[date, dict[Unit, datetime] | None] = field(default_factory=dict)
    touched: dict[date, None] = field(default_factory=dict)
    read: Callable[[date], dict[Unit, datetime]] = _never_saved

    @property
    def next_wake(self) -> datetime | None:
        """Return the earliest instant of all. None if there is none."""
        return min(self.of_day(min(self.days)).values()) if self.days else None

    def ask(self, unit: Unit, before: datetime | None, wake: datetime | None) -> None:
        """Ask for an instant for a unit, in place of the one that it asked for before; None is nothing."""
        if before == wake:
            return
        if before is not None:
            day = before.date()
            self.touched[day] = None
            of_day = self.of_day(day)
            del of_day[unit]
            if not of_day:
                del self.days[day]
        if wake is not None:
            day = wake.date()
            self.touched[day] = None
            self.of_day(day)[unit] = wake

    def due(self, at: datetime) -> set[Unit]:
        """Return the units that asked for an instant up to this one."""
        days = [self.of_day(day) for day in list(self.days) if day <= at.date()]
        return {unit for of_day in days for unit, wake in of_day.items() if wake <= at}

    def of_day(self, day: date) -> dict[Unit, datetime]:
        """Return who asks for an instant of a day, and for which."""
        found = self.days.get(day)
        if found is None:
            found = self.days[day] = self.read(day) if day in self.days else {}
        return found


def deadlines_of(knowledge: Knowledge, unit: Unit, part: OfUnit, at: datetime) -> list[Deadline]:
    """Return the deadlines of a unit as they stand at an instant."""
    match unit.kind:
        case "component":
            found = knowledge.on_component(unit, part)
            return of_component(unit.name, found.acts, found.rulings, at)
        case "deadline":
            deadline = told(unit.name, knowledge.of_unit(unit, part), knowledge.ended, at)
            return [deadline] if deadline is not None else []
        case _:
            return []


def instants(knowledge: Knowledge, unit: Unit, leads: tuple[str, ...], seen: Seen, since: datetime) -> set[datetime]:
    """Return the instants at which the unit's answers may change by themselves; those before `since` may be left out.

    What rests on other units is rendered when those are.
    """
    match unit.kind:
        case "component":
            found = knowledge.on_component(unit, seen.part)
            return _of_deadlines(seen.deadlines, leads, since) | _of_component(found, since)
        case "deadline":
            return _making(knowledge, unit, seen) | _of_deadlines(seen.deadlines, leads, since)
        case "meeting":
            return _making(knowledge, unit, seen) | _of_meeting(knowledge, unit.name, seen.at)
        case "proceeding" | "commitment":
            return _making(knowledge, unit, seen)
        case "metric":
            return set()
        case _:
            assert_never(unit.kind)


def stays_until(unit: Unit, part: OfUnit, others_stay_until: datetime | None, at: datetime) -> datetime | None:
    """Return the first instant after this one at which a unit's rows may change by themselves. None: nobody knows."""
    if unit.kind == "component":
        return next((wake for wake in part.wakes if wake > at), NEVER)
    return others_stay_until


def _making(knowledge: Knowledge, unit: Unit, seen: Seen) -> set[datetime]:
    """Return when the acts on a unit were made: an act dated ahead of the ledger's time counts from then on."""
    return {entry.made_at for entry in knowledge.of_unit(unit, seen.part)}


def _of_component(component: OnComponent, since: datetime) -> set[datetime]:
    return {
        *boundaries(component.timeline, since),
        *[act.made_at for act in component.acts if act.made_at >= since],
        *[window(act.lead.signed).earliest for act in component.acts if act.lead.signed is not None],
        *[entry.made_at for entry in component.proceedings],
        *[ruling.at for ruling in component.rulings],
    }


def _of_deadlines(deadlines: Iterable[Deadline], leads: tuple[str, ...], since: datetime) -> set[datetime]:
    found: set[datetime] = set()
    for deadline in deadlines:
        covered = window(deadline.due)
        if covered.latest < since:
            continue
        found.add(covered.earliest)
        found.add(covered.latest)
        if deadline.state == "pending" and deadline.due.basis != "inferred":
            found.update(warnings_at(deadline.due, leads))
    return found


def _of_meeting(knowledge: Knowledge, name: str, at: datetime) -> set[datetime]:
    found = knowledge.meeting(name, at)
    if found is None or found.first_day is None:
        return set()
    return {window(found.first_day).earliest}
