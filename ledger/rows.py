"""Rows: the public answer about one entity at an instant, small by construction, with the acts it rests on."""

from collections.abc import Sequence
from datetime import UTC, datetime

from ledger.acts import ActOnComponent
from ledger.bounding import InAll, bounded
from ledger.deadlines import Deadline
from ledger.matters import told_of
from ledger.meetings import Meeting
from ledger.metrics import Evaluated
from ledger.parts import OfUnit, OnComponent
from ledger.rate_sums import Amount, amount_at
from ledger.timeline import IN_EFFECT, WHOLE, Force, Segment, Timeline, moves_no_rate, segments_at, undated
from schemas.changes import Json
from schemas.events import ComponentChanged, Goods
from schemas.provenance import Document
from schemas.rates import ByProduct, EitherRate, PlainRate, RateRange, RateUnknown, Specific, exact
from schemas.times import When, instant_text, when_text, window

NOT_ADVICE = "not legal advice"
_PEOPLE_SHOWN_MAX = 50
_Ahead = Sequence[tuple[str, Segment]]


def utc_text(instant: datetime) -> str:
    """Write an instant in UTC."""
    return instant_text(instant if instant.tzinfo is UTC else instant.astimezone(UTC))


def rate_value(rate: PlainRate | None) -> object:
    """Write a rate as it stands in a row: a decimal string, or an object that says what it is."""
    match rate:
        case None | str():
            return rate
        case RateRange() | Specific() | EitherRate() | RateUnknown():
            return rate.model_dump(mode="json")


def claimed_value(value: object) -> object:
    """Write the value of any property as it stands in a dispute."""
    match value:
        case When():
            return when_text(value)
        case ByProduct():
            return value.model_dump(mode="json")
        case None | str() | RateRange() | Specific() | EitherRate() | RateUnknown():
            return rate_value(value)
        case _:
            return str(value)


def component_row(component: str, part: OfUnit, found: OnComponent, instant: datetime) -> Json | None:
    """Return the row of a component at an instant, None if no act on it had been made and none holds."""
    timeline = found.timeline
    lawful_now = segments_at(timeline.lawful, instant)
    one_reading = timeline.collected is timeline.lawful
    collected_now = lawful_now if one_reading else segments_at(timeline.collected, instant)
    made = [act for act in found.acts if act.made_at <= instant]
    if len(made) < len(found.acts):  # what holds is shown, also before it was announced
        holding = [one.act for one in (*lawful_now.values(), *collected_now.values())]
        made = [act for act in found.acts if act.made_at <= instant or act in holding]
    if not made:
        return None
    lawful, collected = lawful_now.get(WHOLE), collected_now.get(WHOLE)
    is_collected = collected is not None and collected.force in IN_EFFECT
    shown = collected if is_collected else lawful
    of_products = max(lawful_now.values(), key=lambda one: (one.force in IN_EFFECT, one.from_at), default=None)
    since = shown or of_products
    following = _ahead(timeline, made, instant)
    act = _shown_act(since, following, made)
    lead = _fullest(made, act)
    in_all = InAll()
    row: Json = {
        "schema": "parley.measure/1",
        "component": component,
        "measure": act.lead.measure,
        "title": act.lead.title,
        "instrument": act.lead.instrument,
        "imposer": act.lead.imposer,
        "target": lead.origins[0] if lead.origins and lead.origins[0] not in act.lead.imposer.split("+") else None,
        "origins": list(lead.origins),
        "rate": rate_value(shown.rate) if shown is not None else None,
        "suspended": rate_value(shown.suspended) or "0" if shown is not None and shown.rate is not None else None,
        "by_product": {
            product: rate_value(collected_now[product].rate) for product in sorted(collected_now) if product
        },
        "on_lapse": _on_lapse(timeline, shown, instant),
        "force": _force(lawful or of_products, act, instant),
        "since": utc_text(since.from_at) if since is not None else None,
        "since_printed": when_text(act.effective) if act.effective is not None else None,
        "until": _until(act, shown is not None or (since is None and bool(following))),
        "until_kind": act.until_kind,
        "contingent_on": act.lead.contingent_on,
        "lawful": any(segment.force in IN_EFFECT for segment in lawful_now.values()),
        "collected": any(segment.force == "in_force" for segment in collected_now.values()),
        "status": "lapsed_unconfirmed" if since is not None and since.lapsed else act.status,
        "scope": _scope(lead if act.lead.origins else _both(act.lead, lead), in_all),
        "authority": act.lead.authority,
        "refs": refs_of(act.lead.document, in_all),
        "acts": [one.act for one in in_all.last("acts", made)],
        "reports": reports_told(part, instant),
        "next": _next(following),
        "not_in_force": _lesser(made, act, in_all),
        "rulings": list(in_all.last("rulings", told_of(component, found.proceedings, instant))),
        "note": NOT_ADVICE,
    }
    if sparing := [one for one in made if one.lead.stage == "exempted" and moves_no_rate(one, since)]:
        row["exempts"] = [_sparing(one) for one in in_all.last("exempts", sparing)]
    if since is not None and since.lapsed:
        amount = amount_at(component, timeline, "collected", None, instant).amount
        rated = since.rate is not None or since.before_lapse is not None
        row["low"], row["high"] = (bound(amount.low), bound(amount.high)) if rated else (None, None)
    return bounded(row, in_all)


