"""The timeline of a component in valid time: half-open segments, folded from acts.

An act holds from the instant it takes effect and overrides whatever earlier acts had scheduled from there on. There are
two readings, never mixed: what is lawful, and what is collected. Collection follows the law unless the act names no
date for it; then it runs on until an operational notice.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

from ledger.acts import ActOnComponent
from schemas.events import Goods
from schemas.rates import ByProduct, Exact, PlainRate, RateRange, bounds, exact
from schemas.times import window

Reading = Literal["lawful", "collected"]
Force = Literal[
    "threatened", "proposed", "announced", "signed", "published", "in_force", "suspended", "withdrawn", "expired",
    "revoked", "voided", "superseded",
]  # fmt: skip
IN_EFFECT = frozenset({"in_force", "suspended"})
WHOLE = ""
"""The name of the timeline of all goods in scope, beside those of product groups."""
NEVER = datetime.max.replace(tzinfo=UTC)
_SEAM = timedelta(days=1)
"""An extension that was public in time and begins so soon after the written end leaves no gap."""


class Segment(NamedTuple):
    """What holds from `from_at` (for a day: its first instant) until the next segment.

    `rate` is None where the component has none (a control, a list). `lapsed` marks what follows from a written end on
    which no act has reported: as written, unconfirmed.
    """

    from_at: datetime
    from_latest: datetime
    to_at: datetime | None
    rate: PlainRate | None
    suspended: PlainRate | None
    force: Force
    act: ActOnComponent | None
    court: str | None = None
    lapsed: bool = False
    before_lapse: PlainRate | None = None


class Ruling(NamedTuple):
    """A court's final holding that a component is unlawful, from the ruling's own date on."""

    at: datetime
    public_at: datetime
    court: str


Track = tuple[Segment, ...]


class Timeline(NamedTuple):
    """Both readings of a component: tracks by product group, `WHOLE` for all goods in scope.

    One object serves both readings where nothing ever told them apart.
    """

    lawful: dict[str, Track]
    collected: dict[str, Track]

    def reading(self, reading: Reading) -> dict[str, Track]:
        """Return the tracks of one reading."""
        return self.lawful if reading == "lawful" else self.collected


def build(acts: Iterable[ActOnComponent], rulings: Sequence[Ruling] = ()) -> Timeline:
    """Fold acts and rulings into both readings. The order of arrival does not matter: acts come in their own order."""
    moving = [act for act in acts if act.moves]
    lawful: dict[str, Track] = {}
    apart = bool(rulings) or any(_tells_apart(act) for act in moving)
    timeline = Timeline(lawful, {} if apart else lawful)
    steps: list[tuple[tuple[datetime, datetime, str], ActOnComponent | Ruling]] = [(act.order, act) for act in moving]
    if rulings:
        steps.extend([((ruling.public_at, ruling.at, "~"), ruling) for ruling in rulings])
    for _, step in sorted(steps, key=lambda pair: pair[0]):
        if isinstance(step, Ruling):
            _void(timeline.lawful, step)
        else:
            _apply(timeline, step)
    return timeline


def extended(timeline: Timeline, act: ActOnComponent) -> Timeline | None:
    """Return a timeline without rulings with one more act, the last in order. None if it must be built anew."""
    if not act.moves:
        return timeline
    lawful = dict(timeline.lawful)
    if timeline.collected is not timeline.lawful:
        found = Timeline(lawful, dict(timeline.collected))
    elif _tells_apart(act):
        return None
    else:
        found = Timeline(lawful, lawful)
    _apply(found, act)
    return found


def _tells_apart(act: ActOnComponent) -> bool:
    """Tell whether collection may differ from the law by an act."""
    return act.operational is not None or act.lead.collection != "follows_law"


def at(track: Track, instant: datetime) -> Segment | None:
    """Return the segment of a track that covers an instant."""
    found = None
    for segment in track:
        if segment.from_at <= instant:
            found = segment
    return found if found is not None and (found.to_at is None or instant < found.to_at) else None


def segments_at(tracks: dict[str, Track], instant: datetime) -> dict[str, Segment]:
    """Return the segments that cover an instant, by product group, where there are any."""
    return {product: segment for product, track in tracks.items() if (segment := at(track, instant)) is not None}


def boundaries(timeline: Timeline, since: datetime) -> set[datetime]:
    """Return the instants at which something begins to hold; those before `since` may be left out."""
    readings = (timeline.lawful, timeline.collected)
    found: set[datetime] = set()
    for tracks in readings if timeline.lawful is not timeline.collected else readings[:1]:
        for track in tracks.values():
            for segment in track:
                if segment.from_latest >= since:
                    found.add(segment.from_at)
                    found.add(segment.from_latest)
    return found


def _apply(timeline: Timeline, act: ActOnComponent) -> None:
    operational = act.operational
    covered = window(act.lead.retroactive_from) if act.lead.retroactive_from is not None else act.start
    if covered is None and operational is None and act.lead.stage == "extended":
        covered = window(act.lead.announced)  # it needs no date to be clear, see `_undated`
    if covered is not None:
        _override(timeline.lawful, act, covered.earliest, covered.latest)
        if timeline.collected is not timeline.lawful and act.lead.collection == "follows_law" and operational is None:
            _override(timeline.collected, act, covered.earliest, covered.latest)
    if operational is not None:
        covered = window(operational)
        _override(timeline.collected, act, covered.earliest, covered.latest)


def _override(tracks: dict[str, Track], act: ActOnComponent, start: datetime, start_latest: datetime) -> None:
    if act.lead.stage == "ended":
        ended = act.rate.by_product if isinstance(act.rate, ByProduct) else tracks or {WHOLE: ()}
        for product in list(ended):
            track = tracks.get(product, ())
            tracks[product] = _put(track, _ended(act, at(track, start), start, start_latest))
        return
    for product, rate in _rates(act, tracks):
        track = tracks.get(product, ())
        begins, begins_latest = _undated(track, act, start, start_latest)
        before = at(track, begins)
        if act.lead.stage == "extended" and before is not None and before.lapsed:
            if act.public_at <= before.from_at and begins - before.from_at <= _SEAM:
                begins, begins_latest = before.from_at, before.from_latest
            before = track[track.index(before) - 1]
        segment = _segment(act, rate, before, begins, begins_latest)
        if segment is not None:
            tracks[product] = _with_its_end(_put(track, segment), act, before, product)
    if act.lead.stage == "imposed" and not isinstance(act.rate, ByProduct):
        _uncover(tracks, start)


def _undated(track: Track, act: ActOnComponent, start: datetime, latest: datetime) -> tuple[datetime, datetime]:
    """Return when an act begins on a track: an extension without a date leaves what is scheduled before the old end."""
    if act.lead.stage != "extended" or act.start is not None or act.lead.retroactive_from is not None or not track:
        return start, latest
    scheduled = track[-2] if track[-1].lapsed and len(track) > 1 else track[-1]
    if scheduled.from_at <= start:
        return start, latest
    return track[-1].from_at, track[-1].from_latest


def _rates(act: ActOnComponent, tracks: dict[str, Track]) -> list[tuple[str, PlainRate | None]]:
    """Return what an act sets by product group; what names no rate and keeps what is there works on all there are."""
    if isinstance(act.rate, ByProduct):
        return sorted(act.rate.by_product.items())
    if act.rate is None and act.lead.stage in {"suspended", "extended", "changed"} and tracks:
        return [(product, None) for product in sorted(tracks)]
    return [(WHOLE, act.rate)]


def _with_its_end(track: Track, act: ActOnComponent, before: Segment | None, product: str) -> Track:
    """Return a track with what follows on the written end of its last segment, if it has one."""
    segment = track[-1]
    if act.end is None or act.until_kind != "stated" or act.end.latest <= segment.from_at:
        return track
    if act.until is not None and act.until.basis == "inferred":  # nobody has written it: nothing lapses by it
        return track
    if product and act.lead.stage == "exempted":  # the goods fall back to what holds for all others by then
        return (*track[:-1], segment._replace(to_at=act.end.latest))
    if act.lead.stage == "exempted" and act.on_lapse is None and before is not None and before.force in IN_EFFECT:
        lapse_at = act.end.latest
        back = before._replace(from_at=lapse_at, from_latest=lapse_at, to_at=None, act=act)
        return _put(track, back._replace(lapsed=True, before_lapse=segment.rate))
    on_lapse = act.on_lapse
    told = on_lapse.by_product.get(product) if isinstance(on_lapse, ByProduct) else on_lapse
    return _put(track, _lapse(act, told, segment, before, act.end.latest))


def _uncover(tracks: dict[str, Track], start: datetime) -> None:
    """End the tracks of product groups on which nothing holds: what is imposed on all goods holds for them too."""
    for product, track in tracks.items():
        segment = at(track, start) if product else None
        if segment is not None and segment.force not in IN_EFFECT:
            tracks[product] = _cut(track, start)


def _put(track: Track, segment: Segment) -> Track:
    """Cut a track at the segment's start and append the segment."""
    return (*_cut(track, segment.from_at), segment)


