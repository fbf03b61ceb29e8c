"""Sums of rates at an instant, shown as arithmetic, with the bounds that the data leaves open."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from ledger.resolution import Status, worst
from ledger.timeline import IN_EFFECT, WHOLE, Reading, Segment, Timeline, Track, at, segments_at
from schemas.rates import PlainRate, bounds

ZERO = Decimal(0)
_COUNTED = IN_EFFECT | {"expired", "revoked", "voided", "superseded"}


class Amount(NamedTuple):
    """A percentage at an instant: the value as written and the bounds. `value` is None where nothing can be added."""

    value: Decimal | None
    low: Decimal | None
    high: Decimal | None
    status: Status
    reason: str | None = None


class Line(NamedTuple):
    """One line of the arithmetic: a component's part and the act it rests on."""

    component: str
    amount: Amount
    segment: Segment | None


def amount_at(
    component: str, timeline: Timeline | None, reading: Reading, product: str | None, instant: datetime
) -> Line:
    """Return what a component adds at an instant. A component that the ledger does not know adds nothing."""
    if timeline is None:
        return Line(component, Amount(ZERO, ZERO, ZERO, "settled"), None)
    tracks = timeline.reading(reading)
    track = tracks.get(product, ()) if product is not None else ()
    own, whole = at(track, instant), tracks.get(WHOLE, ())
    segment = own or at(whole, instant)
    if segment is None and product is None and (of_products := _of_products(component, tracks, instant)) is not None:
        return of_products
    if segment is None or segment.force not in _COUNTED:
        return Line(component, Amount(ZERO, ZERO, ZERO, "settled"), None)
    status: Status = segment.act.status if segment.act is not None else "settled"
    if segment.lapsed:
        status = "lapsed_unconfirmed"
    rate = segment.rate if segment.force in IN_EFFECT else "0"
    if segment.force == "suspended" and segment.rate is None:
        rate = "0"
    now = bounds(rate) if rate is not None else None
    if now is None:
        return Line(
            component, Amount(None, None, None, status, "its rate is not a percentage that can be added"), segment
        )
    value = now[0] if now[0] == now[1] else None
    low, high = now
    of_its_own = (track, whole) if own is not None else (whole, ())
    for also in _open_alternatives(segment, *of_its_own, instant):
        other = bounds(also)
        if other is not None:
            low, high = min(low, other[0]), max(high, other[1])
    reason = "a range over the listed goods" if value is None else None
    return Line(component, Amount(value, low, high, status, reason), segment)


def _of_products(component: str, tracks: dict[str, Track], instant: datetime) -> Line | None:
    """Return what a component adds that has rates of product groups alone: between the lowest and the highest."""
    held = {
        product: one
        for product, one in segments_at(tracks, instant).items()
        if one.rate is not None and (one.force in IN_EFFECT or one.lapsed)
    }
    if not held:
        return None
    written = [bounds(one.rate) for one in held.values() if one.rate is not None]
    also = [rate for product, one in held.items() for rate in _open_alternatives(one, tracks[product], (), instant)]
    known = [pair for pair in (*written, *map(bounds, also)) if pair is not None]
    low, high = min((one for one, _ in known), default=None), max((one for _, one in known), default=None)
    if None in written:
        low = high = None
    status = worst([one.act.status for one in held.values() if one.act is not None])
    if any(one.lapsed for one in held.values()):
        status = "lapsed_unconfirmed"
    shown = max(held.values(), key=lambda one: one.from_at)
    if all(one.force not in IN_EFFECT for one in held.values()):
        return Line(component, Amount(ZERO, low, high, status), shown)
    return Line(component, Amount(None, low, high, status, "its rate differs by product"), shown)


def _open_alternatives(segment: Segment, track: Track, of_all: Track, instant: datetime) -> list[PlainRate]:
    """Return the rates that may hold instead: before an unconfirmed lapse, or earlier on a day with no hour.

    `of_all` is what holds for all goods, also for those that have a track of their own before that begins.
    """
    if segment.lapsed:
        return [segment.before_lapse] if segment.before_lapse is not None else []
    if instant < segment.from_latest:
        earlier = [one for one in track if one.from_at < segment.from_at]
        before = earlier[-1] if earlier else at(of_all, segment.from_at)
        rate = before.rate if before is not None and before.force in IN_EFFECT else "0"
        return [rate] if rate is not None else []
    return []


def total(lines: list[Line], plus: Decimal) -> Amount:
    """Add the lines up. Where one line cannot be added, the sum says so instead of guessing."""
    status = worst([line.amount.status for line in lines])
    for line in lines:
        if line.amount.low is None:
            return Amount(None, None, None, status, f"cannot add {line.component}: {line.amount.reason}")
    low = sum((line.amount.low or ZERO for line in lines), plus)
    high = sum((line.amount.high or ZERO for line in lines), plus)
    missing = next((line for line in lines if line.amount.value is None), None)
    if missing is not None:
        return Amount(None, low, high, status, f"cannot add {missing.component}: {missing.amount.reason}")
    return Amount(sum((line.amount.value or ZERO for line in lines), plus), low, high, status)
