"""Meetings and calls. A meeting that slips stays the same meeting; days are local to its place.

What was held outranks what was planned. A planned meeting whose first day has come counts as begun until somebody
reports otherwise; no report that it was held makes it unconfirmed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.acts import Dispute, dispute
from ledger.reports import Entry
from ledger.resolution import Claim, Status, agreed, resolve, witnessed
from schemas.events import ActReported, MeetingChanged, Participant
from schemas.formulas import CountOfMeetings
from schemas.times import When, window


@dataclass(frozen=True, slots=True)
class Meeting:
    """One meeting as reports tell it, as far as they were made by an instant."""

    id: str
    stage: str
    format: str | None
    kind: str
    number: int | None
    first_day: When | None
    last_day: When | None
    place: str | None
    participants: tuple[Participant, ...]
    title: str | None
    confirmed: bool
    put_off: bool
    status: Status
    acts: tuple[str, ...]
    disputes: tuple[Dispute, ...]

    @property
    def day(self) -> str:
        """Return its first day or instant as text, by which meetings are put in order."""
        return str(self.first_day and (self.first_day.on or self.first_day.at))

    def begun(self, at: datetime) -> bool:
        """Tell whether its first day had come, and it was neither put off without a new one nor called off."""
        if self.first_day is None or self.put_off or self.stage == "cancelled":
            return False
        return window(self.first_day).earliest <= at

    def attended_by(self, people: Iterable[str]) -> bool:
        """Tell whether all of these took part, by their ids."""
        return {participant.id for participant in self.participants}.issuperset(people)

    def counts_in(self, formula: CountOfMeetings) -> bool:
        """Tell whether the meeting is one of those a counter counts, once it has begun."""
        return (
            self.attended_by(formula.participants)
            and self.format in formula.formats
            and self.kind in formula.kinds
            and (self.number is not None or not formula.numbered)
        )


Order = tuple[datetime, str, str]
_CLAIMED = frozenset({"first_day", "last_day"})
_STAGES = {"planned": 0, "postponed": 1, "cancelled": 2, "held": 3}


def meeting(name: str, entries: Sequence[Entry], at: datetime) -> Meeting | None:
    """Resolve the reports of one meeting that were made by an instant. None if there was none."""
    made = sorted((entry for entry in entries if entry.made_at <= at), key=lambda entry: entry.order)
    reports = [(entry, entry.event) for entry in made if isinstance(entry.event, MeetingChanged)]
    if not reports:
        return None
    newest = max(reports, key=lambda pair: (_STAGES[pair[1].stage] if pair[1].stage == "held" else 0, pair[0].order))
    plan = max((entry.order for entry, report in reports if _plans(report)), default=None)
    if (since := _put_off_at(reports)) is not None:
        made = [entry for entry in made if isinstance(entry.event, MeetingChanged) or entry.order >= since]
    values = {
        field: _resolved(name, field, made, plan)
        for field in ("first_day", "last_day", "place", "participants", "format", "kind", "number", "title")
    }
    disputes = tuple(differing for _, differing in values.values() if differing is not None)
    participants = values["participants"][0] or ()
    return Meeting(
        id=name,
        stage=newest[1].stage,
        format=values["format"][0],
        kind=values["kind"][0] or "other",
        number=values["number"][0],
        first_day=values["first_day"][0],
        last_day=values["last_day"][0] or values["first_day"][0],
        place=values["place"][0],
        participants=tuple(sorted(participants, key=lambda one: one.id)),
        title=values["title"][0],
        confirmed=any(report.stage == "held" for _, report in reports),
        put_off=newest[1].stage == "postponed" and plan != newest[0].order,
        status=witnessed([entry for entry, _ in reports]),
        acts=tuple(dict.fromkeys(report.act for _, report in reports)),
        disputes=disputes,
    )


def _resolved(name: str, field: str, entries: Sequence[Entry], plan: Order | None) -> tuple[Any, Dispute | None]:
    """Resolve one property among the reports of the latest stage that tells it; claims of others compete.

    `plan` is the place in order of the newest report that plans.
    """
    told: list[tuple[int, Claim[Any]]] = []
    for entry in entries:
        event = entry.event
        if isinstance(event, MeetingChanged):
            value = getattr(event, field)
            if value is not None and value != ():
                weight = 2 if event.stage == "held" else 1 if entry.order == plan else 0
                told.append((weight, Claim(value, entry)))
        elif isinstance(event, ActReported) and field in _CLAIMED:
            told.extend(
                (-1, Claim(claim.value, entry))
                for claim in event.claims
                if claim.subject == name and claim.property == field and isinstance(claim.value, When)
            )
    if not told:
        return None, None
    heaviest = max(weight for weight, _ in told)
    claims = [claim for weight, claim in told if weight in {heaviest, -1}]
    if agreed(claims):
        return claims[0].value, None
    resolved = resolve(claims, None)
    if resolved is None:
        return None, None
    if not resolved.others or field in {"participants", "title", "place"}:
        return resolved.value, None
    return resolved.value, dispute(name, field, resolved)


def _put_off_at(reports: Sequence[tuple[Entry, MeetingChanged]]) -> Order | None:
    """Return the place in order of its last postponement: what was said of its days before that is old."""
    acts = [report.act for _, report in reports if report.stage == "postponed"]
    its = [entry.order for entry, report in reports if report.stage == "postponed" and report.act == acts[-1]]
    return min(its, default=None)


def _plans(report: MeetingChanged) -> bool:
    return report.stage in {"planned", "postponed"} and report.first_day is not None
