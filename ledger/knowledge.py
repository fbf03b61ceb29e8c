"""What a set of reports says about one negotiation. A function of the set: the order of arrival never matters.

Reports are kept by the unit they work on; what they resolve to is computed when asked for and forgotten when a further
report touches the unit.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, TypeVar, assert_never

from ledger.acts import ActOnComponent, resolve_act
from ledger.matters import rulings_on
from ledger.meetings import Meeting, meeting
from ledger.reports import Entry, made_at
from ledger.timeline import Ruling, Timeline, build
from schemas.events import (
    ActReported,
    AnyReport,
    CommitmentChanged,
    ComponentChanged,
    DeadlineChanged,
    FigureClaimed,
    MeetingChanged,
    MetricDefined,
    NoneFound,
    ProceedingChanged,
    ReportRetracted,
    StackingRuleDefined,
    StatementMade,
)
from schemas.formulas import CountOfMeetings, SumOfRates

UnitKind = Literal["component", "deadline", "meeting", "proceeding", "commitment", "metric"]
K = TypeVar("K")


class Unit(NamedTuple):
    """One thing that has rows: a component, a deadline told of, a meeting, a proceeding, a commitment, a metric."""

    kind: UnitKind
    name: str


@dataclass(slots=True)
class Knowledge:
    """The reports and definitions of one negotiation, by what they work on."""

    entries: dict[str, Entry] = field(default_factory=dict)
    metrics: dict[str, MetricDefined] = field(default_factory=dict)
    rules: dict[str, StackingRuleDefined] = field(default_factory=dict)
    withdrawn: dict[str, dict[str, None]] = field(default_factory=dict)
    by_unit: dict[Unit, dict[str, None]] = field(default_factory=dict)
    by_act: dict[str, dict[str, None]] = field(default_factory=dict)
    units_of_act: dict[str, dict[Unit, None]] = field(default_factory=dict)
    acts_of_unit: dict[Unit, dict[str, None]] = field(default_factory=dict)
    _resolved: dict[tuple[str, str], ActOnComponent | None] = field(default_factory=dict)
    _acts: dict[str, tuple[ActOnComponent, ...]] = field(default_factory=dict)
    _timelines: dict[str, Timeline] = field(default_factory=dict)
    _meetings: dict[str, tuple[datetime, Meeting | None]] = field(default_factory=dict)
    _ended: tuple[tuple[str, datetime], ...] | None = None

    def add(self, entry: Entry) -> set[Unit]:
        """Take in one report; return the units whose answers it may change."""
        self.entries[entry.id] = entry
        event = entry.event
        touched = self._units_of(event)
        self.by_act.setdefault(event.act, {})[entry.id] = None
        known = self.units_of_act.setdefault(event.act, {})
        for unit in touched:
            self.by_unit.setdefault(unit, {})[entry.id] = None
            self.acts_of_unit.setdefault(unit, {})[event.act] = None
            known[unit] = None
        touched |= set(known)
        self._forget_act(event.act)
        if event.replaces is not None:
            touched |= self._withdraw(event.replaces, entry)
        if isinstance(event, ReportRetracted):
            touched |= self._withdraw(event.report, entry)
        if entry.id in self.withdrawn:
            touched |= self._units_of(event)
        return self._forget(touched)

    def define(self, event: MetricDefined | StackingRuleDefined) -> set[Unit]:
        """Take in a definition. The highest revision stands, whatever the order of arrival."""
        match event:
            case MetricDefined():
                known = self.metrics.get(event.metric)
                if known is None or known.revision < event.revision:
                    self.metrics[event.metric] = event
                counted = self.units("meeting") if isinstance(event.formula, CountOfMeetings) else []
                return {Unit("metric", event.metric), *(Unit("meeting", name) for name in counted)}
            case StackingRuleDefined():
                rule = self.rules.get(event.rule)
                if rule is None or rule.revision < event.revision:
                    self.rules[event.rule] = event
                return set()
            case _:
                assert_never(event)

    def _units_of(self, event: AnyReport) -> set[Unit]:
        match event:
            case ComponentChanged():
                return {Unit("component", event.component)}
            case DeadlineChanged():
                return {Unit("deadline", event.deadline)}
            case MeetingChanged():
                return {Unit("meeting", event.meeting)}
            case CommitmentChanged():
                return {Unit("commitment", event.commitment)}
            case ProceedingChanged():
                ruled = {Unit("component", component) for component in event.on_components}
                return {Unit("proceeding", event.proceeding)} | ruled
            case ActReported() | StatementMade() | FigureClaimed() | ReportRetracted() | NoneFound():
                return set()
            case _:
                assert_never(event)

    def _withdraw(self, report: str, by: Entry) -> set[Unit]:
        """Withdraw an earlier report, if the same source made it. The withdrawal waits for a report not yet here."""
        self.withdrawn.setdefault(report, {})[by.id] = None
        earlier = self.entries.get(report)
        if earlier is None:
            return set()
        self._forget_act(earlier.event.act)
        return set(self.units_of_act.get(earlier.event.act, {}))

    def _forget_act(self, act: str) -> None:
        for unit in self.units_of_act.get(act, {}):
            self._resolved.pop((unit.name, act), None)

    def stands(self, entry: Entry) -> bool:
        """Tell whether a report still stands: neither retracted nor replaced by its own source."""
        by = (self.entries[name] for name in self.withdrawn.get(entry.id, ()))
        return all(one.event.source.name != entry.event.source.name for one in by)

    def _forget(self, touched: set[Unit]) -> set[Unit]:
        names = {unit.name for unit in touched if unit.kind == "component"}
        for unit in touched:
            if unit.kind == "meeting":
                self._meetings.pop(unit.name, None)
        if names:
            self._ended = None
        for name in names:
            self._acts.pop(name, None)
            self._timelines.pop(name, None)
        touched |= {Unit("metric", metric) for metric, definition in self.metrics.items() if _uses(definition, touched)}
        touched |= {unit for unit in self.by_unit if unit.kind == "deadline" and self._hangs_on(unit, names)}
        return touched

    def _hangs_on(self, unit: Unit, components: set[str]) -> bool:
        if not components:
            return False
        events = (self.entries[name].event for name in self.by_unit[unit])
        return any(isinstance(event, DeadlineChanged) and event.component in components for event in events)

    def of_act(self, act: str, unit: Unit) -> list[Entry]:
        """Return the standing reports of one act on one unit, with those that only tell of the act."""
        own = self.by_unit.get(unit, {})
        entries = (self.entries[name] for name in self.by_act[act])
        return [one for one in entries if (one.id in own or isinstance(one.event, ActReported)) and self.stands(one)]

    def of_unit(self, unit: Unit) -> list[Entry]:
        """Return the standing reports on a unit, with those that only tell of the same acts."""
        return [entry for act in self.acts_of_unit.get(unit, {}) for entry in self.of_act(act, unit)]

    def acts(self, component: str) -> tuple[ActOnComponent, ...]:
        """Return what acts do to a component, in the order in which they were made public."""
        cached = self._acts.get(component)
        if cached is None:
            unit = Unit("component", component)
            found = (self._resolve(act, unit) for act in self.acts_of_unit.get(unit, {}))
            cached = tuple(sorted((act for act in found if act is not None), key=lambda act: act.order))
            self._acts[component] = cached
        return cached

    def _resolve(self, act: str, unit: Unit) -> ActOnComponent | None:
        key = (unit.name, act)
        if key not in self._resolved:
            self._resolved[key] = resolve_act(unit.name, self.of_act(act, unit))
        return self._resolved[key]

    def proceedings_on(self, component: str) -> list[Entry]:
        """Return the standing reports of proceedings that speak of a component."""
        own = (self.entries[name] for name in self.by_unit.get(Unit("component", component), {}))
        return [entry for entry in own if isinstance(entry.event, ProceedingChanged) and self.stands(entry)]

    def rulings(self, component: str) -> list[Ruling]:
        """Return the final rulings against a component."""
        return rulings_on(component, self.proceedings_on(component))

    def timeline(self, component: str) -> Timeline | None:
        """Return the timeline of a component, None where no report speaks of it."""
        if Unit("component", component) not in self.by_unit:
            return None
        cached = self._timelines.get(component)
        if cached is None:
            cached = self._timelines[component] = build(self.acts(component), self.rulings(component))
        return cached

    def units(self, kind: UnitKind) -> list[str]:
        """Return the names of all units of a kind, sorted."""
        if kind == "metric":
            return sorted(self.metrics)
        return sorted(unit.name for unit in self.by_unit if unit.kind == kind)

    def meeting(self, name: str, at: datetime) -> Meeting | None:
        """Return a meeting as the reports made by an instant tell it. None if there was none."""
        cached = self._meetings.get(name)
        if cached is not None and cached[0] <= at:
            return cached[1]
        entries = self.of_unit(Unit("meeting", name))
        found = meeting(name, entries, at)
        newest = max((made_at(entry.event) for entry in entries), default=None)
        if newest is not None and newest <= at:
            self._meetings[name] = (newest, found)
        return found

    def ended_components(self, at: datetime) -> frozenset[str]:
        """Return the components that had been ended by an act made by an instant."""
        if self._ended is None:
            self._ended = tuple(
                (name, act.made_at)
                for name in self.units("component")
                for act in self.acts(name)
                if act.lead.stage == "ended"
            )
        return frozenset(name for name, made in self._ended if made <= at)


def _uses(definition: MetricDefined, touched: set[Unit]) -> bool:
    formula = definition.formula
    if isinstance(formula, SumOfRates):
        return any(Unit("component", term.component) in touched for term in formula.terms)
    return any(unit.kind == "meeting" for unit in touched)