def reports_told(part: OfUnit, instant: datetime) -> int:
    """Return how many reports tell of the acts on a component that had been made by an instant."""
    acts = part.component.acts if part.component is not None else ()
    return sum([part.told[act.act] for act in acts if act.made_at <= instant])


def refs_of(document: Document, in_all: InAll) -> list[str]:
    """Return by what a document can be found: its first reference, else the first of many."""
    return [document.ref] if document.ref else list(in_all.first("refs", document.refs))


def bound(number: object) -> str | None:
    """Write a bound of an amount."""
    return None if number is None else exact(number)  # type: ignore[arg-type]


def _fullest(made: Sequence[ActOnComponent], act: ActOnComponent) -> ComponentChanged:
    """Return the report that tells the scope: the act's own, else the latest that tells one."""
    if act.lead.origins:
        return act.lead
    return next((one.lead for one in reversed(made) if one.lead.origins), act.lead)


def _both(report: ComponentChanged, fuller: ComponentChanged) -> ComponentChanged:
    """Return the report that tells the scope, with what the report of the act that is shown tells of it."""
    names = ("goods", "exceptions", "share_of_value", "stacking", "members")
    return fuller.model_copy(update={name: told for name in names if (told := getattr(report, name))})


def _sparing(act: ActOnComponent) -> Json:
    """Tell of an exemption whose goods are told in words: it moves no rate, for nobody knows which part these are."""
    goods = act.lead.goods
    return {
        "goods": goods.listed if isinstance(goods, Goods) else None,
        "rate": claimed_value(act.rate),
        "from": when_text(act.effective) if act.effective is not None else None,
        "until": when_text(act.until) if act.until is not None else None,
        "act": act.act,
        "status": act.status,
    }


def _until(act: ActOnComponent, holds: bool) -> str | None:  # noqa: FBT001 -- now or later
    return when_text(act.until) if holds and act.until is not None else None


def _shown_act(since: Segment | None, following: _Ahead, made: Sequence[ActOnComponent]) -> ActOnComponent:
    """Return the act that holds; before one does the one that will, whatever was threatened since; else the last."""
    if since is not None:
        return since.act or made[-1]
    return next((segment.act for _, segment in following if segment.act is not None), made[-1])


def _force(lawful: Segment | None, act: ActOnComponent, instant: datetime) -> Force:
    if lawful is not None:
        return lawful.force
    match act.lead.stage:
        case "threatened" | "proposed" | "announced" | "withdrawn":
            return act.lead.stage
        case _:
            signed = act.lead.signed is not None and window(act.lead.signed).earliest <= instant
            return "signed" if signed else "announced"


def _on_lapse(timeline: Timeline, shown: Segment | None, instant: datetime) -> Json | None:
    """Return what a lapse would bring back: from, to, when, on whose authority."""
    if shown is None:
        return None
    track = timeline.lawful.get(WHOLE, ())
    following = next((one for one in track if one.from_at > instant), None)
    if following is None or not following.lapsed or following.act is None:
        return None
    return {
        "from": rate_value(shown.rate),
        "to": rate_value(following.rate),
        "force": following.force,
        "at": utc_text(following.from_at),
        "authority": following.act.lead.document.ref or following.act.lead.authority or following.act.act,
    }


def _ahead(timeline: Timeline, made: Sequence[ActOnComponent], instant: datetime) -> _Ahead:
    """Return what is set to hold later, by acts made so far: by product or for all goods, the first to come first."""
    known = {act.act for act in made}
    whole = timeline.lawful.get(WHOLE)
    tracks = timeline.lawful if whole is None else {WHOLE: whole}
    ahead = [
        (product, segment)
        for product, track in tracks.items()
        for segment in track
        if segment.from_at > instant and segment.act is not None and segment.act.act in known and not segment.lapsed
    ]
    return sorted(ahead, key=lambda one: one[1].from_at)


def _next(ahead: _Ahead) -> Json | None:
    """Return what is set to hold next."""
    if not ahead:
        return None
    first = ahead[0][1]
    of_products = {
        product: rate_value(segment.rate) for product, segment in ahead if product and segment.from_at == first.from_at
    }
    return {
        "rate": None if of_products else rate_value(first.rate),
        **({"by_product": of_products} if of_products else {}),
        "suspended": rate_value(first.suspended),
        "force": first.force,
        "from": utc_text(first.from_at),
        "act": first.act.act if first.act is not None else None,
    }


