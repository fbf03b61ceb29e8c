"""What reports say that found no place in any answer: it is listed, so that nobody takes silence for assent."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from ledger.acts import claimed
from ledger.bounding import InAll
from ledger.knowledge import Knowledge
from ledger.reports import Entry, Unit
from ledger.rows import claimed_value
from ledger.timeline import undated
from schemas.changes import Json
from schemas.events import ActReported, ComponentChanged, PropertyClaim
from schemas.times import When

CLAIMS_SHOWN_MAX: Final = 100
_DAYS_OF: Final = {"deadline": ("due",), "commitment": ("due",), "meeting": ("first_day", "last_day")}


def unplaced_claims(standing: Sequence[Entry], in_all: InAll) -> list[Json]:
    """Return the values that reports assert of what their act does not work on, or that are none of that property.

    `standing` are all reports that stand; `in_all` is told of how many claims these are.
    """
    components: dict[str, set[str]] = {}
    units: dict[str, set[Unit]] = {}
    for entry in standing:
        if isinstance(entry.event, ComponentChanged):
            components.setdefault(entry.event.act, set()).add(entry.event.component)
        units.setdefault(entry.event.act, set()).update(entry.units)
    found = [
        (entry, claim)
        for entry in standing
        if isinstance(entry.event, ActReported)
        for claim in _without_place(entry.event, components.get(entry.event.act, ()), units[entry.event.act])
    ]
    return [
        {
            "subject": claim.subject,
            "property": claim.property,
            "value": claimed_value(claim.value),
            "act": entry.event.act,
            "source": entry.event.source.name,
            "report": entry.id,
        }
        for entry, claim in in_all.last("unplaced_claims", found, CLAIMS_SHOWN_MAX)
    ]


def _without_place(event: ActReported, components: Iterable[str], units: Iterable[Unit]) -> list[PropertyClaim]:
    placed = [(component, name) for component in components for name, _ in claimed(component, event)]
    days = [(unit.name, name) for unit in units for name in _DAYS_OF.get(unit.kind, ())]
    return [
        claim
        for claim in event.claims
        if (claim.subject, claim.property) not in placed
        and not (isinstance(claim.value, When) and (claim.subject, claim.property) in days)
    ]


def unplaced_counts(knowledge: Knowledge, at: datetime) -> dict[str, int]:
    """Count the withdrawals of what is no report here, and the acts made by an instant that begin nobody tells when."""
    return {
        "takes_back_no_report": sum(knowledge.report(name) is None for name, _ in knowledge.withdrawn),
        "acts_without_a_date": sum(
            undated(act) and act.made_at <= at
            for component in knowledge.units("component")
            for act in knowledge.acts(component)
        ),
    }
