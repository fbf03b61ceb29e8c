"""What a set of reports says about one negotiation. A function of the set: the order of arrival never matters.

Reports are kept by the act they tell of, acts by the units they work on. What they resolve to is computed when asked
for and forgotten when a further report touches the unit; whatever one report touches is found without a search.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, assert_never

from ledger.acts import ActOnComponent, confirms, resolve_act
from ledger.cabinet import Cabinet
from ledger.heard import Heard, Withdrawal
from ledger.matters import rulings_on
from ledger.meetings import Meeting, meeting
from ledger.parts import OfAct, OfUnit, OnComponent
from ledger.reports import Entry, Unit, UnitKind, takes_back
from ledger.tallies import Tallies, Tally
from ledger.timeline import Timeline, build, extended, segments_at
from schemas.events import (
    ActReported,
    AnyReport,
    DeadlineChanged,
    MeetingChanged,
    MetricDefined,
    ProceedingChanged,
    StackingRuleDefined,
)
from schemas.formulas import CountOfMeetings, SumOfRates

Parts = dict[Unit, OfUnit]
"""Some units, each with what there is of it."""
_UNKNOWN: Final = object()


@dataclass(slots=True)
class Knowledge:
    """The reports and definitions of one negotiation.

    heard: what each event's id stands for
    withdrawn: the ids of reports that were taken back, each with a source that did so; only its own source counts
    meetings: the names of all meetings, each with its place among them
    tallies: what the counters of meetings have come to so far
    """

    name: str = ""
    cabinet: Cabinet = field(default_factory=Cabinet)
    metrics: dict[str, MetricDefined] = field(default_factory=dict)
    rules: dict[str, StackingRuleDefined] = field(default_factory=dict)
    heard: Heard = field(default_factory=Heard)
    withdrawn: list[Withdrawal] = field(default_factory=list)
    meetings: dict[str, int] = field(default_factory=dict)
    tallies: Tallies = field(default_factory=Tallies)
    _taken_back_by: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _metrics_of: dict[str, dict[Unit, None]] = field(default_factory=dict)
    _counters: dict[Unit, None] = field(default_factory=dict)

    def add(self, entry: Entry) -> Parts:
        """Take in one report; return the units whose answers it may change."""
        event = entry.event
        act = self.cabinet.to_change(self._key("act", event.act), OfAct)
        act.entries[entry.id] = entry
        act.units.update(dict.fromkeys(entry.units))
        self.heard.new[entry.id] = event.act
        withdrawn = self._withdrawn_by(entry)
        touched = self.parts_to_change(act.units)
        for name in withdrawn:
            touched.update(self.parts_to_change(self._act(name).units))
        for unit in entry.units:
            self._note(event, unit, touched[unit])
        found = dict(touched)
        for unit, part in touched.items():
            dependents = self.dependents(unit, part)
            found.update(dependents)
            if unit.kind == "meeting":
                self.tallies.touch(unit.name)
            if self._makes_other(entry, part, unit, withdrawn):
                for dependent in dependents.values():
                    dependent.stays_until = None
        return found

    def _note(self, event: AnyReport, unit: Unit, part: OfUnit) -> None:
        """Note that a report works on a unit."""
        part.acts[event.act] = None
        match event:
            case ProceedingChanged():
                part.judged[event.act] = None
            case MeetingChanged():
                self.meetings.setdefault(unit.name, len(self.meetings))
            case DeadlineChanged(component=str(component)):
                self.unit_to_change(Unit("component", component)).hanging[event.deadline] = None
            case _:
                pass

    def _makes_other(self, entry: Entry, part: OfUnit, unit: Unit, withdrawn: Sequence[str]) -> bool:
        """Tell whether a report may make another thing of a unit, and if so forget what was computed of it.

        A report that confirms what was told before makes no difference to a component: what follows from the acts is
        kept then. Who asked for a component will ask again, so its acts are resolved at once.
        """
        acts = [entry.event.act, *withdrawn]
        if part.component is not None and part.judged.keys().isdisjoint(acts):
            if not withdrawn and self._confirms(entry, unit, part):
                part.told[entry.event.act] += 1
                return False
            known = [(act, part.resolved.pop(act, _UNKNOWN)) for act in acts if act in part.acts]
            if [self._resolve(act, unit, part) for act, _ in known] == [before for _, before in known]:
                return False
        else:
            for act in acts:
                part.resolved.pop(act, None)
        part.forget()
        return True

    def _confirms(self, entry: Entry, unit: Unit, part: OfUnit) -> bool:
        act = part.resolved.get(entry.event.act)
        return act is not None and self.stands(entry) and confirms(act, unit.name, entry)

    def define(self, event: MetricDefined | StackingRuleDefined) -> Parts:
        """Take in a definition. The highest revision stands, whatever the order of arrival."""
        match event:
            case MetricDefined():
                metric = Unit("metric", event.metric)
                known = self.metrics.get(event.metric)
                if known is None or known.revision < event.revision:
                    self.metrics[event.metric] = event
                    self._note_uses(metric, event)
                    self.tallies.forget(event.metric)
                    self.unit(metric).stays_until = None
                counted = self.meetings if isinstance(event.formula, CountOfMeetings) else {}
                return self.parts_to_change([metric, *[Unit("meeting", name) for name in counted]])
            case StackingRuleDefined():
                rule = self.rules.get(event.rule)
                if rule is None or rule.revision < event.revision:
                    self.rules[event.rule] = event
                return {}
            case _:
                assert_never(event)

    def _note_uses(self, metric: Unit, event: MetricDefined) -> None:
        for users in (*self._metrics_of.values(), self._counters):
            users.pop(metric, None)
        match event.formula:
            case SumOfRates(terms=terms):
                for term in terms:
                    self._metrics_of.setdefault(term.component, {})[metric] = None
            case CountOfMeetings():
                self._counters[metric] = None
            case _:
                assert_never(event.formula)

    def _withdrawn_by(self, entry: Entry) -> list[str]:
        """Withdraw the reports that a report replaces or takes back; return their acts, as far as they are here.

        A withdrawal counts only if the same source made it, and waits for a report that is not here yet.
        """
        names = takes_back(entry.event)
        self.take_back([(name, entry.event.source.name) for name in names])
        return [act for act in map(self.heard.get, names) if isinstance(act, str)]

    def take_back(self, reports: Iterable[Withdrawal]) -> None:
        """Note which reports are taken back, each with the source that does so."""
        for name, source in reports:
            by = self._taken_back_by.get(name, ())
            if source not in by:
                self._taken_back_by[name] = (*by, source)
                self.withdrawn.append((name, source))

    def taken_back_by(self, report: str) -> tuple[str, ...]:
        """Return the sources that have taken a report back, also those whose report it is not."""
        return self._taken_back_by.get(report, ())

    def stands(self, entry: Entry) -> bool:
        """Tell whether a report still stands: neither retracted nor replaced by its own source."""
        return entry.event.source.name not in self._taken_back_by.get(entry.id, ())

    def dependents(self, unit: Unit, part: OfUnit) -> Parts:
        """Return the units whose answers rest on this one: metrics, and deadlines told that hang on a component."""
        match unit.kind:
            case "component":
                units = [*self._metrics_of.get(unit.name, ()), *[Unit("deadline", name) for name in part.hanging]]
            case "meeting":
                units = [*self._counters]
            case _:
                return {}
        return self.parts_to_change(units) if units else {}

    def _key(self, kind: str, name: str) -> str:
        return f"{self.name}\0{kind}\0{name}"

    def _act(self, act: str) -> OfAct:
        return self.cabinet.find(self._key("act", act), OfAct) or OfAct()

    def unit(self, unit: Unit) -> OfUnit:
        """Return a unit as it stands; an empty one where there is none."""
        return self.cabinet.find(self._key(*unit), OfUnit) or OfUnit()

    def unit_to_change(self, unit: Unit) -> OfUnit:
        """Return a unit that is going to be changed; a new one where there was none."""
        return self.cabinet.to_change(self._key(*unit), OfUnit)

    def parts_to_change(self, units: Iterable[Unit]) -> Parts:
        """Return units that are going to be changed."""
        return {unit: self.unit_to_change(unit) for unit in units}

    def entries(self) -> list[Entry]:
        """Return every report there is, in the order that truth depends on."""
        keys = self.cabinet.keys(self._key("act", ""))
        acts = (self.cabinet.find(key, OfAct) for key in keys)
        found = (entry for act in acts if act is not None for entry in act.entries.values())
        return sorted(found, key=lambda entry: entry.order)

    def report(self, name: str) -> AnyReport | None:
        """Return a report by its id. None if there is none."""
        act = self.heard.get(name)
        return self._act(act).entries[name].event if isinstance(act, str) else None

    def of_act(self, act: str, unit: Unit) -> list[Entry]:
        """Return the standing reports of one act on one unit, with those that only tell of the act."""
        return [
            one
            for one in self._act(act).entries.values()
            if (unit in one.units or isinstance(one.event, ActReported)) and self.stands(one)
        ]

    def of_unit(self, unit: Unit, part: OfUnit) -> list[Entry]:
        """Return the standing reports on a unit, with those that only tell of the same acts."""
        if part.standing is None:
            part.standing = [entry for act in part.acts for entry in self.of_act(act, unit)]
        return part.standing

    def on_component(self, unit: Unit, part: OfUnit) -> OnComponent:
        """Return what acts and courts do to a component; nothing where no report speaks of it."""
        found = part.component
        if found is None:
            acts = [act for act in [self._resolve(act, unit, part) for act in part.acts] if act is not None]
            acts.sort(key=_order)
            proceedings = self._proceedings_on(unit, part)
            rulings = rulings_on(unit.name, proceedings)
            timeline = _one_more(part.component_before, acts) if not rulings else None
            found = OnComponent(tuple(acts), proceedings, rulings, timeline or build(acts, rulings))
            part.component = found
        return found

    def _resolve(self, act: str, unit: Unit, part: OfUnit) -> ActOnComponent | None:
        if act not in part.resolved:
            reports = self.of_act(act, unit)
            part.resolved[act], part.told[act] = resolve_act(unit.name, reports), len(reports)
        return part.resolved[act]

    def _proceedings_on(self, unit: Unit, part: OfUnit) -> tuple[Entry, ...]:
        """Return the standing reports of proceedings that speak of a component."""
        return tuple(
            [
                entry
                for act in part.judged
                for entry in self._act(act).entries.values()
                if isinstance(entry.event, ProceedingChanged) and unit in entry.units and self.stands(entry)
            ]
        )

    def acts(self, component: str) -> tuple[ActOnComponent, ...]:
        """Return what acts do to a component, in the order in which they were made public."""
        unit = Unit("component", component)
        return self.on_component(unit, self.unit(unit)).acts

    def timeline(self, component: str) -> Timeline | None:
        """Return the timeline of a component, None where no report speaks of it."""
        unit = Unit("component", component)
        part = self.cabinet.find(self._key(*unit), OfUnit)
        return self.on_component(unit, part).timeline if part is not None and part.acts else None

    def units(self, kind: UnitKind) -> list[str]:
        """Return the names of all units of a kind, sorted."""
        if kind == "metric":
            return sorted(self.metrics)
        if kind == "meeting":
            return sorted(self.meetings)
        start = self._key(kind, "")
        names = [key.removeprefix(start) for key in self.cabinet.keys(start)]
        return [name for name in names if self.unit(Unit(kind, name)).acts]

    def meeting(self, name: str, at: datetime) -> Meeting | None:
        """Return a meeting as the reports made by an instant tell it. None if there was none."""
        return self.settled_meeting(name, at)[0]

    def settled_meeting(self, name: str, at: datetime) -> tuple[Meeting | None, bool]:
        """Return a meeting at an instant, and whether every report of it had been made by then."""
        unit = Unit("meeting", name)
        part = self.unit(unit)
        if part.meeting is not None and part.meeting[0] <= at:
            return part.meeting[1], True
        entries = self.of_unit(unit, part)
        found = meeting(name, entries, at)
        newest = max((entry.made_at for entry in entries), default=None)
        if newest is not None and newest <= at:
            part.meeting = (newest, found)
        return found, part.meeting is not None

    def tally(self, metric: str, formula: CountOfMeetings, at: datetime) -> Tally:
        """Return a counter of meetings at an instant."""
        return self.tallies.at(metric, formula, at, self.meetings, self.settled_meeting)

    def ended(self, component: str, at: datetime) -> bool:
        """Tell whether nothing of a component holds at an instant: acts made by then, or a court, have ended it."""
        timeline = self.timeline(component)
        now = segments_at(timeline.lawful, at).values() if timeline is not None else ()
        return bool(now) and all(
            one.act is not None and one.act.made_at <= at and (one.force == "voided" or one.act.lead.stage == "ended")
            for one in now
        )


def _order(act: ActOnComponent) -> tuple[datetime, datetime, str]:
    return act.order


def _one_more(before: OnComponent | None, acts: Sequence[ActOnComponent]) -> Timeline | None:
    """Return the timeline of acts by adding the last one to what was before. None where more has changed."""
    if before is None or before.rulings or before.acts != tuple(acts[:-1]) or not acts:
        return None
    return extended(before.timeline, acts[-1])
