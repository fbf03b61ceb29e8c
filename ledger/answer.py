"""The whole state of a negotiation at an instant, as known at another: an answer that names its times.

Immutable for (at, known_at, position, policy): the digest covers everything but the position.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256

from ledger.bounding import InAll
from ledger.dates_told import due_disputes
from ledger.findings import (
    CONFLICTING,
    NOT_FIRST,
    Finding,
    of_definition,
    of_early_strike,
    of_foreign_strike,
    of_report,
)
from ledger.knowledge import Knowledge
from ledger.matters import differing
from ledger.meetings import Meeting
from ledger.metrics import Evaluated, all_meetings, evaluate
from ledger.provenance import acts_told
from ledger.reports import Unit, UnitKind, entry_of, public_at
from ledger.resolution import POLICY
from ledger.rows import amount_fields, claimed_value, meeting_row, utc_text
from ledger.said import figures, said
from ledger.unplaced import unplaced_claims, unplaced_counts
from ledger.views import view
from ledger.wakes import deadlines_of
from schemas.changes import Json
from schemas.encoding import canonical_json
from schemas.events import (
    ClockStruck,
    Event,
    MetricDefined,
    NoneFound,
    ReplayOpened,
    Report,
    StackingRuleDefined,
)
from schemas.formulas import CountOfMeetings
from schemas.ids import content
from schemas.positions import Recorded

ROW_KINDS: tuple[UnitKind, ...] = ("component", "deadline", "proceeding", "commitment")
_MATTERS: tuple[UnitKind, ...] = ("proceeding", "commitment")
_CALLS = frozenset({"video", "phone"})
ENDED = frozenset({"expired", "revoked", "voided", "superseded", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Asked:
    """The times of a question: `at` in the world, `known_at` public by then, `recorded_by` in this ledger by then."""

    at: datetime
    known_at: datetime
    recorded_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known at an instant, with what the log says of itself; `findings` counts complaints by code."""

    knowledge: Knowledge
    findings: Counter[str]
    data_through: date | None
    position: dict[str, int]


def latest_public_at(events: Iterable[Recorded]) -> datetime | None:
    """Return the instant from which every report given is public."""
    times = (_public(recorded) for recorded in events)
    return max((time for time in times if time is not None), default=None)


def _public(recorded: Recorded) -> datetime | None:
    event = recorded.event
    if isinstance(event, MetricDefined | StackingRuleDefined | ClockStruck | ReplayOpened):
        return None
    return public_at(event)[0]


def known(events: Sequence[Recorded], asked: Asked) -> Known:
    """Fold the reports public by `known_at` (and in the ledger by `recorded_by`). Definitions are no reports."""
    knowledge = Knowledge()
    through: date | None = None
    position: dict[str, int] = {}
    seen: dict[str, Event] = {}
    findings: Counter[str] = Counter()
    for recorded in events:
        if _too_late(recorded, asked.recorded_by):
            continue
        position[str(recorded.partition)] = max(recorded.offset, position.get(str(recorded.partition), 0))
        event = recorded.event
        if isinstance(event, NoneFound):
            through = max(event.through, through or event.through)
        before = seen.get(recorded.id)
        seen.setdefault(recorded.id, event)
        entry = entry_of(recorded, event, public_at(event)[0]) if isinstance(event, Report) else None
        if entry is not None and entry.public_at > asked.known_at:
            continue
        if before is not None:
            found = [CONFLICTING] if content(before) != content(event) else []
        elif entry is not None:
            found = [*of_report(knowledge, entry)]
            knowledge.add(entry)
        else:
            found = _no_report(knowledge, recorded, seen)
        findings.update(one.code for one in found)
    return Known(knowledge, findings, through, position)


def _no_report(knowledge: Knowledge, recorded: Recorded, seen: dict[str, Event]) -> list[Finding]:
    """Take in what is no report; return what is wrong with it."""
    event, first = recorded.event, next(iter(seen.values()))
    match event:
        case MetricDefined() | StackingRuleDefined():
            found = of_definition(knowledge, event)
            knowledge.define(event)
            return found
        case ReplayOpened():
            return [] if event is first else [NOT_FIRST]
        case ClockStruck():
            early = of_early_strike(recorded, event)
            if early is not None:
                del seen[recorded.id]  # the same strike at the right time is no repeat
            wrong = early or of_foreign_strike(event, replayed=isinstance(first, ReplayOpened))
            return [wrong] if wrong is not None else []
        case _:
            raise AssertionError(f"{recorded.id} is a report")


