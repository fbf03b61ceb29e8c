"""Deadlines: what acts have set or threatened, and what became of it by an instant.

Starts and lapses follow from the acts on components; other dates are told by reports of their own, for which see
`ledger.dates_told`. A day is passed when it has ended in its zone. Only acts made by the instant asked for count:
nobody was bound by what came later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Literal, NamedTuple, assert_never

from ledger.acts import ActOnComponent, Dispute
from ledger.resolution import Status
from ledger.timeline import Ruling
from schemas.rates import ByProduct, EitherRate, Rate, RateRange, RateUnknown, Specific
from schemas.times import When, when_text, window, zone

_DAY = timedelta(days=1)
Kind = Literal["lapse", "start", "threat", "promise", "procedure"]
State = Literal["pending", "moved", "met", "lapsed", "lapsed_unconfirmed", "withdrawn", "moot"]


class Deadline(NamedTuple):
    """One deadline as it stands at an instant; `revision` counts the dates it has had."""

    id: str
    kind: Kind
    what: str
    due: When
    on_lapse: str | None
    state: State
    reason: str | None
    revision: int
    trail: tuple[tuple[str, str], ...]
    component: str | None
    measure: str | None
    status: Status
    acts: tuple[str, ...]
    heard_at: datetime
    disputes: tuple[Dispute, ...] = ()


def of_component(
    component: str, acts: Sequence[ActOnComponent], rulings: Sequence[Ruling], at: datetime
) -> list[Deadline]:
    """Return the starts and the lapse that the acts on a component set, as they stand at an instant.

    The acts come in their order.
    """
    made = [act for act in acts if act.made_at <= at]
    standing = [ruling for ruling in rulings if ruling.at <= at]
    found = [
        _start(component, act, _made_of_start(act, islice(made, place + 1, None), standing), at)
        for place, act in enumerate(made)
        if _lies_ahead(act)
    ]
    lapses = [
        _lapse(
            f"{component}.lapse" if place == 0 else _own_name(component, chain.acts[0]), component, chain, standing, at
        )
        for place, chain in enumerate(_chains([act for act in made if act.lead.stage != "exempted"]))
    ]
    lapses += [
        _lapse(
            _own_name(component, act), component, _Chain([act], _spares_no_more(act, made[place + 1 :])), standing, at
        )
        for place, act in enumerate(made)
        if _spares(act)
    ]
    return [*found, *[one for one in lapses if one is not None]]


def _own_name(component: str, act: ActOnComponent) -> str:
    return f"{component}.lapse.{act.act.lower()}"


def _spares(act: ActOnComponent) -> bool:
    """Tell whether an act exempts until a date: that is no end of the component, but one of its own."""
    return act.lead.stage == "exempted" and act.until is not None


def _lies_ahead(act: ActOnComponent) -> bool:
    return act.start is not None and act.start.latest > act.public_at


def _spares_no_more(act: ActOnComponent, later: Sequence[ActOnComponent]) -> tuple[State, str] | None:
    """Tell what has disposed of an exemption's end: its renewal, another rate of its products, the component's end."""
    for other in later:
        if not other.moves or not _same_goods(act, other):
            continue
        of_products = isinstance(other.rate, ByProduct)
        if other.lead.stage == "exempted":
            same = of_products if isinstance(act.rate, ByProduct) else other.lead.goods == act.lead.goods
            if same and _starts_in_time(other, act):
                return "moot", f"overtaken by {other.act}"
        elif (of_products or other.lead.stage == "ended") and (closed := _closed(act, other)) is not None:
            return closed
    return None


def _start(component: str, act: ActOnComponent, made_of_it: tuple[State, str] | None, at: datetime) -> Deadline:
    due, start = act.effective, act.start
    assert due is not None  # noqa: S101 -- `_lies_ahead` holds
    assert start is not None  # noqa: S101 -- as above
    passed = start.latest <= at
    state: State
    if passed and act.moves:
        state, reason = "met", "took effect as written"
    elif passed:
        state, reason = "lapsed_unconfirmed", "the day passed with no outcome recorded"
    else:
        state, reason = "pending", ""
    if made_of_it is not None:
        state, reason = made_of_it
    return Deadline(
        id=f"{component}.start.{act.act.lower()}",
        kind="threat" if act.lead.stage == "threatened" else "start",
        what=act.lead.title or f"{component} begins",
        due=due,
        on_lapse=None,
        state=state,
        reason=reason or None,
        revision=1,
        trail=(),
        component=component,
        measure=act.lead.measure,
        status=act.status,
        acts=(act.act,),
        heard_at=act.start_heard_at,
    )


def _made_of_start(
    act: ActOnComponent, later: Iterable[ActOnComponent], rulings: Sequence[Ruling]
) -> tuple[State, str] | None:
    """Tell what later acts and courts make of a start that had not come."""
    assert act.start is not None  # noqa: S101 -- `_lies_ahead` holds
    for other in later:
        if act.moves and other.order[0] > act.start.latest + _DAY:
            break  # acts come as they are made public: the start has come
        overtaken = _overtaken(act, other)
        if overtaken is not None:
            return overtaken
    voided = (one for one in rulings if one.public_at > act.public_at and one.at < act.start.latest)
    court = next(voided, None) if act.moves else None
    return None if court is None else ("moot", f"held unlawful by {court.court}")


def _overtaken(act: ActOnComponent, other: ActOnComponent) -> tuple[State, str] | None:
    """Tell what a later act makes of a start that had not come."""
    due = act.start
    if other.lead.stage == "withdrawn" and not act.moves:
        return "withdrawn", f"withdrawn by {other.act}"
    if not other.moves or other.start is None or other.lead.stage == "exempted" or due is None:
        return None
    if not _same_goods(act, other):
        return None
    starts = other.start.earliest
    if other.lead.stage == "ended" and starts <= due.earliest and other.act != act.act:
        return "moot", f"its component was ended by {other.act}"
    if not act.moves and other.lead.stage in {"imposed", "changed"}:
        return (
            ("met", f"ordered by {other.act}")
            if other.rate == act.rate
            else ("withdrawn", f"superseded by {other.act}")
        )
    if starts == due.earliest and other.rate == act.rate and other.lead.stage in {"imposed", "changed"}:
        return None
    if starts <= due.earliest and other.lead.stage != "extended":
        return "withdrawn", f"superseded before effect by {other.act}"
    return None


@dataclass(slots=True)
class _Chain:
    """Acts that set one end after the other for the same goods, and what has disposed of the last one."""

    acts: list[ActOnComponent]
    closed: tuple[State, str] | None = None


def _chains(made: Iterable[ActOnComponent]) -> list[_Chain]:
    """Return the chains of ends. An end for some product groups is one of its own beside that of all goods."""
    chains: list[_Chain] = []
    for act in made:
        if not act.moves:
            continue
        if act.until is None or act.until_kind != "stated":
            for chain in chains:
                chain.closed = chain.closed or _closed(chain.acts[-1], act)
            continue
        covered = [chain for chain in chains if _same_goods(chain.acts[-1], act)]
        if not covered:
            chains.append(_Chain([act]))
            continue
        covered[0].acts.append(act)
        covered[0].closed = None
        for chain in covered[1:]:
            if chain.closed is None and _starts_in_time(act, chain.acts[-1]):
                chain.closed = "moot", f"overtaken by {act.act}"
    return chains


def _starts_in_time(act: ActOnComponent, before: ActOnComponent) -> bool:
    starts = _starts(act)
    return starts is not None and before.end is not None and starts <= before.end.latest


def _starts(act: ActOnComponent) -> datetime | None:
    """Return when an act begins; an extension that does not tell is there when it is announced."""
    start = window(act.lead.announced) if act.start is None and act.lead.stage == "extended" else act.start
    return None if start is None else start.earliest


def _lapse(name: str, component: str, chain: _Chain, rulings: Sequence[Ruling], at: datetime) -> Deadline | None:
    current, closed = chain.acts[-1], chain.closed
    if current.until is None or current.end is None:
        return None
    voided = next((ruling for ruling in rulings if ruling.public_at > current.public_at), None)
    if closed is None and voided is not None and voided.at < current.end.earliest:
        closed = "moot", f"held unlawful by {voided.court}"
    passed = current.end.latest <= at
    state, reason = closed or ("pending", "")
    if state == "lapsed" and not passed:
        state, reason = "pending", ""
    elif state == "pending" and passed and current.until.basis == "inferred":
        reason = "the end is inferred: no report tells whether it came"
    elif state == "pending" and passed:
        state, reason = "lapsed_unconfirmed", "lapsed as written; no report of the outcome"
    return Deadline(
        id=name,
        kind="lapse",
        what=current.lead.title or f"{component} lapses",
        due=current.until,
        on_lapse=_on_lapse(chain.acts),
        state=state,
        reason=reason or None,
        revision=len(chain.acts),
        trail=tuple((when_text(act.until), act.act) for act in chain.acts[:-1] if act.until is not None),
        component=component,
        measure=current.lead.measure,
        status=current.status,
        acts=tuple(act.act for act in chain.acts),
        heard_at=current.end_heard_at,
    )


def _closed(current: ActOnComponent, act: ActOnComponent) -> tuple[State, str] | None:
    """Tell whether a later act without an end of its own disposes of the lapse that `current` set."""
    until, starts = current.end, _starts(act)
    if starts is None or until is None or not _same_goods(current, act):
        return None
    if act.lead.stage == "ended" and act.lead.ended_how == "expired" and starts >= until.earliest:
        return "lapsed", f"expired by {act.act}"
    if starts > until.latest:
        return None
    if act.lead.stage == "ended":
        return "moot", f"its component was ended by {act.act}"
    if act.lead.stage == "extended":
        return "moot", f"extended without an end by {act.act}"
    return ("moot", f"overtaken by {act.act}") if act.lead.stage in {"imposed", "changed", "suspended"} else None


def _same_goods(act: ActOnComponent, other: ActOnComponent) -> bool:
    """Tell whether another act works on all goods that an act works on, as far as product groups tell."""
    if not isinstance(other.rate, ByProduct):
        return True
    return isinstance(act.rate, ByProduct) and act.rate.by_product.keys() <= other.rate.by_product.keys()


def _on_lapse(acts: Sequence[ActOnComponent]) -> str | None:
    """Say what a lapse brings, by the last act that is more than an extension of what is."""
    act = next((one for one in reversed(acts) if not _only_extends(one)), acts[-1])
    if act.on_lapse is not None:
        return _words(act.on_lapse)
    if act.lead.stage == "suspended" or act.suspended not in {None, "0"}:
        return "what is suspended returns"
    if act.lead.stage == "exempted":
        return "the exemption ends"
    return "ends"


def _words(rate: Rate) -> str:
    match rate:
        case str():
            return f"{rate}%"
        case RateRange():
            return f"{rate.low}% to {rate.high}%"
        case Specific():
            return f"{rate.amount} {rate.currency} per {rate.per}"
        case EitherRate():
            return f"{rate.ad_valorem}% or {_words(rate.specific)}"
        case RateUnknown():
            return rate.unknown
        case ByProduct():
            return "rates by product"
        case _:
            assert_never(rate)


def _only_extends(act: ActOnComponent) -> bool:
    return act.lead.stage == "extended" and act.on_lapse is None and act.suspended is None


def warn_at(due: When, lead: str) -> datetime:
    """Return when a lead time before a deadline begins: `7d` in calendar days of its zone, `24h` in hours. UTC."""
    return _before(window(due).earliest, due.zone, lead)


def warnings_at(due: When, leads: tuple[str, ...]) -> tuple[datetime, ...]:
    """Return when each of some lead times before a deadline begins. UTC."""
    return _warnings(window(due).earliest, due.zone, leads)


@lru_cache(maxsize=16_384)
def _warnings(earliest: datetime, zone_name: str, leads: tuple[str, ...]) -> tuple[datetime, ...]:
    return tuple([_before(earliest, zone_name, lead) for lead in leads])


@lru_cache(maxsize=16_384)
def _before(earliest: datetime, zone_name: str, lead: str) -> datetime:
    count = int(lead[:-1])
    if lead.endswith("h"):
        return earliest - timedelta(hours=count)
    local = earliest.astimezone(zone(zone_name))
    return (local - timedelta(days=count)).astimezone(earliest.tzinfo)
