"""Meetings and calls. A meeting that slips stays the same meeting; days are local to its place.

What was held outranks what was planned. A planned meeting whose first day has come counts as begun until somebody
reports otherwise; no report that it was held makes it unconfirmed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.acts import Dispute, dispute
from ledger.reports import Entry, in_order_of_acts
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
        return str(self.first_day and (self.first_day.on or self.first_day.at or self.first_day.month))

    def begun(self, at: datetime) -> bool:
        """Tell whether its first day had come, and it was neither put off without a new one nor called off.

        What was held on a day that nobody tells has begun.
        """
        if self.put_off or self.stage == "cancelled":
            return False
        if self.first_day is None:
            return self.confirmed
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


Step = tuple[str, str]
"""An act and its stage: one act may plan a meeting and put it off."""
_CLAIMED = frozenset({"first_day", "last_day"})


def meeting(name: str, entries: Sequence[Entry], at: datetime) -> Meeting | None:
    """Resolve the reports of one meeting that were made by an instant. None if there was none."""
    made = in_order_of_acts([entry for entry in entries if entry.made_at <= at])
    reports = [(entry, entry.event) for entry in made if isinstance(entry.event, MeetingChanged)]
    if not reports:
        return None
    newest = next((report for _, report in reversed(reports) if report.stage == "held"), reports[-1][1])
    plan = next((_step(report) for _, report in reversed(reports) if _plans(report)), None)
    made = _since_put_off(made, reports)
    values = {
        field: _resolved(name, field, made, plan)
        for field in ("first_day", "last_day", "place", "participants", "format", "kind", "number", "title")
    }
    disputes = tuple(differing for _, differing in values.values() if differing is not None)
    participants = values["participants"][0] or ()
    first_day, last_day = values["first_day"][0], values["last_day"][0]
    if first_day is not None and (last_day is None or window(last_day).latest <= window(first_day).earliest):
        last_day = first_day  # the old one is over before the new day
    return Meeting(
        id=name,
        stage=newest.stage,
        format=values["format"][0],
        kind=values["kind"][0] or "other",
        number=values["number"][0],
        first_day=first_day,
        last_day=last_day,
        place=values["place"][0],
        participants=tuple(sorted(participants, key=lambda one: one.id)),
        title=values["title"][0],
        confirmed=any(report.stage == "held" for _, report in reports),
        put_off=newest.stage == "postponed" and plan != _step(newest),
        status=witnessed([entry for entry, _ in reports]),
        acts=tuple(dict.fromkeys(report.act for _, report in reports)),
        disputes=disputes,
    )


def _resolved(name: str, field: str, entries: Sequence[Entry], plan: Step | None) -> tuple[Any, Dispute | None]:
    """Resolve one property among the reports of the latest stage that tells it; claims of others compete.

    `plan` is the newest step that plans.
    """
    told: list[tuple[int, Claim[Any]]] = []
    for entry in entries:
        event = entry.event
        if isinstance(event, MeetingChanged):
            value = getattr(event, field)
            if value is not None and value != ():
                weight = 2 if event.stage == "held" else 1 if _step(event) == plan else 0
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


def _since_put_off(made: list[Entry], reports: Sequence[tuple[Entry, MeetingChanged]]) -> list[Entry]:
    """Leave out who only tells of acts before its last postponement: what was said of its days then is old."""
    act = next((report.act for _, report in reversed(reports) if report.stage == "postponed"), None)
    puts_off = [entry for entry, report in reports if report.stage == "postponed" and report.act == act]
    since = made.index(puts_off[0]) if puts_off else 0
    return [entry for place, entry in enumerate(made) if place >= since or isinstance(entry.event, MeetingChanged)]


def _step(report: MeetingChanged) -> Step:
    return report.act, report.stage


def _plans(report: MeetingChanged) -> bool:
    return report.stage in {"planned", "postponed"} and report.first_day is not None
