"""Deadlines that reports tell of by name: promises, procedures, threats with a date.

A day is passed when it has ended in its zone; only acts made by the instant asked for count.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from ledger.acts import Dispute, dispute
from ledger.deadlines import Deadline, State
from ledger.reports import Entry, by_act, in_order_of_acts
from ledger.resolution import Claim, Resolved, resolve, witnessed, worst
from schemas.events import ActReported, CommitmentChanged, DeadlineChanged
from schemas.times import When, when_text, window

_CLOSING = frozenset({"met", "missed", "withdrawn"})


def told(
    deadline: str, entries: Sequence[Entry], ended: Callable[[str, datetime], bool], at: datetime
) -> Deadline | None:
    """Return a deadline that reports tell of, as it stands at an instant. None if nobody had set it by then.

    `ended` tells whether a component had been ended by an instant.
    """
    made = in_order_of_acts([entry for entry in entries if entry.made_at <= at])
    reports = [(entry, entry.event) for entry in made if isinstance(entry.event, DeadlineChanged)]
    acts = list(dict.fromkeys(report.act for _, report in reports))
    told_of = by_act(made)
    dated = [(act, one) for act in acts if (one := due_told(deadline, told_of[act])) is not None]
    if not dated:
        return None
    dated_by, resolved = dated[-1]
    due = resolved.value
    passed = window(due).latest <= at
    closing = _closing([report for _, report in reports])
    put_off = next((one.act for _, one in reversed(reports) if one.stage == "moved"), dated_by)
    component = _last_told([report.component for _, report in reports])
    state: State = "lapsed_unconfirmed" if passed else "pending"
    reason = "the day passed with no outcome recorded" if passed else None
    if closing is not None:
        state = {"met": "met", "missed": "lapsed", "withdrawn": "withdrawn"}[closing.stage]  # type: ignore[assignment]
        reason = f"{closing.stage} by {closing.act}"
    elif acts.index(put_off) > acts.index(dated_by):
        state, reason = "moved", f"moved by {put_off}, which tells no new date"
    elif not passed and component is not None and ended(component, at):
        state, reason = "moot", f"{component} has ended"
    closed_by = [entry for entry, report in reports if closing is not None and report.act == closing.act]
    changes = [(when_text(one.value), act) for act, one in dated]
    setting = [report for _, report in reports if report.stage not in _CLOSING] or [report for _, report in reports]
    return Deadline(
        id=deadline,
        kind=setting[0].kind,
        what=_last_told([report.what for report in setting]) or setting[0].title or deadline,
        due=due,
        on_lapse=_last_told([report.on_lapse for report in setting]),
        state=state,
        reason=reason,
        revision=_dates_had([text for text, _ in changes]),
        trail=tuple(change for change in changes if change[0] != when_text(due)),
        component=component,
        measure=None,
        status=worst([resolved.status, witnessed(closed_by)] if closed_by else [resolved.status]),
        acts=tuple(acts),
        heard_at=min(
            entry.heard_at for entry in (*resolved.carriers, *[one for one, report in reports if report.due == due])
        ),
        disputes=(dispute(deadline, "due", resolved),) if resolved.others else (),
    )


def _last_told(values: Sequence[str | None]) -> str | None:
    return next((value for value in reversed(values) if value is not None), None)


def _dates_had(texts: Sequence[str]) -> int:
    """Count the dates that a deadline has had; one that it comes back to is another revision, warned of anew."""
    back = [
        place for place, text in enumerate(texts) if place and texts[place - 1] != text and text in texts[: place - 1]
    ]
    return len(set(texts)) + len(back)


def _closing(reports: Sequence[DeadlineChanged]) -> DeadlineChanged | None:
    """Return the last word that a deadline was met, missed or withdrawn. None where an act has set it anew since."""
    order = list(dict.fromkeys(report.act for report in reports))
    closing = next((report for report in reversed(reports) if report.stage in _CLOSING), None)
    if closing is None:
        return None
    later = order[order.index(closing.act) + 1 :]
    anew = any(report.act in later and report.stage not in _CLOSING and report.due is not None for report in reports)
    return None if anew else closing


def due_told(subject: str, entries: Sequence[Entry]) -> Resolved[When] | None:
    """Resolve the date that the reports of one act tell for a deadline or a promise. None where none tells one."""
    claims: list[Claim[When]] = []
    for entry in entries:
        event = entry.event
        if isinstance(event, DeadlineChanged | CommitmentChanged) and event.due is not None:
            claims.append(Claim(event.due, entry))
        elif isinstance(event, ActReported):
            claims.extend(
                Claim(claim.value, entry)
                for claim in event.claims
                if claim.subject == subject and claim.property == "due" and isinstance(claim.value, When)
            )
    return resolve(claims, None)


def due_disputes(subject: str, entries: Sequence[Entry], at: datetime) -> list[Dispute]:
    """Return how the reports made by an instant differ on the date of a promise, act by act."""
    made = [entry for entry in entries if entry.made_at <= at]
    found = [due_told(subject, reports) for reports in by_act(sorted(made, key=lambda entry: entry.order)).values()]
    return [dispute(subject, "due", one) for one in found if one is not None and one.others]