def _cut(track: Track, instant: datetime) -> Track:
    """End a track at an instant."""
    kept = [one for one in track if one.from_at < instant]
    if kept and (kept[-1].to_at is None or kept[-1].to_at > instant):
        kept[-1] = kept[-1]._replace(to_at=instant)
    return tuple(kept)


def _ended(act: ActOnComponent, before: Segment | None, start: datetime, start_latest: datetime) -> Segment:
    """Return what follows on an end: a rate of 0, or none where there was none."""
    match act.lead.ended_how:
        case "expired":
            force: Force = "expired"
        case "voided":
            force = "voided"
        case "superseded":
            force = "superseded"
        case _:
            force = "revoked"
    rate = None if before is not None and before.rate is None else "0"
    return Segment(start, start_latest, None, rate, None, force, act)


def _segment(
    act: ActOnComponent, rate: PlainRate | None, before: Segment | None, start: datetime, start_latest: datetime
) -> Segment | None:
    """Return what an act sets. A change, an extension or a suspension that names no rate keeps the one before it."""
    suspended: PlainRate | None = act.suspended
    match act.lead.stage:
        case "imposed" | "changed" | "exempted":
            if act.lead.stage == "exempted" and moves_no_rate(act, before):
                return None
            if act.lead.stage == "changed" and rate is None and before is not None and before.force in IN_EFFECT:
                return _kept(act, before, start, start_latest)
            return Segment(start, start_latest, None, rate, suspended, "in_force", act)
        case "suspended":
            written = _written(before)
            if rate is None and before is not None and (left := _left(act, before)) is not None:
                return Segment(start, start_latest, None, left, suspended, "in_force", act)
            if rate is None and written is not None:
                return Segment(start, start_latest, None, "0", written, "suspended", act)
            force: Force = "in_force" if rate not in {None, "0"} else "suspended"
            return Segment(start, start_latest, None, rate, suspended, force, act)
        case "extended":
            if before is not None:
                rate = before.rate if rate is None else rate
                suspended = before.suspended if suspended is None else suspended
                force = before.force if before.force in IN_EFFECT else "in_force"
                return Segment(start, start_latest, None, rate, suspended, force, act)
            return Segment(start, start_latest, None, rate, suspended, "in_force", act)
        case _:
            return None


