"""The clock of one ledger partition: it folds the ledger as every reader does, and strikes when the state asks for it.

It decides nothing. A strike is an event like others, `id` = (negotiation, at): two clocks, or a clock that was killed
and started again, change nothing; what a strike brings about is the fold's to say. The fold also says whether a strike
came too early by the broker's clock; then it is struck again when its time has come.

What it has folded can be kept on the local disk like the state of a worker, and is as little the truth.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import orjson

from ledger.history import LEADS
from ledger.micros import from_micros, micros
from schemas.encoding import plain_json
from schemas.events import ClockStruck
from streams.broker_time import BrokerTime
from streams.engine import Record
from streams.projection import LedgerProjection

if TYPE_CHECKING:
    from streams.engine import Store

STRIKES_MAX: Final = 1_000
"""Most strikes that are under way at once in a partition."""
TRUSTED_WITHIN: Final = timedelta(minutes=1)
"""How long after a strike came back the estimate of the broker's clock is trusted with many strikes at once."""
STAMP_RESOLUTION: Final = timedelta(milliseconds=1)
FIRST_PAUSE: Final = timedelta(seconds=1)
LAYOUT: Final = "1"
"""What is kept beside the fold, and how; to be raised when that changes."""
_STALE_MAX: Final = 64
# no negotiation has a name that is empty, so no key of the fold begins so
_ASKED: Final = b"\0asked\0"
_BESIDE: Final = b"\0beside"


@dataclass(slots=True)
class _Asked:
    """An instant that a negotiation asks for, when it is to be struck, and how often it was."""

    at: datetime
    strike_at: datetime
    tries: int = 0
    under_way: bool = False


@dataclass(slots=True)
class WakeQueue:
    """What the negotiations of a partition ask for next, soonest first: one instant each."""

    asked: dict[str, _Asked] = field(default_factory=dict)
    heap: list[tuple[datetime, str]] = field(default_factory=list)

    def ask(self, negotiation: str, at: datetime | None) -> None:
        """Take in what a negotiation asks for now; None for nothing. The same again changes nothing."""
        before = self.asked.get(negotiation)
        if at is None:
            self.asked.pop(negotiation, None)
        elif before is None or before.at != at:
            self._put(negotiation, _Asked(at, at))

    def due(self, by: datetime, most: int) -> list[tuple[str, datetime]]:
        """Return at most so many of those due, soonest first; each is under way from now on."""
        found: list[tuple[str, datetime]] = []
        while self.heap and self.heap[0][0] <= by and len(found) < most:
            strike_at, negotiation = heapq.heappop(self.heap)
            one = self.asked.get(negotiation)
            if one is not None and one.strike_at == strike_at and not one.under_way:
                one.under_way = True
                one.tries += 1
                found.append((negotiation, one.at))
        return found

    def came_back(self, negotiation: str, at: datetime, now: datetime) -> bool:
        """Take in that a strike has been folded; tell whether the state asks for it still, so that it failed.

        It is struck again when its time has come, after a pause that doubles each time: a ledger that refuses a strike
        for a reason unknown here must not be filled with them.
        """
        one = self.asked.get(negotiation)
        if one is None or one.at != at:
            return False
        pause = FIRST_PAUSE * 2 ** min(one.tries - 1, 30)
        self._put(negotiation, _Asked(at, max(at, now + pause), one.tries))
        return True

    def soonest(self) -> tuple[str, datetime] | None:
        """Return who asks for the earliest instant, and for which."""
        return min(((name, one.at) for name, one in self.asked.items()), key=lambda pair: pair[1], default=None)

    def _put(self, negotiation: str, one: _Asked) -> None:
        self.asked[negotiation] = one
        heapq.heappush(self.heap, (one.strike_at, negotiation))
        if len(self.heap) > 2 * len(self.asked) + _STALE_MAX:
            self.heap = [(one.strike_at, name) for name, one in self.asked.items() if not one.under_way]
            heapq.heapify(self.heap)


@dataclass(frozen=True, slots=True)
class Sent:
    """A strike on the ledger that has not been read back yet, and when it was sent, by the time since the start."""

    strike: ClockStruck
    sent_at: timedelta


@dataclass(frozen=True, slots=True)
class Refused:
    """A strike that the fold did not take: by the broker's clock it came too early by this much."""

    strike: ClockStruck
    early_by: timedelta