def _too_late(recorded: Recorded, recorded_by: datetime | None) -> bool:
    if recorded_by is None:
        return False
    recorded_at = recorded.first_recorded_at
    return recorded_at is not None and recorded_at > recorded_by


def state(negotiation: str, events: Sequence[Recorded], asked: Asked) -> Json:
    """Return the state of a negotiation, in the shape of `parley.state/1`."""
    found = known(events, asked)
    knowledge, at = found.knowledge, asked.at
    rows = _rows(knowledge, at)
    disputed = _disputed(knowledge, at)
    metrics = {name: evaluate(knowledge, definition, at) for name, definition in sorted(knowledge.metrics.items())}
    groups, others = _meetings(knowledge, list(metrics.values()), at)
    entries = knowledge.entries()
    standing = [entry for entry in entries if knowledge.stands(entry)]
    in_all = InAll()
    unplaced = unplaced_claims(standing, in_all)
    answer: Json = {
        "schema": "parley.state/1",
        "negotiation": negotiation,
        "at": utc_text(at),
        "known_at": utc_text(asked.known_at),
        **({"recorded_by": utc_text(asked.recorded_by)} if asked.recorded_by is not None else {}),
        "data_through": found.data_through.isoformat() if found.data_through is not None else None,
        "policy": POLICY,
        "metrics": {
            name: _metric(one)
            for name, one in metrics.items()
            if not isinstance(one.definition.formula, CountOfMeetings)
        },
        "measures": [row for row in rows["measures"] if row["schema"] != "parley.commitment/1"],
        "deadlines": sorted(rows["deadlines"], key=lambda row: (str(row["earliest"]), str(row["deadline"]))),
        "meetings": groups,
        "other_meetings": others,
        "commitments": [row for row in rows["measures"] if row["schema"] == "parley.commitment/1"],
        "disputed": disputed,
        "unplaced_claims": unplaced,
        "figures": figures(standing),
        **said([entry for entry in standing if entry.made_at <= at], in_all),
        "acts": acts_told(knowledge, entries, at, _named(rows), in_all),
        **({"in_all": dict(in_all)} if in_all else {}),
        "stacking_rules": [_rule(rule) for _, rule in sorted(knowledge.rules.items())],
        "note": "rates are not legal advice",
    }
    told = {"reports_differ": len(disputed), "unplaced_claims": in_all.get("unplaced_claims", len(unplaced))}
    answer["warnings"] = _warnings(rows, told | unplaced_counts(knowledge, at), found, at)
    answer["digest"] = sha256(canonical_json(answer)).hexdigest()
    answer["position"] = found.position
    return answer


def _rows(knowledge: Knowledge, at: datetime) -> dict[str, list[Json]]:
    rows: dict[str, list[Json]] = {"measures": [], "deadlines": []}
    for kind in ROW_KINDS:
        for unit in [Unit(kind, name) for name in knowledge.units(kind)]:
            for (table, _), row in sorted(view(knowledge, unit, knowledge.unit(unit), at).rows.items()):
                rows[table].append(row)
    return rows


def _named(rows: dict[str, list[Json]]) -> set[object]:
    return {act for table in rows.values() for row in table if isinstance(acts := row["acts"], list) for act in acts}


def _rule(rule: StackingRuleDefined) -> Json:
    told: Json = {"rule": rule.rule, "text": rule.text}
    return told | {"adds": list(rule.adds), "one_of": list(rule.one_of), "not_on": list(rule.not_on)}


def _metric(evaluated: Evaluated) -> Json:
    fields = amount_fields(evaluated.amount)
    fields["unit"] = evaluated.definition.unit
    fields["definition"] = evaluated.definition.definition
    fields["version"] = evaluated.definition.revision
    return fields