def _lesser(made: Sequence[ActOnComponent], shown: ActOnComponent, in_all: InAll) -> list[Json]:
    """Return threats, proposals and announcements from the act that is shown on: recorded, and moving nothing.

    So does an act of which nobody tells when it begins.
    """
    later = [act for act in made if (not act.moves or undated(act)) and act.order >= shown.order]
    return [
        {"stage": act.lead.stage, "rate": claimed_value(act.rate), "act": act.act, "status": act.status}
        for act in in_all.last("not_in_force", later)
    ]


def _scope(lead: ComponentChanged, in_all: InAll) -> Json:
    goods: object = lead.goods
    if isinstance(goods, Goods):
        goods = {"listed": goods.listed, "hts": list(in_all.first("scope.goods.hts", goods.hts))}
    scope: Json = {"goods": goods}
    if lead.exceptions:
        scope["exceptions"] = list(in_all.first("scope.exceptions", lead.exceptions))
    if lead.share_of_value is not None:
        scope["share_of_value"] = lead.share_of_value
    if lead.stacking is not None:
        scope["stacking"] = lead.stacking
    if lead.members is not None:
        scope["members"] = {
            "count": lead.members.count,
            "named": list(in_all.first("scope.members.named", lead.members.named)),
        }
    return scope


def deadline_row(deadline: Deadline) -> Json:
    """Return the row of a deadline."""
    due, in_all = window(deadline.due), InAll()
    row: Json = {
        "schema": "parley.deadline/1",
        "deadline": deadline.id,
        "kind": deadline.kind,
        "what": deadline.what,
        "due": when_text(deadline.due),
        "earliest": utc_text(due.earliest),
        "latest": utc_text(due.latest),
        "zone": deadline.due.zone,
        "as_printed": deadline.due.as_printed,
        "basis": deadline.due.basis,
        "on_lapse": deadline.on_lapse,
        "state": deadline.state,
        "reason": deadline.reason,
        "revision": deadline.revision,
        "trail": [{"due": due_text, "act": act} for due_text, act in in_all.last("trail", deadline.trail)],
        "component": deadline.component,
        "measure": deadline.measure,
        "status": deadline.status,
        "acts": list(in_all.last("acts", deadline.acts)),
    }
    return bounded(row, in_all)


def meeting_row(meeting: Meeting, counted_in: Sequence[str], instant: datetime) -> Json:
    """Return the row of a meeting or call."""
    in_all = InAll()
    people = in_all.first("participants", meeting.participants, _PEOPLE_SHOWN_MAX)
    row: Json = {
        "schema": "parley.meeting/1",
        "meeting": meeting.id,
        "title": meeting.title,
        "place": meeting.place,
        "from": when_text(meeting.first_day) if meeting.first_day is not None else None,
        "to": when_text(meeting.last_day) if meeting.last_day is not None else None,
        "zone": meeting.first_day.zone if meeting.first_day is not None else None,
        "format": meeting.format,
        "kind": meeting.kind,
        "number": meeting.number,
        "stage": meeting.stage,
        "begun": meeting.begun(instant),
        "confirmed": meeting.confirmed,
        "participants": [{"id": one.id, "name": one.name, "office": one.office} for one in people],
        "counted_in": sorted(counted_in),
        "status": meeting.status,
        "acts": list(in_all.last("acts", meeting.acts)),
    }
    return bounded(row, in_all)


def metric_row(evaluated: Evaluated) -> Json:
    """Return the row of a metric: the value, its bounds, the arithmetic and the definition."""
    amount, definition = evaluated.amount, evaluated.definition
    row: Json = {"schema": "parley.metric/1", "metric": definition.metric, **amount_fields(amount)}
    row["unit"] = definition.unit
    row["definition"] = definition.definition
    row["version"] = definition.revision
    row["lines"] = [
        {
            "component": line.component,
            "value": bound(line.amount.value),
            "act": line.segment.act.act if line.segment.act is not None else None,
            "authority": _authority(line.segment),
        }
        for line in evaluated.lines
        if line.segment is not None
    ]
    row["counts"] = list(evaluated.counts)
    if definition.unit == "percent":
        row["note"] = NOT_ADVICE
    return bounded(row, InAll())


def amount_fields(amount: Amount) -> Json:
    """Return the value, the bounds, the status, and the reason where there is no value."""
    fields: Json = {
        "value": bound(amount.value),
        "low": bound(amount.low),
        "high": bound(amount.high),
        "status": amount.status,
    }
    if amount.reason is not None:
        fields["reason"] = amount.reason
    return fields


def _authority(segment: Segment | None) -> str | None:
    if segment is None or segment.act is None:
        return None
    return segment.act.lead.document.ref or segment.act.lead.authority