class PartitionClock:
    """Folds one partition of the ledger and says what to strike when; never on a ledger that a replay opened.

    Until a strike of its own has come back lately, with the broker's stamp on it, only one is under way at a time: a
    machine whose clock is wrong learns it from one strike, not from a thousand.
    """

    def __init__(
        self, *, prefix: str, partitions: int, leads: tuple[str, ...] = LEADS, time: BrokerTime | None = None
    ) -> None:
        self.aside: frozenset[int] = frozenset()
        """Offsets of the records that a person has set aside: they are not folded, as the worker does not."""
        self.time = time or BrokerTime()
        self.wakes = WakeQueue()
        self.next_offset = 0
        self._latest = 0
        self._fold = LedgerProjection(prefix=prefix, partitions=partitions, leads=leads)
        self.layout = f"{self._fold.layout}/{LAYOUT}"
        self._sent: dict[int, Sent] = {}
        self._touched: dict[str, None] = {}
        self._trusted_until = timedelta(0)

    def attach(self, store: "Store") -> None:
        """Go on from what was kept in a store; called once, before anything is read."""
        self._fold.attach(store)
        self.next_offset = store.folded + 1
        for key, asked in store.get_all(store.keys(_ASKED)).items():
            self.wakes.ask(key.removeprefix(_ASKED).decode(), from_micros(orjson.loads(asked)))
        beside = store.get(_BESIDE)
        if beside is not None:
            aside, self._latest = orjson.loads(beside)
            self.aside = frozenset(aside)
            self.time.no_earlier_than(_instant(self._latest))

    def draw(self) -> Iterator[None]:
        """Make bytes of what has changed, ahead of `changed`, a part with each step."""
        return self._fold.draw()

    def changed(self) -> Mapping[bytes, bytes | None]:
        """Return what is to be kept since the last call, None for what is to be removed."""
        found = dict(self._fold.changed())
        for name in self._touched:
            asked = self.wakes.asked.get(name)
            found[_ASKED + name.encode()] = None if asked is None else plain_json(micros(asked.at))
        self._touched.clear()
        left_out = sorted(offset for offset in self.aside if offset < self.next_offset)
        found[_BESIDE] = plain_json([left_out, self._latest])
        return found

    def read(self, records: Sequence[Record]) -> list[Refused]:
        """Fold the next records of the partition; return which of the strikes among them were refused."""
        read_at = self.time.since_start()
        # of these only: an older stamp that is higher is of a broker's clock that was set back since
        self._latest = max(record.timestamp for record in records)
        self.time.no_earlier_than(_instant(self._latest))
        self._fold.fold([record for record in records if record.offset not in self.aside])
        self.next_offset = records[-1].offset + 1
        self._ask({record.key.decode(errors="replace") for record in records if record.key is not None})
        own = [(record, sent) for record in records if (sent := self._sent.pop(record.offset, None)) is not None]
        for record, sent in own:
            self.time.no_later_than(_stamp(record) + STAMP_RESOLUTION + (read_at - sent.sent_at))
            self._trusted_until = read_at + TRUSTED_WITHIN
        now = self.time.now()
        return [
            Refused(sent.strike, sent.strike.at - _stamp(record))
            for record, sent in own
            if self.wakes.came_back(sent.strike.negotiation, sent.strike.at, now)
        ]

    def strikes(self) -> list[ClockStruck]:
        """Return what is to be struck now, soonest first; `sent` has to be told where they stand."""
        room = STRIKES_MAX if self.time.since_start() < self._trusted_until else 1
        due = self.wakes.due(self.time.now(), room - len(self._sent))
        return [ClockStruck(negotiation=name, at=at, mode="live") for name, at in due]

    def sent(self, strike: ClockStruck, offset: int, sent_at: timedelta) -> None:
        """Take in where a strike stands on the ledger, and when it was sent by the time since the start."""
        self._sent[offset] = Sent(strike, sent_at)

    def _ask(self, touched: set[str]) -> None:
        for name in touched:
            negotiation = self._fold.negotiation(name)
            if negotiation is not None:
                self.wakes.ask(name, negotiation.next_wake if negotiation.replay is None else None)
                self._touched[name] = None


def _stamp(record: Record) -> datetime:
    return _instant(record.timestamp)


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