def _meetings(knowledge: Knowledge, metrics: Sequence[Evaluated], at: datetime) -> tuple[Json, Json]:
    """Return the meetings by group of counters, those that anyone of its counters may count; and all others."""
    formulas = [formula for one in metrics if isinstance(formula := one.definition.formula, CountOfMeetings)]
    rows = [(one, meeting_row(one, _counted(one, formulas, at), at)) for one in all_meetings(knowledge, at)]
    groups: Json = {}
    for name in sorted({formula.group for formula in formulas}):
        counters = {
            formula.counter: int(one.amount.value or 0)
            for one in metrics
            if isinstance(formula := one.definition.formula, CountOfMeetings) and formula.group == name
        }
        of_group = [formula for formula in formulas if formula.group == name]
        groups[name] = counters | _listed([pair for pair in rows if _concerns(pair[0], of_group)], at)
    return groups, _listed([pair for pair in rows if not _concerns(pair[0], formulas)], at)


def _concerns(one: Meeting, formulas: Sequence[CountOfMeetings]) -> bool:
    """Tell whether those whom one of some counters counts took part."""
    return any(one.attended_by(formula.participants) for formula in formulas)


def _listed(rows: Sequence[tuple[Meeting, Json]], at: datetime) -> Json:
    return {
        "list": [row for one, row in rows if one.begun(at) and one.format not in _CALLS],
        "calls": [row for one, row in rows if one.begun(at) and one.format in _CALLS],
        "planned": [row for one, row in rows if not one.begun(at)],
    }


def _counted(one: Meeting, formulas: Sequence[CountOfMeetings], at: datetime) -> list[str]:
    if not one.begun(at):
        return []
    return [formula.counter for formula in formulas if one.counts_in(formula)]


def _disputed(knowledge: Knowledge, at: datetime) -> list[Json]:
    """Return every property on which reports differ; `contested` where the difference stands at the top."""
    disputes = [
        dispute
        for name in knowledge.units("component")
        for act in knowledge.acts(name)
        if act.made_at <= at
        for dispute in act.disputes
    ]
    disputes.extend(dispute for one in all_meetings(knowledge, at) for dispute in one.disputes)
    for unit in [Unit("deadline", name) for name in knowledge.units("deadline")]:
        disputes.extend(
            dispute
            for deadline in deadlines_of(knowledge, unit, knowledge.unit(unit), at)
            for dispute in deadline.disputes
        )
    for unit in [Unit("commitment", name) for name in knowledge.units("commitment")]:
        disputes.extend(due_disputes(unit.name, knowledge.of_unit(unit, knowledge.unit(unit)), at))
    for unit in [Unit(kind, name) for kind in _MATTERS for name in knowledge.units(kind)]:
        disputes.extend(differing(unit.name, knowledge.of_unit(unit, knowledge.unit(unit)), at))
    return [
        {
            "subject": one.subject,
            "property": one.property,
            "values": [claimed_value(value) for value in one.values],
            "reports": list(one.reports),
            "sources": [_source_of(knowledge, report) for report in one.reports],
            "contested": one.contested,
        }
        for one in disputes
    ]


def _source_of(knowledge: Knowledge, report: str) -> str | None:
    found = knowledge.report(report)
    return found.source.name if found is not None else None


def _warnings(rows: dict[str, list[Json]], told: dict[str, int], found: Known, at: datetime) -> list[Json]:
    """Return what a reader must know before relying on the answer, counted."""
    measures = [row for row in rows["measures"] if row["force"] not in ENDED]
    counts = {
        "rests_on_unverified_reports": sum(row["status"] == "unverified" for row in measures),
        "lapsed_as_written_unconfirmed": sum(row["status"] == "lapsed_unconfirmed" for row in measures),
        "passed_with_no_outcome_recorded": sum(row["state"] == "lapsed_unconfirmed" for row in rows["deadlines"]),
    }
    counts |= told | dict(sorted(found.findings.items()))
    warnings: list[Json] = [{"code": code, "count": count} for code, count in counts.items() if count]
    if found.data_through is not None and at.astimezone(UTC).date() > found.data_through:
        warnings.append({"code": "beyond_the_data", "data_through": found.data_through.isoformat()})
    return warnings
