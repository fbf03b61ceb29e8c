"""Proceedings and commitments: what courts, agencies and promises have come to, on whose word."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from ledger.acts import Dispute, dispute
from ledger.reports import Entry, by_act, place_of
from ledger.resolution import Claim, Resolved, Status, rank, resolve, witnessed
from ledger.timeline import NEVER, Ruling
from schemas.events import CommitmentChanged, ProceedingChanged
from schemas.times import window

_COMPARED = ("holding", "effect", "quantity", "unit")


class Step(NamedTuple):
    """One act in a proceeding or on a commitment: the report that leads and how well it is witnessed."""

    act: str
    lead: Entry
    status: Status


def steps(entries: Sequence[Entry], at: datetime) -> list[Step]:
    """Return the acts made by an instant, each led by its best report, in the order in which they became public."""
    made = _made_by_act(entries, at)
    found = []
    for act, reports in made.items():
        lead = max(reports, key=lambda entry: (rank(entry, None), entry.order))
        contested = any(resolved.status == "disputed" for _, resolved in _resolved(reports))
        found.append(Step(act, lead, "disputed" if contested else witnessed(reports)))
    return sorted(found, key=lambda step: place_of(made[step.act]))


def differing(subject: str, entries: Sequence[Entry], at: datetime) -> list[Dispute]:
    """Return how the reports made by an instant differ on what a ruling holds or how much is promised, act by act."""
    return [
        dispute(subject, name, resolved)
        for _, reports in sorted(_made_by_act(entries, at).items())
        for name, resolved in _resolved(reports)
        if resolved.others
    ]


def _made_by_act(entries: Sequence[Entry], at: datetime) -> dict[str, list[Entry]]:
    return by_act(entry for entry in entries if entry.made_at <= at)


def _resolved(reports: Sequence[Entry]) -> Iterator[tuple[str, Resolved[str]]]:
    if len(reports) == 1:
        return
    for name in _COMPARED:
        told = [(entry, getattr(entry.event, name, None)) for entry in reports]
        resolved = resolve([Claim(value, entry) for entry, value in told if value is not None], None)
        if resolved is not None:
            yield name, resolved


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
    return told


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
    """Return the latest step of a proceeding, with the forum and the components of earlier ones if it tells none."""
    events = [step.lead.event for step in found if isinstance(step.lead.event, ProceedingChanged)]
    if not events:
        return None
    told = {
        name: next((value for event in reversed(events) if (value := getattr(event, name))), getattr(events[-1], name))
        for name in ("forum", "on_components")
    }
    return events[-1].model_copy(update=told)
