"""Which of several claims stands, and why. Policy 1: pure, versioned, and it explains itself.

Two axes: the authority of the document spoken of, then the reliability of the witness; the issuer's own text outranks
another's description of it; a later text of the same witness replaces its earlier one. Claims that tie at the top and
cannot all be true make the property disputed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Generic, Literal, NamedTuple, TypeVar

from ledger.reports import Entry
from schemas.shape import Party
from schemas.times import RESOLUTION, When, Window, window

V = TypeVar("V")

POLICY = "1"
Status = Literal["settled", "single-source", "unverified", "disputed", "lapsed_unconfirmed"]
WORST_LAST: tuple[Status, ...] = ("settled", "single-source", "unverified", "disputed", "lapsed_unconfirmed")

_AUTHORITY = {"remark": 0, "official-statement": 1, "operational-notice": 2, "instrument": 3}
_AUTHORITY_ON_COLLECTION = _AUTHORITY | {"operational-notice": 4}
_GRADE = {"unverified": 0, "secondary": 1, "wire": 2, "official-statement": 3, "operational": 4, "instrument": 5}
_UNCONTESTED = "nothing says otherwise"
_FIRST_HAND = frozenset({"instrument", "operational"})


class Claim(NamedTuple, Generic[V]):
    """The value that one report asserts for one property."""

    value: V
    entry: Entry


class Resolved(NamedTuple, Generic[V]):
    """The value that stands, its status, the reports that carry it and those that say otherwise."""

    value: V
    status: Status
    carriers: tuple[Entry, ...]
    others: tuple[Claim[V], ...]
    rule: str


def rank(entry: Entry, party: Party | None, *, on_collection: bool = False) -> tuple[int, int, int, int]:
    """Return the weight of a report on a measure of `party`: authority, whose document, witness, own text."""
    document, source = entry.event.document, entry.event.source
    authority = (_AUTHORITY_ON_COLLECTION if on_collection else _AUTHORITY)[document.kind]
    of_party = int(party is None or document.issuer == party or party in document.issuer.split("+"))
    return authority, of_party, _GRADE[source.grade], int(source.speaks_as == "issuer")


def resolve(claims: Sequence[Claim[V]], party: Party | None, *, on_collection: bool = False) -> Resolved[V] | None:
    """Choose among claims. None where there is none."""
    if not claims:
        return None
    if len(claims) == 1:
        only = claims[0]
        return Resolved(only.value, witnessed([only.entry]), (only.entry,), (), _UNCONTESTED)
    standing = _latest_of_each_witness(claims)
    ranks = [rank(claim.entry, party, on_collection=on_collection) for claim in standing]
    top_rank = max(ranks)
    top = [claim for claim, its in zip(standing, ranks, strict=True) if its == top_rank]
    best = top[-1]
    agreeing = [claim for claim in standing if compatible(claim.value, best.value)]
    others = tuple(claim for claim in standing if not compatible(claim.value, best.value))
    carriers = tuple(claim.entry for claim in agreeing)
    if any(not compatible(claim.value, best.value) for claim in top):
        return Resolved(best.value, "disputed", carriers, others, "equal authority and witness, the later one shown")
    return Resolved(best.value, witnessed(carriers), carriers, others, _rule(best, others, party))


def agreed(claims: Sequence[Claim[V]]) -> bool:
    """Tell whether all claims say the very same; then any of them stands, whoever made it."""
    first = claims[0].value
    return len(claims) == 1 or all(same(claim.value, first) for claim in claims)


def same(one: object, other: object) -> bool:
    """Tell whether two values are equal. A printed time is compared field by field, which is the same and faster."""
    if one is other:
        return True
    if isinstance(one, When) and isinstance(other, When):
        return vars(one) == vars(other)
    return one == other


def best(claims: Sequence[Claim[V]], party: Party | None) -> Claim[V]:
    """Return the claim that outranks all others; the latest text of each witness counts."""
    if len(claims) == 1:
        return claims[0]
    return max(_latest_of_each_witness(claims), key=lambda claim: (rank(claim.entry, party), claim.entry.order))


def _latest_of_each_witness(claims: Sequence[Claim[V]]) -> list[Claim[V]]:
    """Keep the latest text of each witness on each kind of document: a source that restates itself says one thing."""
    latest: dict[tuple[str, str, str], Claim[V]] = {}
    for claim in sorted(claims, key=_order):
        event = claim.entry.event
        latest[event.source.name, event.document.kind, event.document.issuer] = claim
    return list(latest.values()) if len(latest) == len(claims) else sorted(latest.values(), key=_order)


def _order(claim: Claim[V]) -> tuple[datetime, str, str]:
    return claim.entry.order


def _rule(best: Claim[V], others: Sequence[Claim[V]], party: Party | None) -> str:
    if not others:
        return _UNCONTESTED
    second = max(rank(claim.entry, party) for claim in others)
    first = rank(best.entry, party)
    reasons = (
        "the document spoken of has more authority",
        "the issuer's own document outranks another party's description",
        "the better witness",
        "the issuer's own text outranks a report of it",
    )
    return next(
        (why for why, mine, theirs in zip(reasons, first, second, strict=True) if mine != theirs), "the later text"
    )


def witnessed(entries: Sequence[Entry]) -> Status:
    """Say how well a fact is witnessed. Assumed reports are no second witness; unverified alone is marked."""
    unverified, names = True, set[str]()
    for entry in entries:
        source = entry.event.source
        if source.grade == "unverified":
            continue
        unverified = False
        if source.basis == "seen" and source.grade in _FIRST_HAND:
            return "settled"
        if source.basis != "assumed":
            names.add(source.name)
    if unverified:
        return "unverified"
    return "settled" if len(names) > 1 else "single-source"


def worst(statuses: Sequence[Status]) -> Status:
    """Return the least certain of several statuses; settled where there is none."""
    return max(statuses, key=WORST_LAST.index, default="settled")


def compatible(one: object, other: object) -> bool:
    """Tell whether two values can both be true: equal, or two printed times with an instant in common."""
    if one is other:
        return True
    if isinstance(one, When) and isinstance(other, When):
        first, second = window(one), window(other)
        return max(first.earliest, second.earliest) < min(_end(first), _end(second))
    return one == other


def _end(covered: Window) -> datetime:
    """Return the first instant after those that a printed time covers."""
    return max(covered.latest, covered.earliest + RESOLUTION)
