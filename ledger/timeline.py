"""The timeline of a component in valid time: half-open segments, folded from acts.

An act holds from the instant it takes effect and overrides whatever earlier acts had scheduled from there on. There are
two readings, never mixed: what is lawful, and what is collected. Collection follows the law unless the act names no
date for it; then it runs on until an operational notice.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from ledger.acts import ActOnComponent
from schemas.rates import ByProduct, PlainRate, Rate, bounds, exact
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
    if covered is not None:
        _override(timeline.lawful, act, covered.earliest, covered.latest)
        if timeline.collected is not timeline.lawful and act.lead.collection == "follows_law" and operational is None:
            _override(timeline.collected, act, covered.earliest, covered.latest)
    if operational is not None:
        covered = window(operational)
        _override(timeline.collected, act, covered.earliest, covered.latest)


def _override(tracks: dict[str, Track], act: ActOnComponent, start: datetime, start_latest: datetime) -> None:
    if act.lead.stage == "ended":
        for product in tracks or {WHOLE: ()}:
            tracks[product] = _put(tracks.get(product, ()), _ended(act, start, start_latest))
        return
    for product, rate in _by_product(act.rate):
        before = at(tracks.get(product, ()), start)
        segment = _segment(act, rate, before, start, start_latest)
        if segment is None:
            continue
        track = _put(tracks.get(product, ()), segment)
        if act.end is not None and act.lead.until_kind == "stated":
            lapse_at = act.end.latest
            if lapse_at > start:
                track = _put(track, _lapse(act, segment, before, lapse_at))
        tracks[product] = track


def _put(track: Track, segment: Segment) -> Track:
    """Cut a track at the segment's start and append the segment."""
    kept = [one for one in track if one.from_at < segment.from_at]
    if kept and (kept[-1].to_at is None or kept[-1].to_at > segment.from_at):
        kept[-1] = kept[-1]._replace(to_at=segment.from_at)
    return (*kept, segment)


def _by_product(rate: Rate | None) -> list[tuple[str, PlainRate | None]]:
    if isinstance(rate, ByProduct):
        return sorted(rate.by_product.items())
    return [(WHOLE, rate)]


def _ended(act: ActOnComponent, start: datetime, start_latest: datetime) -> Segment:
    match act.lead.ended_how:
        case "expired":
            force: Force = "expired"
        case "voided":
            force = "voided"
        case "superseded":
            force = "superseded"
        case _:
            force = "revoked"
    return Segment(start, start_latest, None, "0", None, force, act)


def _segment(
    act: ActOnComponent, rate: PlainRate | None, before: Segment | None, start: datetime, start_latest: datetime
) -> Segment | None:
    """Return what an act sets. An extension or suspension that names no rate keeps the one before it."""
    suspended: PlainRate | None = act.suspended
    match act.lead.stage:
        case "imposed" | "changed" | "exempted":
            if act.lead.stage == "exempted" and rate is None:
                return None
            return Segment(start, start_latest, None, rate, suspended, "in_force", act)
        case "suspended":
            written = _written(before)
            if rate is None and written is not None:
                return Segment(start, start_latest, None, "0", written, "suspended", act)
            force: Force = "in_force" if rate not in {None, "0"} else "suspended"
            return Segment(start, start_latest, None, rate, suspended, force, act)
        case "extended":
            if before is not None:
                rate = before.rate if rate is None else rate
                suspended = before.suspended if suspended is None else suspended
                if before.lapsed and before.act is not None and before.act.lead.stage == "suspended":
                    return Segment(start, start_latest, None, rate, suspended, "suspended", act)
                force = before.force if before.force in IN_EFFECT else "in_force"
                return Segment(start, start_latest, None, rate, suspended, force, act)
            return Segment(start, start_latest, None, rate, suspended, "in_force", act)
        case _:
            return None


def _written(before: Segment | None) -> PlainRate | None:
    """Return the rate that a suspension puts aside, where there is one."""
    if before is None or before.rate is None:
        return None
    return before.suspended if before.force == "suspended" and before.suspended is not None else before.rate


def _lapse(act: ActOnComponent, segment: Segment, before: Segment | None, lapse_at: datetime) -> Segment:
    """Return what holds after a written end: what the act says, else what the suspension put aside, else nothing."""
    on_lapse = act.lead.on_lapse
    comes_back = segment.force == "suspended" or (segment.suspended not in {None, "0"})
    force: Force = "in_force" if comes_back else "expired"
    if on_lapse is not None and not isinstance(on_lapse, ByProduct):
        rate: PlainRate | None = on_lapse
        force = "expired" if on_lapse == "0" else "in_force"
    elif comes_back:
        rate = _sum(segment.rate, segment.suspended) if segment.rate is not None else _written(before)
    else:
        rate = "0" if segment.rate is not None else None
    return Segment(lapse_at, lapse_at, None, rate, None, force, act, lapsed=True, before_lapse=segment.rate)


def _sum(rate: PlainRate, suspended: PlainRate | None) -> PlainRate:
    one, other = bounds(rate), bounds(suspended) if suspended is not None else (Decimal(0), Decimal(0))
    if one is None or other is None or one[0] != one[1] or other[0] != other[1]:
        return suspended if rate == "0" and suspended is not None else rate
    return exact(one[0] + other[0])


def _void(tracks: dict[str, Track], ruling: Ruling) -> None:
    for product, track in list(tracks.items()):
        segment = at(track, ruling.at)
        if segment is not None and segment.force in IN_EFFECT:
            void = Segment(ruling.at, ruling.at, None, "0", None, "voided", segment.act, court=ruling.court)
            tracks[product] = _put(track, void)
