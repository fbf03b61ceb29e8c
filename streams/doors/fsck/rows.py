"""Rows as they stand on their topics, held against those of a fold, while both move on."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from streams.doors.fsck.differences import Difference
from streams.reading import read_to_end
from streams.topics import TABLES

TableKey = tuple[str, bytes]
TABLE_NAMES = {topic.kind: topic for topic in TABLES}


@dataclass(slots=True)
class FoundRows:
    """The rows of one partition of all tables, up to where they have been read."""

    bootstrap: str
    prefix: str
    partition: int
    rows: dict[TableKey, bytes] = field(default_factory=dict)
    _positions: dict[str, int] = field(default_factory=dict)

    async def read_up_to(self, ends: Mapping[str, int]) -> set[TableKey]:
        """Read on to these offsets, by topic; return the rows that were written meanwhile."""
        written: set[TableKey] = set()
        for name, topic in TABLE_NAMES.items():
            full = topic.name(self.prefix)
            begin, end = self._positions.get(full, 0), ends[full]
            if end <= begin:
                continue
            async for records in read_to_end(
                self.bootstrap,
                full,
                partitions=[self.partition],
                isolation="read_committed",
                start={self.partition: begin} if begin else None,
                ends={self.partition: end},
            ):
                for record in records:
                    key = (name, record.key or b"")
                    written.add(key)
                    if record.value is None:
                        self.rows.pop(key, None)
                    else:
                        self.rows[key] = record.value
            self._positions[full] = end
        return written


@dataclass(slots=True)
class ExpectedRows:
    """The rows of a fold, with every value that they took since `forget_moves`. Equal rows are held once."""

    found: FoundRows
    rows: dict[TableKey, bytes] = field(default_factory=dict)
    moved: dict[TableKey, list[bytes | None]] = field(default_factory=dict)
    watching: bool = False

    def write(self, table: str, key: bytes, value: bytes | None) -> None:
        """Take in what the fold makes of a row."""
        where = (table, key)
        if self.watching:
            self.moved.setdefault(where, [self.rows.get(where)]).append(value)
        if value is None:
            self.rows.pop(where, None)
            return
        stands = self.found.rows.get(where)
        self.rows[where] = stands if stands == value else value  # then one of the two can go

    def forget_moves(self) -> None:
        """Begin to note which rows move."""
        self.moved = {}
        self.watching = True

    def differing(self, keys: Iterable[TableKey]) -> Iterator[Difference]:
        """Compare rows that stood still."""
        for key in keys:
            expected, found = self.rows.get(key), self.found.rows.get(key)
            if expected != found:
                yield self._difference(key, expected, found)

    def strayed(self) -> Iterator[Difference]:
        """Compare rows that moved while they were read: each must be one of the values that it took meanwhile."""
        for key, values in sorted(self.moved.items()):
            if (found := self.found.rows.get(key)) not in values:
                yield self._difference(key, self.rows.get(key), found)

    def _difference(self, key: TableKey, expected: bytes | None, found: bytes | None) -> Difference:
        table, name = key
        topic = TABLE_NAMES[table].name(self.found.prefix)
        return Difference(topic, self.found.partition, name.decode("utf-8", "backslashreplace"), expected, found)
