"""A ledger that grows while workers are hurt, and what each partition of it has to bring about."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any, Final

import orjson

from ledger.history import Negotiation
from schemas.codec import Undecodable, decode, encode
from schemas.encoding import canonical_json
from schemas.events import ClockStruck, ReplayOpened
from streams.bench.workload import records
from streams.engine import Record
from streams.producing import Append
from streams.projection import recorded
from tests.faults.events import Draft
from tests.faults.poison import Poisoner
from tests.faults.reference import Expected, Reference
from tests.first_light.running import PARTITIONS

POISON: Final = "poison"
_STORY: Final = "story"
_NEGOTIATIONS: Final = 200
_EVENTS_MAX: Final = 200_000
_STRIKE_EVERY: Final = 10
_POISON_EVERY: Final = 150
_STRAY_EVERY: Final = 400
_BEGINS_AT: Final = datetime(2025, 1, 1, tzinfo=UTC)
_STEP: Final = timedelta(minutes=5)
"""The clock goes faster than the reports are dated: in a short run many deadlines are warned of."""


class Feed:
    """Writes the workload of `parley bench` as a replay, with strikes that make alerts, and poison between.

    Poison is bytes that are no event, and good events on a partition that is not theirs; POISON is its author.
    """

    def __init__(self, seed: int) -> None:
        self._numbers = count()
        self._poisoner = Poisoner(POISON, seed, PARTITIONS)
        self._drafts = self._all(seed)

    def draft(self, _now_ms: int) -> Draft:
        """Write the next record."""
        return next(self._drafts)

    def _all(self, seed: int) -> Iterator[Draft]:
        told = records(seed, _EVENTS_MAX, _NEGOTIATIONS, PARTITIONS)
        opened: set[bytes] = set()
        for number, report in enumerate(told, start=1):
            if report.key not in opened:
                opened.add(report.key)
                yield self._drafted(_STORY, report._replace(value=_opening(report.key.decode())))
            if number % _STRAY_EVERY == 0:
                yield self._drafted(POISON, report._replace(partition=(report.partition + 1) % PARTITIONS))
            yield self._drafted(_STORY, report)
            if number % _STRIKE_EVERY == 0:
                yield self._drafted(_STORY, report._replace(value=_strike(report.key.decode(), number)))
            if number % _POISON_EVERY == 0:
                yield self._poisoner.draft(0)

    def _drafted(self, author: str, record: Append) -> Draft:
        return Draft(author, next(self._numbers), record.key, record.value, record.partition)


def _opening(negotiation: str) -> bytes:
    through = date(_BEGINS_AT.year, 12, 31)
    return encode(
        ReplayOpened(negotiation=negotiation, begins_at=_BEGINS_AT, file_sha256="0" * 64, data_through=through)
    )


def _strike(negotiation: str, number: int) -> bytes:
    return encode(ClockStruck(negotiation=negotiation, at=_BEGINS_AT + number * _STEP, mode="replay"))


def brought_about(ledger: Sequence[Record], poison: Collection[int]) -> Reference:
    """Fold a partition from its beginning in this process; it is known at which offsets it was poisoned."""
    found = Reference()
    folds: dict[str, Negotiation] = {}
    for record in ledger:
        if record.offset in poison:
            found.dead_letters.append(Expected(f"{record.partition}:{record.offset}", record.key, record.value))
            continue
        event, key = decode(record.value), record.key or b""
        assert not isinstance(event, Undecodable), (record.offset, event)
        outcome = folds.setdefault(event.negotiation, Negotiation(event.negotiation)).evolve(recorded(record, event))
        found.changes += [Expected(change["id"], key, canonical_json(change)) for change in outcome.changes]
        found.alerts += [Expected(alert["id"], key, canonical_json(alert)) for alert in outcome.alerts]
        for (table, entity), row in outcome.rows.items():
            value = canonical_json(row) if row is not None else None
            found.rows[table, b"%b/%b" % (key, entity.encode())].append(value)
    return found


def named(kind: str, records: Sequence[Record]) -> list[tuple[str, Record]]:
    """Return records of an output topic, each with the name that it has in what was expected."""
    return [(_position_of(one) if kind == "dead-letters" else _id_of(one), one) for one in records]


def _position_of(record: Record) -> str:
    return dict(record.headers)["parley_position"].decode()


def _id_of(record: Record) -> str:
    document: dict[str, Any] = orjson.loads(record.value or b"{}")
    return str(document["id"])
