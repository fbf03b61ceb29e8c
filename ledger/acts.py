"""What one act does to one component, resolved from all reports of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ledger.reports import Entry, verified
from ledger.resolution import Claim, Resolved, Status, agreed, best, compatible, rank, resolve, same, witnessed, worst
from schemas.events import ActReported, ComponentChanged, UntilKind
from schemas.rates import Exact, Rate
from schemas.times import When, Window, window

SETTABLE = ("rate", "suspended", "effective", "until", "on_lapse", "operational")
_MOVING_RATES = ("rate", "suspended", "effective", "until")
PRINTED = ("signed", "published")
"""Dates of the document itself: reports may differ on them, and nothing else depends on which of them stands."""
_OPEN = (
    "title", "origins", "goods", "exceptions", "share_of_value", "ended_how", *PRINTED, "retroactive_from",
    "collection", "contingent_on", "members", "authority", "stacking", "supersedes",
)  # fmt: skip
"""What reports are not compared on: where the leading one is silent, the next best one speaks."""
_TOLD = (*SETTABLE, *PRINTED)
_TIMES = frozenset({"effective", "until", *PRINTED})
MOVING = frozenset({"imposed", "changed", "suspended", "extended", "exempted", "ended"})


class Dispute(NamedTuple):
    """A property on which reports differ, with the value that stands and whether that is contested at the top."""

    subject: str
    property: str
    values: tuple[object, ...]
    reports: tuple[str, ...]
    contested: bool


class ActOnComponent(NamedTuple):
    """One act on one component: the report that leads, and the values that stand for the properties in dispute.

    `start` and `end` are the windows of `effective` and `until`; `order` is the place among the acts on the component:
    made public (by whoever is no rumour), then takes effect, then name. `start_heard_at` and `end_heard_at` say when
    the ledger first heard the dates that stand, not merely of the act. `unanimous`: of each property all reports tell
    the very same. `data` are the bytes that `lead` was read from, where they are at hand.
    """

    lead: ComponentChanged
    act: str
    rate: Rate | None
    suspended: Exact | None
    effective: When | None
    until: When | None
    on_lapse: Rate | None
    operational: When | None
    start: Window | None
    end: Window | None
    order: tuple[datetime, datetime, str]
    public_at: datetime
    made_at: datetime
    status: Status
    disputes: tuple[Dispute, ...]
    start_heard_at: datetime
    end_heard_at: datetime
    unanimous: bool
    data: bytes = b""

    @property
    def moves(self) -> bool:
        """Tell whether the act moves its timeline. Threats, proposals, announcements and rumours never do."""
        return self.lead.stage in MOVING

    @property
    def until_kind(self) -> UntilKind:
        """Return what kind of end the act has: a date that is told is a stated one, unless its own text says more."""
        if self.until is not None and self.lead.until_kind == "none_stated":
            return "stated"
        return self.lead.until_kind


def resolve_act(component: str, entries: Sequence[Entry]) -> ActOnComponent | None:
    """Resolve the reports of one act into what it does to one component. None where no report says what it does."""
    full = [
        Claim(entry.event, entry)
        for entry in entries
        if isinstance(entry.event, ComponentChanged) and entry.event.component == component
    ]
    if not full:
        return None
    if len(entries) == 1:
        return _told_alone(full[0])
    party = min(full, key=lambda claim: claim.entry.order).value.imposer
    lead_claim = best(full, party)
    values: dict[str, Any] = {}
    contested: dict[str, Resolved[Any]] = {}
    unanimous = True
    told = _claims(component, entries)
    for name, claims in told.items():
        if agreed(claims):
            values[name] = claims[0].value
        elif (resolved := resolve(claims, party, on_collection=name == "operational")) is not None:
            unanimous = False
            values[name] = resolved.value
            if resolved.others:
                contested[name] = resolved
    effective: When | None = values.get("effective")
    until: When | None = values.get("until")
    told_by = [claim.entry for claim in full]
    ordered = min([entry.public_at for entry in verified(told_by)])
    start = window(effective) if effective is not None else None
    lead = lead_claim.value if len(full) == 1 else _filled(lead_claim.value, full, party, until)
    return ActOnComponent(
        lead=lead,
        act=lead.act,
        rate=values.get("rate"),
        suspended=values.get("suspended"),
        effective=effective,
        until=until,
        on_lapse=values.get("on_lapse"),
        operational=values.get("operational"),
        start=start,
        end=window(until) if until is not None else None,
        order=(ordered, start.earliest if start is not None else ordered, lead.act),
        public_at=min([entry.public_at for entry in told_by]),
        made_at=min([entry.made_at for entry in told_by]),
        status=_marked(_status(entries, contested), told, values),
        disputes=tuple([dispute(component, name, contested[name]) for name in _TOLD if name in contested]),
        start_heard_at=_heard_at(told.get("effective"), effective, lead_claim.entry),
        end_heard_at=_heard_at(told.get("until"), until, lead_claim.entry),
        unanimous=unanimous,
        data=lead_claim.entry.data if lead is lead_claim.value else b"",
    )


def _filled(
    lead: ComponentChanged, full: Sequence[Claim[ComponentChanged]], party: str, until: When | None
) -> ComponentChanged:
    """Return the leading report with what it leaves open, as the best report of the same step tells it.

    Nothing is filled in on unverified reports alone, nor what would overrule an end that is told.
    """
    others = [
        claim
        for claim in full
        if claim.value is not lead
        and claim.value.stage == lead.stage
        and claim.entry.event.source.grade != "unverified"
    ]
    if not others:
        return lead
    others.sort(key=lambda claim: (rank(claim.entry, party), claim.entry.order), reverse=True)
    found: dict[str, Any] = {}
    for name in _OPEN if until is not None else (*_OPEN, "until_kind"):
        nothing = ComponentChanged.model_fields[name].default
        if getattr(lead, name) == nothing:
            told = [value for claim in others if (value := getattr(claim.value, name)) != nothing]
            found |= {name: told[0]} if told else {}
    return lead.model_copy(update=found) if found else lead


def _told_alone(claim: Claim[ComponentChanged]) -> ActOnComponent:
    entry = claim.entry
    return as_told(
        claim.value,
        entry.data,
        status=witnessed([entry]),
        unanimous=True,
        ordered_at=entry.public_at,
        public_at=entry.public_at,
        made_at=entry.made_at,
        start_heard_at=entry.heard_at,
        end_heard_at=entry.heard_at,
    )


def as_told(
    lead: ComponentChanged,
    data: bytes,
    *,
    status: Status,
    unanimous: bool,
    ordered_at: datetime,
    public_at: datetime,
    made_at: datetime,
    start_heard_at: datetime,
    end_heard_at: datetime,
) -> ActOnComponent:
    """Return what an act does to a component where the leading report says all of it."""
    effective, until = lead.effective, lead.until
    start = window(effective) if effective is not None else None
    return ActOnComponent(
        lead=lead,
        act=lead.act,
        rate=lead.rate,
        suspended=lead.suspended,
        effective=effective,
        until=until,
        on_lapse=lead.on_lapse,
        operational=lead.operational,
        start=start,
        end=window(until) if until is not None else None,
        order=(ordered_at, start.earliest if start is not None else ordered_at, lead.act),
        public_at=public_at,
        made_at=made_at,
        status=status,
        disputes=(),
        start_heard_at=start_heard_at,
        end_heard_at=end_heard_at,
        unanimous=unanimous,
        data=data,
    )


def confirms(act: ActOnComponent, component: str, entry: Entry) -> bool:
    """Tell whether a further report of an act, heard later, surely leaves what the act does to a component as it is.

    It tells of the act and asserts only what all others have told too, and no witness is needed any more.
    """
    if act.status != "settled" or not act.unanimous or not isinstance(entry.event, ActReported):
        return False
    heard_before = act.start_heard_at <= entry.heard_at and act.end_heard_at <= entry.heard_at
    return heard_before and all(same(_stands(act, name), value) for name, value in claimed(component, entry.event))


def _stands(act: ActOnComponent, name: str) -> object:
    return getattr(act.lead if name in PRINTED else act, name)


def _heard_at(claims: Sequence[Claim[Any]] | None, stands: When | None, lead: Entry) -> datetime:
    if stands is None or not claims:
        return lead.heard_at
    return min([claim.entry.heard_at for claim in claims if same(claim.value, stands)])


def _status(entries: Sequence[Entry], contested: Mapping[str, Resolved[Any]]) -> Status:
    """Say how well an act is witnessed: whoever contradicts a value that stands is no witness of it."""
    differing = [resolved for name, resolved in contested.items() if name not in PRINTED]
    if not differing:
        return witnessed(entries)
    contradicting = {claim.entry.id for one in differing for claim in one.others}
    agreeing = [entry for entry in entries if entry.id not in contradicting]
    return worst([witnessed(agreeing or entries), *(one.status for one in differing if one.status == "disputed")])


def _marked(status: Status, told: Mapping[str, Sequence[Claim[Any]]], values: Mapping[str, Any]) -> Status:
    """Mark an act of which a value that moves rates stands on unverified reports alone, however well it is known."""
    for name in _MOVING_RATES:
        carriers = [claim.entry for claim in told.get(name, ()) if compatible(claim.value, values.get(name))]
        if carriers and witnessed(carriers) == "unverified":
            return worst([status, "unverified"])
    return status


def _claims(component: str, entries: Sequence[Entry]) -> dict[str, list[Claim[Any]]]:
    """Return what the reports assert of each property that an act sets on a component."""
    found: dict[str, list[Claim[Any]]] = {}
    for entry in entries:
        event = entry.event
        if isinstance(event, ComponentChanged) and event.component == component:
            told = [(name, value) for name in _TOLD if (value := getattr(event, name)) is not None]
        elif isinstance(event, ActReported):
            told = claimed(component, event)
        else:
            continue
        for name, value in told:
            claim = Claim(value, entry)
            if name in found:
                found[name].append(claim)
            else:
                found[name] = [claim]
    return found


def claimed(component: str, event: ActReported) -> list[tuple[str, Any]]:
    """Return what a report that only tells of an act asserts of the properties that it sets on a component."""
    return [
        (claim.property, claim.value)
        for claim in event.claims
        if claim.subject == component and claim.property in _TOLD and _fits(claim.property, claim.value)
    ]


def _fits(name: str, value: object) -> bool:
    """Tell whether a claimed value is of its property's kind; others are kept as reports and never stand."""
    return isinstance(value, When) == (name in _TIMES)


def dispute(subject: str, name: str, resolved: Resolved[Any]) -> Dispute:
    """Return how reports differ on a property."""
    values: list[object] = [resolved.value]
    values.extend(claim.value for claim in resolved.others if claim.value not in values)
    reports = [entry.id for entry in resolved.carriers] + [claim.entry.id for claim in resolved.others]
    return Dispute(subject, name, tuple(values), tuple(reports), resolved.status == "disputed")
