"""Two sets of outputs of one ledger held against each other, while the workers of both go on.

Both are compared up to the cut of the one that is less far. Everything appended says which position of the ledger
brought it about, so what lies behind that cut is left out. A row that a change behind it names is left out too: it is
in motion.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from streams.doors.dead_letters.ledgers import ledger_id
from streams.doors.fsck.checking import nothing_written, refuse_another_ledger
from streams.doors.fsck.differences import shown
from streams.doors.fsck.rows import TABLE_NAMES, FoundRows, TableKey
from streams.doors.kafka import find_cuts
from streams.doors.waiting import until_decided
from streams.engine import Cut
from streams.reading import KafkaRecord, end_positions, read_to_end
from streams.topics import ALERTS, CHANGES, CUTS, DEAD_LETTERS, EVENTS, TABLES, Topic

_LOGS: Final = (CHANGES, ALERTS, DEAD_LETTERS)
Grouped = AsyncIterator[tuple[int, list[KafkaRecord]]]
Sides = tuple[list[KafkaRecord], list[KafkaRecord]]
_PLACE: Final = re.compile(r"[0-9]{1,4}:([0-9]{1,18})")


@dataclass(slots=True)
class Tally:
    """How one topic of both sets compares: the same, differing, only here, only there; and the first that is not."""

    same: int = 0
    differ: int = 0
    only_here: int = 0
    only_there: int = 0
    first: dict[str, Any] | None = None

    def take(self, partition: int, place: str, here: bytes | None, there: bytes | None, *, same: bool) -> None:
        """Count a record by what both sets have of it."""
        if same:
            self.same += 1
            return
        self.differ += here is not None and there is not None
        self.only_here += there is None
        self.only_there += here is None
        if self.first is None:
            self.first = {"partition": partition, "place": place, "here": shown(here), "there": shown(there)}

    @property
    def equal(self) -> bool:
        """Whether there is no difference."""
        return self.first is None


@dataclass(slots=True)
class Compared:
    """What was compared: up to which offset in each partition, each topic's tally, and how many rows were in motion."""

    cuts: dict[int, tuple[Cut | None, Cut | None]]
    tallies: dict[str, Tally] = field(default_factory=lambda: {one.suffix: Tally() for one in (*TABLES, *_LOGS)})
    in_motion: int = 0

    def up_to(self, partition: int) -> int:
        """Return the offset up to which both sets are complete; -1 if one has nothing."""
        return min(cut.offset if cut is not None else -1 for cut in self.cuts[partition])

    @property
    def equal(self) -> bool:
        """Whether both sets say the same."""
        return all(tally.equal for tally in self.tallies.values())


async def compare(
    bootstrap: str,
    here: str,
    there: str,
    *,
    begin: Callable[[int], None] = lambda _: None,
    progress: Callable[[int], None] = lambda _: None,
) -> Compared:
    """Compare two sets of outputs, named by prefix and set; TopicMissing if one is not there.

    `begin` is told for how many events both sets are complete, `progress` for how many more what they brought about was
    compared. NotComparable if nobody has written to one of the sets yet, or for another ledger than the one that is
    there.
    """
    ends = await end_positions(bootstrap, EVENTS.name(here))
    cuts = await find_cuts(bootstrap, here), await find_cuts(bootstrap, there)
    topic_id = await ledger_id(bootstrap, here)
    for prefix, found in zip((here, there), cuts, strict=True):
        for cut in found.values():
            refuse_another_ledger(cut, CUTS.name(prefix), topic_id)
    for prefix, found in zip((here, there), cuts, strict=True):
        if any(ends.values()) and not found:
            raise nothing_written(prefix)
    compared = Compared({one: (cuts[0].get(one), cuts[1].get(one)) for one in sorted(ends)})
    begin(sum(compared.up_to(partition) + 1 for partition in compared.cuts))
    for partition in compared.cuts:
        await _Pair(bootstrap, (here, there), partition, compared, progress).compare()
    return compared


