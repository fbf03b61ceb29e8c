"""One ledger partition checked: what to read, up to where, in which order, so that it is right while a worker commits.

A transaction of the worker is all the outputs of a batch and its cut. So in each round
 1. a cut is known: everything up to it must be there;
 2. then the ends of all output topics are taken, and everything before them is waited for and read;
 3. then the cut is read again: everything that was read belongs to it or to an earlier one;
 4. the ledger is folded up to this cut.
Appended records must be the first ones that the fold brings about, at least as many as the first cut says. A row that
did not move between the two cuts must be that of the fold; those that moved wait for the next round, which is short.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final

from streams.doors.fsck.appended import AppendedRecords, Entry
from streams.doors.fsck.differences import Difference
from streams.doors.fsck.rows import ExpectedRows, FoundRows, TableKey
from streams.doors.kafka import find_cuts
from streams.doors.waiting import until_decided
from streams.engine import Cut, Projection, cut_key, decode_cut, decode_set_aside, is_set_aside
from streams.engine.projection import Headers
from streams.reading import KafkaRecord, end_positions, read_as, read_table, read_to_end
from streams.topics import ALERTS, CHANGES, CUTS, DEAD_LETTERS, EVENTS, TABLES
from streams.topics_on_kafka import topics_found

_ROUNDS_MAX: Final = 8
_CHUNK: Final = 2_000
_APPENDED: Final = (CHANGES, ALERTS, DEAD_LETTERS)


class NotComparable(Exception):  # noqa: N818 -- the state of the outputs
    """The outputs are of another fold version or another ledger, or there are none; the message says what to do."""


@dataclass(slots=True)
class Checked:
    """What was compared of one partition: up to which cut, how many records of each kind, and what differs.

    `events` were on the ledger when the check began. `in_motion` rows were written in each round up to the last one;
    they were held against all values of that round.
    """

    partition: int
    events: int = 0
    cut: int = -1
    rows: int = 0
    in_motion: int = 0
    appended: dict[str, int] = field(default_factory=dict)
    differences: dict[tuple[str, str], Difference] = field(default_factory=dict)

    def note(self, found: Iterable[Difference]) -> None:
        """Note differences, each place once."""
        for one in found:
            self.differences.setdefault((one.topic, one.place), one)


class _Fold:
    """The outputs of the fold, held against what stands on the topics."""

    def __init__(self, rows: ExpectedRows) -> None:
        self.rows = rows
        self.counts: dict[str, int] = {}
        self.appended: dict[str, list[Entry]] = {}

    def append(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = ()) -> None:
        self.counts[topic] = self.counts.get(topic, 0) + 1
        self.appended.setdefault(topic, []).append(Entry(key, value, headers))

    def row(self, table: str, key: bytes, value: bytes | None) -> None:
        self.rows.write(table, key, value)


class PartitionCheck:
    """The check of one ledger partition."""

    def __init__(
        self,
        bootstrap: str,
        prefix: str,
        partition: int,
        *,
        topic_id: str | None,
        projection: Projection,
        progress: Callable[[int], None],
    ) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._ledger = EVENTS.name(prefix)
        self._topic_id = topic_id
        self._partition = partition
        self._projection = projection
        self._progress = progress
        self._found = FoundRows(bootstrap, prefix, partition)
        self._rows = ExpectedRows(self._found)
        self._fold = _Fold(self._rows)
        self._logs = [AppendedRecords(bootstrap, topic.name(prefix), partition) for topic in _APPENDED]
        self._folded = -1
        self._checked = Checked(partition)

    async def run(self) -> Checked:
        """Check until every row was compared while it stood still, or some rounds are over."""
        pending: set[TableKey] | None = None
        before = await self._read_cut()
        try:
            for _ in range(_ROUNDS_MAX):
                written, after = await self._round(before)
                keys = {*self._rows.rows, *self._found.rows} if pending is None else pending | written
                still = (key for key in sorted(keys) if key not in self._rows.moved)
                self._checked.note(self._rows.differing(still))
                pending, before = set(self._rows.moved), after
                if not pending:
                    break
        finally:
            for log in self._logs:
                await log.close()
        self._checked.note(self._rows.strayed())
        self._checked.note(one for log in self._logs if (one := log.difference) is not None)
        self._checked.rows = len(self._rows.rows)
        self._checked.in_motion = len(self._rows.moved)
        self._checked.appended = {log.topic: log.matched for log in self._logs}
        return self._checked

    async def _round(self, before: "_CutFound") -> tuple[set[TableKey], "_CutFound"]:
        """Read, and fold up to the cut of the end; return the rows that were written meanwhile, and that cut."""
        ends = await self._ends()
        await asyncio.gather(
            *(until_decided(self._bootstrap, name, {self._partition: end}) for name, end in ends.items())
        )
        written = await self._found.read_up_to(ends)
        after = await self._read_cut()
        for log in self._logs:
            await log.let_up_to(ends[log.topic])
        await self._fold_up_to(before, due=True)
        self._rows.forget_moves()
        await self._fold_up_to(after, due=False)
        for log in self._logs:
            await log.expect_no_more()
        return written, after

    async def _ends(self) -> dict[str, int]:
        names = [topic.name(self._prefix) for topic in (*TABLES, *_APPENDED)]
        ends = await asyncio.gather(*(end_positions(self._bootstrap, name, [self._partition]) for name in names))
        return {name: end[self._partition] for name, end in zip(names, ends, strict=True)}

    async def _read_cut(self) -> "_CutFound":
        topic = CUTS.name(self._prefix)
        rows = await read_table(self._bootstrap, topic, partitions=[self._partition])
        key = cut_key(self._ledger, self._partition)
        row = rows.get(key)
        if row is None:
            return _CutFound(None, b"", frozenset())
        cut = read_as(decode_cut, topic, key, row)
        if cut.version != self._projection.version:
            raise NotComparable(
                f"the cut of {self._ledger}/{self._partition} on {topic} was written by fold "
                f"version {cut.version!r}, this Parley folds version {self._projection.version!r}: check it with the "
                "version (and the lead times) that wrote it."
            )
        refuse_another_ledger(cut, topic, self._topic_id)
        asides = [read_as(decode_set_aside, topic, key, row) for key, row in rows.items() if is_set_aside(key)]
        offsets = (one.offset for one in asides if one.topic == self._ledger and one.speaks_of(self._topic_id))
        return _CutFound(cut, row.value, frozenset(offsets))

    async def _fold_up_to(self, at: "_CutFound", *, due: bool) -> None:
        """Fold up to a cut and compare what that brings about; then the cut itself with what the fold counts."""
        if at.cut is not None and at.cut.offset > self._folded:
            async with aclosing(await self._records(at.cut.offset)) as every:
                async for records in every:
                    for chunk in _chunks(records, at.aside):
                        await self._project(chunk, at.aside, due=due)
        for log in self._logs:
            await log.expect((), due=due)
        if at.cut is not None:
            self._compare(at.cut, at.value)

    def _compare(self, cut: Cut, value: bytes) -> None:
        expected = replace(
            cut,
            topic_id=self._topic_id,
            offset=self._folded,
            counts=tuple(sorted(self._fold.counts.items())),
        )
        self._checked.cut = self._folded
        if expected.encode() != value:
            name, place = CUTS.name(self._prefix), cut.key.decode("utf-8", "backslashreplace")
            self._checked.note([Difference(name, self._partition, place, expected.encode(), value)])

    async def _records(self, last: int) -> AsyncGenerator[Sequence[KafkaRecord], None]:
        end = (await end_positions(self._bootstrap, self._ledger, [self._partition]))[self._partition]
        return read_to_end(
            self._bootstrap,
            self._ledger,
            partitions=[self._partition],
            start={self._partition: self._folded + 1},
            ends={self._partition: min(last + 1, end)},
            dense=True,
        )

    async def _project(self, chunk: Sequence[KafkaRecord], aside: frozenset[int], *, due: bool) -> None:
        if chunk[0].offset in aside:
            self._projection.set_aside(chunk[0], self._fold)
        else:
            self._projection.project(chunk, self._fold)
        appended, self._fold.appended = self._fold.appended, {}
        for log in self._logs:
            await log.expect(appended.get(log.topic, ()), due=due)
        self._folded = chunk[-1].offset
        self._progress(len(chunk))


@dataclass(frozen=True, slots=True)
class _CutFound:
    """The last committed cut and its bytes, none before a worker wrote one; and the offsets that are set aside."""

    cut: Cut | None
    value: bytes
    aside: frozenset[int]


def _chunks(records: Sequence[KafkaRecord], aside: frozenset[int]) -> Iterator[Sequence[KafkaRecord]]:
    """Give records some at a time, those that are set aside each alone."""
    first = 0
    for last, record in enumerate(records, start=1):
        alone = record.offset in aside
        if alone and last - first > 1:
            yield records[first : last - 1]
            first = last - 1
        if alone or last - first == _CHUNK:
            yield records[first:last]
            first = last
    if first < len(records):
        yield records[first:]


async def check(
    bootstrap: str,
    prefix: str,
    projection: Callable[[int], Projection],
    *,
    begin: Callable[[int], None] = lambda _: None,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Checked]:
    """Check every partition, one after the other: it takes the memory of a worker that holds one.

    `projection` makes the fold of a partition. `begin` is told how many events there are, `progress` how many more were
    folded. NotComparable if another version wrote the outputs, for another ledger, or nobody has written any yet.
    """
    ledger = EVENTS.name(prefix)
    ends = await end_positions(bootstrap, ledger)
    topic_id = next((one.topic_id for one in await topics_found(bootstrap, prefix) if one.name == ledger), None)
    for cut in (await find_cuts(bootstrap, prefix)).values():
        if cut.partition not in ends:
            refuse_another_ledger(cut, CUTS.name(prefix), topic_id)
    begin(sum(ends.values()))
    checked = []
    for one, events in sorted(ends.items()):
        partition = PartitionCheck(
            bootstrap, prefix, one, topic_id=topic_id, projection=projection(one), progress=progress
        )
        checked.append(replace(await partition.run(), events=events))
    if any(ends.values()) and all(one.cut < 0 for one in checked):
        raise nothing_written(prefix)
    return checked


def nothing_written(prefix: str) -> NotComparable:
    """Say that a set of outputs holds nothing although the ledger has events."""
    return NotComparable(
        f"no worker has written to {CUTS.name(prefix)} yet, so there is nothing to compare: start one for these "
        "outputs, and wait until `parley status` says how far it is."
    )


def refuse_another_ledger(cut: Cut, topic: str, topic_id: str | None) -> None:
    """Raise NotComparable for a cut that does not speak of the ledger with this topic id."""
    if not cut.speaks_of(topic_id):
        raise NotComparable(
            f"the cut of {cut.topic}/{cut.partition} on {topic} speaks of the ledger with topic id {cut.topic_id}, and "
            f"this one has {topic_id}: it was deleted and made anew since. Restore it; or, if it was meant, let a "
            "worker begin anew with `parley worker --outputs NAME`, or delete the derived topics."
        )
