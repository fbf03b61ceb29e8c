"""Proceedings and commitments: what courts, agencies and promises have come to, on whose word."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ledger.reports import Entry
from ledger.resolution import Status, rank, witnessed
from ledger.timeline import NEVER, Ruling
from schemas.events import CommitmentChanged, ProceedingChanged
from schemas.times import window

HISTORY_SHOWN_MAX = 20


class Step(NamedTuple):
    """One act in a proceeding or on a commitment: the report that leads and how well it is witnessed."""

    act: str
    lead: Entry
    status: Status


def steps(entries: Sequence[Entry], at: datetime) -> list[Step]:
    """Return the acts made by an instant, each led by its best report, in the order in which they became public."""
    by_act: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.made_at <= at:
            by_act.setdefault(entry.event.act, []).append(entry)
    found = []
    for act, reports in by_act.items():
        lead = max(reports, key=lambda entry: (rank(entry, None), entry.order))
        found.append(Step(act, lead, witnessed(reports)))
    return sorted(found, key=lambda step: min(entry.order for entry in by_act[step.act]))


def rulings_on(component: str, entries: Sequence[Entry]) -> tuple[Ruling, ...]:
    """Return the final holdings that a component is unlawful. Stayed and party-scoped rulings do not end it."""
    found = []
    for step in steps(entries, NEVER):
        event = step.lead.event
        if not isinstance(event, ProceedingChanged) or component not in event.on_components:
            continue
        if event.stage == "ruled" and event.holding == "unlawful" and event.effect == "final":
            at = window(event.effective or event.announced).earliest
            public_at = min(entry.public_at for entry in entries if entry.event.act == step.act)
            found.append(Ruling(at, public_at, event.forum or event.document.issuer))
    return tuple(found)


def told_of(component: str, entries: Sequence[Entry], at: datetime) -> list[dict[str, object]]:
    """Return what courts have said of a component by an instant, with the court's name; nothing is written back."""
    told: list[dict[str, object]] = []
    for step in steps(entries, at):
        event = step.lead.event
        if isinstance(event, ProceedingChanged) and component in event.on_components:
            told.append(
                {
                    "court": event.forum or event.document.issuer,
                    "stage": event.stage,
                    "holding": event.holding,
                    "effect": event.effect,
                    "act": event.act,
                }
            )
    return told[-HISTORY_SHOWN_MAX:]


def last_commitment(found: Sequence[Step]) -> CommitmentChanged | None:
    """Return the latest word on a commitment, with what earlier words told and it does not repeat."""
    events = [step.lead.event for step in found if isinstance(step.lead.event, CommitmentChanged)]
    if not events:
        return None
    told = {
        name: next((value for event in reversed(events) if (value := getattr(event, name)) is not None), None)
        for name in ("beneficiary", "what", "quantity", "unit", "due")
    }
    return events[-1].model_copy(update=told)


def last_proceeding(found: Sequence[Step]) -> ProceedingChanged | None:
    """Return the latest step of a proceeding."""
    events = [step.lead.event for step in found if isinstance(step.lead.event, ProceedingChanged)]
    return events[-1] if events else None