class _Pair:
    """One ledger partition of both sets."""

    def __init__(
        self, bootstrap: str, sets: tuple[str, str], partition: int, compared: Compared, progress: Callable[[int], None]
    ) -> None:
        self._bootstrap = bootstrap
        self._sets = sets
        self._partition = partition
        self._compared = compared
        self._last = compared.up_to(partition)
        self._passed = -1
        self._progress = progress

    async def compare(self) -> None:
        """Read the rows first: the changes that name those in motion are there by then.

        Changes come last: they are by far the most, so how far they are compared is how far the whole is.
        """
        rows = await asyncio.gather(*(self._rows(one) for one in self._sets))
        moving: set[TableKey] = set()
        for topic in reversed(_LOGS):
            async with aclosing(self._groups(topic)) as groups:
                async for offset, group in groups:
                    if offset <= self._last:
                        self._take(topic, group)
                    elif topic is CHANGES:
                        moving |= {key for side in group for record in side if (key := _row_of(record)) is not None}
                    if topic is CHANGES:
                        self._pass(offset)
        self._pass(self._last)
        self._compared.in_motion += len(moving)
        for key in sorted({*rows[0].rows, *rows[1].rows} - moving):
            here_row, there_row = rows[0].rows.get(key), rows[1].rows.get(key)
            tally = self._compared.tallies[TABLE_NAMES[key[0]].suffix]
            place = key[1].decode("utf-8", "backslashreplace")
            tally.take(self._partition, place, here_row, there_row, same=here_row == there_row)

    async def _groups(self, topic: Topic) -> AsyncGenerator[tuple[int, Sides], None]:
        """Give what both sets have of a topic, by the position of the ledger that brought it about."""
        ends = [await self._decided([topic], one) for one in self._sets]
        here, there = (
            self._read(topic.name(one), end[topic.name(one)]) for one, end in zip(self._sets, ends, strict=True)
        )
        async with (
            aclosing(here),
            aclosing(there),
            aclosing(_merged(_by_offset(here), _by_offset(there))) as merged,
        ):
            async for one in merged:
                yield one

    def _pass(self, offset: int) -> None:
        """Tell how many more events lie behind, of those that count; also where what is read is not in order."""
        more = min(offset, self._last) - self._passed
        if more > 0:
            self._passed += more
            self._progress(more)

    async def _rows(self, prefix: str) -> FoundRows:
        found = FoundRows(self._bootstrap, prefix, self._partition)
        await found.read_up_to(await self._decided(TABLES, prefix))
        return found

    async def _decided(self, topics: Iterable[Topic], prefix: str) -> dict[str, int]:
        """Return where topics end now, once everything before that is committed or aborted."""
        ends = {}
        for topic in topics:
            name = topic.name(prefix)
            ends[name] = (await end_positions(self._bootstrap, name, [self._partition]))[self._partition]
            await until_decided(self._bootstrap, name, {self._partition: ends[name]})
        return ends

    async def _read(self, topic: str, end: int) -> AsyncGenerator[KafkaRecord, None]:
        batches = read_to_end(
            self._bootstrap,
            topic,
            partitions=[self._partition],
            isolation="read_committed",
            ends={self._partition: end},
        )
        async with aclosing(batches):
            async for records in batches:
                for record in records:
                    yield record

    def _take(self, topic: Topic, group: Sides) -> None:
        """Compare what one position of the ledger brought about: by id, whatever their order."""
        here, there = (_named(side) for side in group)
        tally = self._compared.tallies[topic.suffix]
        for name in dict.fromkeys((*here, *there)):
            one, other = here.get(name), there.get(name)
            same = one is not None and other is not None and _content(one) == _content(other)
            tally.take(self._partition, name, _value(one), _value(other), same=same)


async def _by_offset(records: AsyncIterator[KafkaRecord]) -> Grouped:
    """Give records by the position of the ledger that brought them about."""
    at, group = -1, list[KafkaRecord]()
    async for record in records:
        offset = _offset(record, at)
        if offset != at and group:
            yield at, group
            group = []
        at = offset
        group.append(record)
    if group:
        yield at, group


async def _merged(here: Grouped, there: Grouped) -> AsyncGenerator[tuple[int, Sides], None]:
    one, other = await anext(here, None), await anext(there, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None  # noqa: S101 -- one of the two is there
            yield one[0], (one[1], [])
            one = await anext(here, None)
        elif one is None or other[0] < one[0]:
            yield other[0], ([], other[1])
            other = await anext(there, None)
        else:
            yield one[0], (one[1], other[1])
            one, other = await anext(here, None), await anext(there, None)


def _document(record: KafkaRecord) -> dict[str, Any]:
    """Read a change or an alert; what is neither (a dead letter, or what somebody else wrote) has no fields."""
    try:
        document = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError:
        return {}
    match document:
        case {"sequence": [int(), int(), int()], "deadline": str()}:
            return dict(document)
        case {"sequence": [int(), int(), int()], "table": str(), "key": str()}:
            return dict(document)
        case _:
            return {}


def _position(record: KafkaRecord) -> str | None:
    found = [value for name, value in record.headers if name == "parley_position"]
    return (found[-1] or b"").decode("ascii", "replace") if found else None


def _offset(record: KafkaRecord, before: int) -> int:
    position = _PLACE.fullmatch(_position(record) or "")
    if position is not None:
        return int(position[1])
    document = _document(record)
    return int(document["sequence"][1]) if document else before


def _id(record: KafkaRecord) -> str:
    return _position(record) or str(_document(record).get("id") or f"record {record.offset}")


def _named(records: Iterable[KafkaRecord]) -> dict[str, KafkaRecord]:
    found: dict[str, KafkaRecord] = {}
    for record in records:
        name = _id(record)
        found[name if name not in found else f"{name} again, at {record.offset}"] = record
    return found


def _content(record: KafkaRecord) -> object:
    """Return what must be the same; the place among the changes of one event may differ."""
    document = _document(record) if _position(record) is None else {}
    if document:
        return {**document, "sequence": None}
    return record.key, record.value, tuple(record.headers)


def _value(record: KafkaRecord | None) -> bytes | None:
    return None if record is None else record.value or b"null"


def _row_of(record: KafkaRecord) -> TableKey | None:
    document = _document(record)
    return (document["table"], document["key"].encode()) if document.get("kind") == "row" else None
