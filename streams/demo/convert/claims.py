"""Claims as reports: each its own witness, with the value that it names and nothing else."""

import calendar
import re
from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from schemas.events import ActReported, FigureClaimed, PropertyClaim
from schemas.ids import event_id
from schemas.provenance import Published, Source
from schemas.rates import RateRange
from schemas.times import When, window
from streams.demo.convert.claimed_dates import Dated, dated
from streams.demo.convert.corpus import ClaimLine, SourceLine
from streams.demo.convert.corrections import (
    CLAIM_ACT,
    CLAIM_BY,
    CLAIM_TITLE,
    CLAIM_TOLD,
    CLAIM_WITHOUT_ABOUT,
)
from streams.demo.convert.printed import DATA_THROUGH, when, zone_of
from streams.demo.convert.speakers import spoken_of
from streams.demo.convert.telling import Telling

REPLACES: Final[Mapping[str, str]] = MappingProxyType({"C032": "C031", "C145": "C144", "C146": "C145", "C147": "C146"})
"""Claims in which a source restates what it had said before."""
METRICS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "meetings.he-lifeng+bessent.numbered": "meetings.he-lifeng+bessent.numbered_rounds",
        "meetings.mechanism.numbered": "meetings.mechanism.numbered_rounds",
    }
)
"""Metrics under the name of the counter that the history defines."""

_NAMES_END: Final = re.compile(r"; |, in (?:the )?|, after | \(")
_PUBLISHERS: Final[Mapping[str, str]] = MappingProxyType({"White House fact sheet": "White House"})
_NUMBERS: Final = frozenset({"percent", "percentage_points", "count", "million_tonnes", "usd_billion"})
_YEAR, _MONTH, _DAY = 4, 7, 10


def reports(telling: Telling, claims: Mapping[str, ClaimLine]) -> Iterator[ActReported | FigureClaimed]:
    """Give one report for each claim, in the order of the corpus."""
    told: dict[str, str] = {}
    for claim in claims.values():
        earlier = REPLACES.get(claim.id)
        report = _report(telling, claim, told[earlier] if earlier is not None else None)
        told[claim.id] = event_id(report)
        yield report


def _report(telling: Telling, claim: ClaimLine, replaces: str | None) -> ActReported | FigureClaimed:
    by = CLAIM_BY.get(claim.id, claim.by)
    document = spoken_of(claim.id, claim.by)
    zone = zone_of(document.issuer)
    name = _act(telling, claim)
    announced = _told(telling, claim, name, zone)
    line = _carrier(telling, claim)
    source = Source(
        name=by,
        own_id=claim.id,
        url=line.url if line is not None else None,
        grade=claim.grade,
        basis="cited" if line is not None and line.cited else "seen",
        published=Published(on=_last_day(claim.said_on), zone=zone) if claim.said_on is not None else None,
    )
    title = CLAIM_TITLE.get(claim.id, claim.claim)
    of = dated(claim.id, claim.metric)
    if of is not None:
        return ActReported(
            negotiation=telling.negotiation,
            act=telling.act_id(name),
            title=title,
            source=source,
            document=document,
            announced=announced,
            claims=_properties(of, claim.value),
        )
    return FigureClaimed(
        negotiation=telling.negotiation,
        act=telling.act_id(name),
        title=title,
        source=source,
        document=document,
        announced=announced,
        replaces=replaces,
        metric=METRICS.get(claim.metric, claim.metric),
        value=_value(claim),
        unit=claim.unit,
        by=by,
        about=claim.about if claim.id not in CLAIM_WITHOUT_ABOUT else None,
        acts=tuple(telling.act_id(one) for one in _known_acts(telling, claim) or [name]),
    )


def _properties(of: Dated, value: str) -> tuple[PropertyClaim, ...]:
    first, _, last = value.partition("/")
    found = [
        PropertyClaim(subject=subject, property=of.property, value=when(first, of.zone, basis=of.basis))
        for subject in of.subjects
    ]
    if last:
        found.append(
            PropertyClaim(subject=of.subjects[0], property="last_day", value=when(last, of.zone, basis=of.basis))
        )
    return tuple(found)


def _value(claim: ClaimLine) -> str | RateRange:
    low, dash, high = claim.value.partition("-")
    if dash and claim.unit in _NUMBERS:
        return RateRange(low=low, high=high)
    return claim.value


def _act(telling: Telling, claim: ClaimLine) -> str:
    """Return the act that a claim is told of: the first named that had been announced when it was made."""
    if claim.id in CLAIM_ACT:
        return CLAIM_ACT[claim.id]
    if claim.said_on is None:
        return claim.acts[0]
    known = _known_acts(telling, claim)
    if not known:
        raise ValueError(f"{claim.id}: every act it names is later than {claim.said_on}; name one in CLAIM_ACT")
    return known[0]


def _known_acts(telling: Telling, claim: ClaimLine) -> list[str]:
    """Return the acts that a claim names and that were known when it was made."""
    told = CLAIM_TOLD.get(claim.id, claim.said_on)
    if told is None:
        first = CLAIM_ACT.get(claim.id, claim.acts[0])
        told = window(telling.announced(first)).latest.date().isoformat()
    last = _last_day(told)
    return [name for name in claim.acts if window(telling.announced(name)).earliest.date() <= last]


def _told(telling: Telling, claim: ClaimLine, act: str, zone: str) -> When:
    """Return when a claim was made: on its own day, else no earlier than what it tells of, else with its act."""
    if claim.said_on is not None:
        if len(claim.said_on) == _YEAR:
            return when(_last_day(claim.said_on).isoformat(), zone, as_printed=claim.said_on, basis="inferred")
        return when(claim.said_on, zone)
    if claim.id in CLAIM_TOLD:
        return when(CLAIM_TOLD[claim.id], zone, basis="inferred")
    return telling.announced(act).model_copy(update={"basis": "inferred"})


def _last_day(text: str) -> date:
    """Return the last day of a day, month or year, but no day that the corpus does not cover."""
    if len(text) == _DAY:
        return date.fromisoformat(text)
    year, month = int(text[:_YEAR]), int(text[_YEAR + 1 :]) if len(text) == _MONTH else 12
    return min(date(year, month, calendar.monthrange(year, month)[1]), DATA_THROUGH)


def _carrier(telling: Telling, claim: ClaimLine) -> SourceLine | None:
    """Return the source that carries a claim: of its acts, under one of its names, of its day, and only one."""
    names = {_PUBLISHERS.get(name, name) for name in _NAMES_END.split(claim.by)}
    found = {
        source.url: source
        for name in claim.acts
        for source in telling.acts[name].sources
        if source.url is not None and source.publisher in names and _of_its_day(source, claim)
    }
    return next(iter(found.values())) if len(found) == 1 else None


def _of_its_day(source: SourceLine, claim: ClaimLine) -> bool:
    if claim.said_on is None:
        return True
    return source.published is not None and source.published.isoformat() == claim.said_on
