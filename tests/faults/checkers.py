"""Plain checkers over a history and what the topics hold: what is lost, doubled, stale, invented, out of order."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from streams.engine import Record
from tests.faults.history import Operation, written
from tests.faults.reference import Expected, Reference

Wrong = Literal["lost", "doubled", "stale", "invented", "out of order"]
WRONGS: tuple[Wrong, ...] = ("lost", "doubled", "stale", "invented", "out of order")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be."""

    wrong: Wrong
    where: str
    what: str

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.wrong}: {self.where}: {self.what}"


def check_ledger(operations: Iterable[Operation], ledger: Mapping[int, Sequence[Record]]) -> Iterator[Finding]:
    """Acknowledged records are where they were said to be, refused ones nowhere, nobody else wrote, all in order."""
    appends = [operation for operation in operations if operation["op"] == "append"]
    attempted = {(one["partition"], one["value"]) for one in appends if one["outcome"] != "refused"}
    refused = {one["value"] for one in appends if one["outcome"] == "refused"}
    yield from _lost(appends, ledger)
    for partition, records in ledger.items():
        for expected, record in enumerate(records):
            if record.offset != expected:
                yield Finding("lost", f"ledger/{partition}", f"expected offset {expected}, got {record.offset}")
                return
            value = written(record.value)
            if value in refused:
                yield Finding("invented", f"ledger/{partition}@{record.offset}", f"{value!r} was refused")
            elif (partition, value) not in attempted:
                yield Finding("invented", f"ledger/{partition}@{record.offset}", f"nobody sent {value!r}")
    yield from _order_of_authors(appends, ledger)


def _lost(appends: Sequence[Operation], ledger: Mapping[int, Sequence[Record]]) -> Iterator[Finding]:
    """Look for what was acknowledged at its offset, and for what landed anywhere in its partition."""
    values = {partition: {written(record.value) for record in records} for partition, records in ledger.items()}
    for one in appends:
        partition, name = one["partition"], f"{one['author']}-{one['number']}"
        if one["outcome"] == "landed" and one["value"] not in values[partition]:
            yield Finding("lost", f"ledger/{partition}", f"{name} was acknowledged")
        if one["outcome"] != "acked":
            continue
        records, offset = ledger[partition], one["offset"]
        there = records[offset] if offset < len(records) else None
        if there is None or written(there.value) != one["value"] or written(there.key) != one["key"]:
            yield Finding("lost", f"ledger/{partition}@{offset}", f"{name} was acknowledged there")


def _order_of_authors(appends: Sequence[Operation], ledger: Mapping[int, Sequence[Record]]) -> Iterator[Finding]:
    """Compare first appearances: after an unknown outcome an event is appended again, and repeats are recognised."""
    sent: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for one in appends:
        sent[one["value"]].add((one["author"], one["number"]))
    for partition, records in ledger.items():
        last: dict[tuple[str, bytes | None], int] = {}
        came: set[str] = set()
        for record in records:
            value = written(record.value)
            if value in came or len(sent[value]) != 1:  # some poison is alike
                continue
            came.add(value)
            ((author, number),) = sent[value]
            if number < last.get((author, record.key), -1):
                yield Finding("out of order", f"ledger/{partition}@{record.offset}", f"{author}-{number} came late")
            last[author, record.key] = number


def check_outputs(topic: str, expected: Sequence[Expected], found: Sequence[tuple[str, Record]]) -> Iterator[Finding]:
    """Every expected record is there once, with its content, in the order of its key, and nothing else is."""
    contents = {one.id: (one.key, one.value) for one in expected}
    for one, count in Counter(name for name, _ in found).items():
        if one not in contents:
            yield Finding("invented", topic, one)
        elif count > 1:
            yield Finding("doubled", topic, f"{one} is there {count} times")
    there: dict[str, Record] = {}
    for name, record in found:
        there.setdefault(name, record)
        if name in contents and (record.key, record.value) != contents[name]:
            yield Finding("stale", f"{topic}@{record.offset}", f"expected {contents[name]}, found {record.value!r}")
    for wanted in expected:
        if wanted.id not in there:
            yield Finding("lost", topic, f"{wanted.id}: {wanted.value!r}")
    yield from _order_of_outputs(topic, [one for one in expected if one.id in there], list(there))


def _order_of_outputs(topic: str, expected: Sequence[Expected], found: Sequence[str]) -> Iterator[Finding]:
    """Compare the order per key of what is both expected and there."""
    keys = {one.id: one.key for one in expected}
    should: dict[bytes | None, list[str]] = defaultdict(list)
    does: dict[bytes | None, list[str]] = defaultdict(list)
    for one in expected:
        should[one.key].append(one.id)
    for name in found:
        if name in keys:
            does[keys[name]].append(name)
    for key, names in should.items():
        for wanted, came in zip(names, does[key], strict=True):
            if wanted != came:
                yield Finding("out of order", topic, f"{written(key)}: expected {wanted}, found {came}")
                break


def check_rows(
    topic: str, expected: Mapping[bytes, Sequence[bytes | None]], found: Mapping[bytes, bytes]
) -> Iterator[Finding]:
    """Every row has the last value it ever had; `expected` holds all of them in order (None: gone)."""
    for key, values in expected.items():
        value = found.get(key)
        if value == values[-1]:
            continue
        if value is None:
            yield Finding("lost", topic, f"{written(key)}: expected {values[-1]!r}")
        elif value in values:
            yield Finding("stale", topic, f"{written(key)}: expected {values[-1]!r}, found {value!r}")
        else:
            yield Finding("invented", topic, f"{written(key)}: expected {values[-1]!r}, found {value!r}")
    for key in found.keys() - expected.keys():
        yield Finding("invented", topic, f"{written(key)}: {found[key]!r}")


def check_covered(ledger: Mapping[int, Sequence[Record]], cuts: Mapping[int, int]) -> Iterator[Finding]:
    """No cut covers an offset at which the ledger has no record."""
    for partition, records in ledger.items():
        offsets = {record.offset for record in records}
        gone = [offset for offset in range(cuts[partition] + 1) if offset not in offsets]
        if gone:
            yield Finding("lost", f"ledger/{partition}", f"offset {gone[0]} is not there, and a cut covers it")


def check_cut(
    partition: int, end: int, reference: Reference, cut: tuple[int, Mapping[str, int]] | None, prefix: str
) -> Iterator[Finding]:
    """See that the last cut covers the ledger up to its end, and counts what was appended by then."""
    if end == 0 and cut is None:
        return
    offset, counts = cut if cut is not None else (-1, {})
    where = f"cut/{partition}"
    if offset < end - 1:
        yield Finding("lost", where, f"expected {end - 1}, found {offset}")
    elif offset > end - 1:
        yield Finding("invented", where, f"expected {end - 1}, found {offset}")
    wanted = {
        f"{prefix}.changes": len(reference.changes),
        f"{prefix}.alerts": len(reference.alerts),
        f"{prefix}.dead-letters": len(reference.dead_letters),
    }
    if {name: count for name, count in wanted.items() if count} != dict(counts):
        yield Finding("stale", where, f"expected the counts {wanted}, found {dict(counts)}")
