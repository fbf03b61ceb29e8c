"""The workload `parley-zipf-1`: seeded reports of many negotiations, as a busy ledger would see them.

One negotiation has 30 % of the acts, the others share the rest by Zipf's law. An act is told of by three reports, mixed
with those of other acts: the issuer's own text, a witness, and a third that contradicts it one time in seven. Every
report quotes 300 characters; 2 % of all events correct an earlier report of the same source. Time moves on a minute
an event, and effective dates, ends and deadlines lie around it. A negotiation begins with the definitions of two
metrics. There are no strikes of the clock. 1,100,000 events make some 275,000 rows.
"""

import random
from bisect import bisect
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import accumulate
from typing import Final

from schemas.cloudevents import CONTENT_TYPE
from schemas.codec import Undecodable, decode
from schemas.encoding import canonical_json
from schemas.events import Event
from schemas.ids import digest
from streams.bench.acts import ZONES, Chronicle, Document, instant_text, replacement, report_id, retraction
from streams.bench.kinds import next_act
from streams.producing import Append
from streams.topics import partition_of

NAME: Final = "parley-zipf-1"
NEGOTIATIONS: Final = 1_000
_HOT_SHARE: Final = 0.3
_CORRECTED_SHARE: Final = 0.02
_RETRACTED_SHARE: Final = 0.5  # corrections that only take back
_CONTRADICTED_SHARE: Final = 1 / 7
_DELAY_EVENTS_MAX: Final = 3_000
_BEGINS_AT: Final = datetime(2025, 1, 1, tzinfo=UTC)
_STEP: Final = timedelta(minutes=1)
_PAIRS: Final = tuple((one, other) for place, one in enumerate(ZONES) for other in tuple(ZONES)[place + 1 :])


def reports(seed: int, count: int, negotiations: int = NEGOTIATIONS) -> Iterator[Event]:
    """Give the first `count` events of that seed: the same wherever and whenever it is asked for."""
    for record in records(seed, count, negotiations):
        event = decode(record.value)
        if isinstance(event, Undecodable):
            raise TypeError(f"the workload made an event that is none: {event.reason}")
        yield event


def records(seed: int, count: int, negotiations: int = NEGOTIATIONS, partitions: int = 4) -> Iterator[Append]:
    """Give the same events as they are appended: canonical bytes, with key, headers and partition."""
    stream = _Stream(seed, negotiations)
    places: dict[str, tuple[bytes, int]] = {}
    for _ in range(count):
        document = stream.next_document()
        negotiation = document["negotiation"]
        place = places.get(negotiation)
        if place is None:
            key = negotiation.encode()
            place = places[negotiation] = key, partition_of(key, partitions)
        key, partition = place
        yield Append(key, canonical_json(document), _headers(document), partition)


def names(negotiations: int) -> list[str]:
    """Give the negotiations, the busiest first."""
    pairs = len(_PAIRS)
    return [f"{'-'.join(_PAIRS[n % pairs])}-{n // pairs}" for n in range(negotiations)]


class _Stream:
    """Acts as they happen, and their reports as they come in."""

    def __init__(self, seed: int, negotiations: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- a workload is to be repeated, not to be secret
        self._chronicles = [
            Chronicle(name, _PAIRS[n % len(_PAIRS)], self._random.random) for n, name in enumerate(names(negotiations))
        ]
        self._shares = _cumulated_shares(negotiations)
        self._begun: set[int] = set()
        self._waiting: list[tuple[int, int, Document]] = []  # due at which event, in which order
        self._count = 0
        self._queued = 0

    def next_document(self) -> Document:
        """Return the next event as JSON."""
        while not self._waiting or self._waiting[0][0] > self._count:
            self._act()
        _, _, document = heappop(self._waiting)
        now = instant_text(self._now())
        document["first_recorded_at"] = now
        source = document.get("source")
        if source is not None:
            source["published"] = {"at": now}
        self._count += 1
        return document

    def _now(self) -> datetime:
        return _BEGINS_AT + self._count * _STEP

    def _act(self) -> None:
        """Let one act happen somewhere, and queue what is reported of it."""
        place = min(bisect(self._shares, self._random.random()), len(self._shares) - 1)
        chronicle = self._chronicles[place]
        if place not in self._begun:
            self._begun.add(place)
            for definition in chronicle.definitions():
                self._queue(definition, 0)
        act = next_act(chronicle, self._now())
        self._queue(act.issued(), 0)
        self._told(act.witnessed())
        contradicts = self._random.random() < _CONTRADICTED_SHARE
        self._told(act.contradicted() if contradicts else act.confirmed())

    def _told(self, report: Document) -> None:
        """Queue a report, and now and then how its source corrects it."""
        self._queue(report, self._delay())
        if self._random.random() < _CORRECTED_SHARE * 1.5:  # of three reports of an act two may be corrected
            retracts = self._random.random() < _RETRACTED_SHARE
            self._queue(retraction(report) if retracts else replacement(report), _DELAY_EVENTS_MAX + self._delay())

    def _delay(self) -> int:
        return 1 + int(self._random.random() ** 3 * _DELAY_EVENTS_MAX)

    def _queue(self, document: Document, delay: int) -> None:
        self._queued += 1
        heappush(self._waiting, (self._count + delay, self._queued, document))


def _cumulated_shares(negotiations: int) -> list[float]:
    weights = [1 / rank for rank in range(2, negotiations + 1)]
    scale = (1 - _HOT_SHARE) / (sum(weights) or 1)
    return list(accumulate((_HOT_SHARE, *(weight * scale for weight in weights))))


def _headers(document: Document) -> list[tuple[str, bytes]]:
    """Write the headers as `schemas.cloudevents` does, without reading the event for it."""
    kind = document["type"]
    if kind == "metric_defined":
        source = "parley/definitions"
        name = digest("metric", document["negotiation"], document["metric"], "1")
    else:
        source = document["source"]["name"]
        name = report_id(document)
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", name.encode()),
        ("ce_source", source.encode()),
        ("ce_type", f"parley.{kind}.v1".encode()),
        ("content-type", CONTENT_TYPE),
    ]
