"""What one act does to one component, resolved from all reports of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.reports import Entry, made_at
from ledger.resolution import Claim, Resolved, Status, resolve, witnessed, worst
from schemas.events import ActReported, ComponentChanged
from schemas.rates import Exact, Rate
from schemas.times import When, Window, window

MOVING = frozenset({"imposed", "changed", "suspended", "extended", "exempted", "ended"})


@dataclass(frozen=True, slots=True)
class Dispute:
    """A property on which reports differ, with the value that stands and whether that is contested at the top."""

    subject: str
    property: str
    values: tuple[object, ...]
    reports: tuple[str, ...]
    contested: bool


@dataclass(frozen=True, slots=True)
class ActOnComponent:
    """One act on one component: the report that leads, and the values that stand for the properties in dispute.

    `start` and `end` are the windows of `effective` and `until`; `order` is the place among the acts on the component:
    made public, then takes effect, then name.
    """

    lead: ComponentChanged
    act: str
    rate: Rate | None
    suspended: Exact | None
    effective: When | None
    until: When | None
    operational: When | None
    start: Window | None
    end: Window | None
    order: tuple[datetime, datetime, str]
    public_at: datetime
    made_at: datetime
    status: Status
    reports: tuple[Entry, ...]
    disputes: tuple[Dispute, ...]

    @property
    def moves(self) -> bool:
        """Tell whether the act moves its timeline. Threats, proposals, announcements and rumours never do."""
        return self.lead.stage in MOVING


def resolve_act(component: str, entries: Sequence[Entry]) -> ActOnComponent | None:
    """Resolve the reports of one act into what it does to one component. None where no report says what it does."""
    full = [
        (entry, entry.event)
        for entry in entries
        if isinstance(entry.event, ComponentChanged) and entry.event.component == component
    ]
    if not full:
        return None
    party = min(full, key=lambda pair: pair[0].order)[1].imposer
    lead_claim = resolve([Claim(event, entry) for entry, event in full], party)
    if lead_claim is None:
        return None
    lead = lead_claim.value
    found: dict[str, Resolved[Any]] = {}
    for name in ("rate", "suspended", "effective", "until", "operational"):
        resolved = resolve(_claims(component, name, entries), party, on_collection=name == "operational")
        if resolved is not None:
            found[name] = resolved
    effective: When | None = found["effective"].value if "effective" in found else None
    until: When | None = found["until"].value if "until" in found else None
    public = min(entry.public_at for entry, _ in full)
    start = window(effective) if effective is not None else None
    contradicting = {claim.entry.id for one in found.values() for claim in one.others}
    agreeing = [entry for entry in entries if entry.id not in contradicting]
    status = worst(
        [witnessed(agreeing or entries), *(one.status for one in found.values() if one.status == "disputed")]
    )
    return ActOnComponent(
        lead=lead,
        act=lead.act,
        rate=found["rate"].value if "rate" in found else None,
        suspended=found["suspended"].value if "suspended" in found else None,
        effective=effective,
        until=until,
        operational=found["operational"].value if "operational" in found else None,
        start=start,
        end=window(until) if until is not None else None,
        order=(public, start.earliest if start is not None else public, lead.act),
        public_at=public,
        made_at=min(made_at(event) for _, event in full),
        status=status,
        reports=tuple(sorted(entries, key=lambda entry: entry.order)),
        disputes=tuple(_dispute(component, name, resolved) for name, resolved in found.items() if resolved.others),
    )


def _claims(component: str, name: str, entries: Sequence[Entry]) -> list[Claim[Any]]:
    claims: list[Claim[Any]] = []
    for entry in entries:
        event = entry.event
        if isinstance(event, ComponentChanged) and event.component == component:
            value = getattr(event, name)
            if value is not None:
                claims.append(Claim(value, entry))
        elif isinstance(event, ActReported):
            claims.extend(
                Claim(claim.value, entry)
                for claim in event.claims
                if claim.subject == component and claim.property == name and _fits(name, claim.value)
            )
    return claims


def _fits(name: str, value: object) -> bool:
    """Tell whether a claimed value is of its property's kind; others are kept as reports and never stand."""
    return isinstance(value, When) == (name in {"effective", "until"})


def _dispute(component: str, name: str, resolved: Resolved[Any]) -> Dispute:
    values: list[object] = [resolved.value]
    values.extend(claim.value for claim in resolved.others if claim.value not in values)
    reports = [entry.id for entry in resolved.carriers] + [claim.entry.id for claim in resolved.others]
    return Dispute(component, name, tuple(values), tuple(reports), resolved.status == "disputed")