def undated(act: ActOnComponent) -> bool:
    """Tell whether an act would move its timeline, and no report tells from when on: it moves nothing."""
    if not act.moves or act.lead.stage == "extended":
        return False
    return act.start is None and act.operational is None and act.lead.retroactive_from is None


def moves_no_rate(exempting: ActOnComponent, before: Segment | None) -> bool:
    """Tell whether an exemption names neither rate nor products, or its goods in words that nobody can place.

    It exempts all where the act that holds tells the same goods.
    """
    goods = exempting.lead.goods
    if exempting.rate is None or isinstance(exempting.rate, ByProduct) or not isinstance(goods, Goods):
        return exempting.rate is None
    return before is None or before.act is None or before.act.lead.goods != goods


def _kept(act: ActOnComponent, before: Segment, start: datetime, start_latest: datetime) -> Segment:
    if act.suspended is None:
        return Segment(start, start_latest, None, before.rate, before.suspended, before.force, act)
    left = _left(act, before)
    return Segment(start, start_latest, None, before.rate if left is None else left, act.suspended, "in_force", act)


def _left(act: ActOnComponent, before: Segment) -> PlainRate | None:
    """Return what is still collected where an act tells only how many points it suspends. None where that is no part.

    They are points of all that is written: also of those suspended before.
    """
    written = bounds(_sum(before.rate, before.suspended)) if before.rate is not None else None
    if act.suspended is None or written is None or before.force not in IN_EFFECT:
        return None
    low, high = (number - Decimal(act.suspended) for number in written)
    if low < 0 or high == 0:
        return None
    return exact(low) if low == high else _between(exact(low), exact(high))


def _written(before: Segment | None) -> PlainRate | None:
    """Return the rate that a suspension puts aside, where there is one."""
    if before is None or before.rate is None:
        return None
    return before.suspended if before.force == "suspended" and before.suspended is not None else before.rate


def _lapse(
    act: ActOnComponent, on_lapse: PlainRate | None, segment: Segment, before: Segment | None, lapse_at: datetime
) -> Segment:
    """Return what holds after a written end: what the act says, else what the suspension put aside, else nothing."""
    comes_back = segment.force == "suspended" or (segment.suspended not in {None, "0"})
    force: Force = "in_force" if comes_back else "expired"
    if on_lapse is not None:
        rate: PlainRate | None = on_lapse
        force = "expired" if on_lapse == "0" else "in_force"
    elif comes_back:
        rate = _sum(segment.rate, segment.suspended) if segment.rate is not None else _written(before)
    else:
        rate = "0" if segment.rate is not None else None
    return Segment(lapse_at, lapse_at, None, rate, None, force, act, lapsed=True, before_lapse=segment.rate)


def _sum(rate: PlainRate, suspended: PlainRate | None) -> PlainRate:
    one, other = bounds(rate), bounds(suspended) if suspended is not None else (Decimal(0), Decimal(0))
    if one is None or other is None:
        return suspended if rate == "0" and suspended is not None else rate
    low, high = exact(one[0] + other[0]), exact(one[1] + other[1])
    return low if low == high else _between(low, high)


def _between(low: Exact, high: Exact) -> RateRange:
    """Return a range that was reckoned, which may have more digits than a report may tell."""
    return RateRange.model_construct(low=low, high=high)


def _void(tracks: dict[str, Track], ruling: Ruling) -> None:
    for product, track in list(tracks.items()):
        held = [one for one in track if one.force in IN_EFFECT and (one.to_at is None or one.to_at > ruling.at)]
        if held:
            segment = held[0]  # what holds then, or what is set to begin
            begins = max(ruling.at, segment.from_at)
            void = Segment(begins, begins, None, "0", None, "voided", segment.act, court=ruling.court)
            tracks[product] = _put(track, void)
