"""Records that wait for their turn, and the records that a projection is at."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import overload

from streams.engine.projection import Record

_FIRST_SLICE = 50


class Taken(Sequence[Record]):
    """Records on their way through a projection that takes them one after the other: it knows which one that is at.

    aside: the records are set aside, and not to be folded
    at: the record that is being looked at; None before the first and after the last
    """

    def __init__(self, records: list[Record], *, aside: bool = False) -> None:
        self._records = records
        self.aside = aside
        self.at: Record | None = None

    def __iter__(self) -> Iterator[Record]:
        """Give the records in order."""
        for record in self._records:
            self.at = record
            yield record
        self.at = None

    def __len__(self) -> int:
        """Return how many they are."""
        return len(self._records)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        """Return one of them, or some."""
        return self._records[index]


class Fetches:
    """What was fetched of a partition and is not folded yet.

    last: offset of the last record. Bytes count until the fetch that brought them is folded to its end.
    """

    def __init__(self, start: int) -> None:
        self.last = start - 1
        self._bytes = 0
        self._each: deque[tuple[int, int]] = deque()

    def add(self, last: int, size: int) -> None:
        """Take note of one more, with records up to `last`."""
        self.last = last
        self._bytes += size
        self._each.append((last, size))

    def waiting(self, folded: int) -> tuple[int, int]:
        """Return how many records and bytes wait while those up to `folded` are folded."""
        while self._each and self._each[0][0] <= folded:
            self._bytes -= self._each.popleft()[1]
        return self.last - folded, self._bytes


class Pace:
    """How many records make a slice: as many as the last ones let expect to take `within` seconds, at most `most`."""

    def __init__(self, most: int, within: float) -> None:
        self._most = most
        self._within = within
        self.size = min(most, _FIRST_SLICE)

    def took(self, records: int, seconds: float) -> None:
        """Learn from a slice how long records take; a slice is at most twice as large as the one before."""
        fitting = int(self._within * records / seconds) if seconds > 0 else self._most
        self.size = max(1, min(fitting, 2 * self.size, self._most))


class Waiting:
    """The records that arrived and are not folded yet, in order and without holes; taken in slices."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._arrived: deque[Sequence[Record]] = deque()

    def add(self, records: Sequence[Record]) -> None:
        """Take records that follow the last ones."""
        self._arrived.append(records)

    def take(self, count: int, aside: Sequence[int]) -> Iterator[Taken]:
        """Give the next `count` records in slices that do not hold up others for long, and those set aside alone."""
        records: list[Record] = []
        while len(records) < count:
            arrived = self._arrived.popleft()
            left = count - len(records)
            records.extend(arrived[:left])
            if len(arrived) > left:
                self._arrived.appendleft(arrived[left:])
        first = records[0].offset
        begin = 0
        for offset in aside:
            yield from self._slices(records[begin : offset - first])
            yield Taken([records[offset - first]], aside=True)
            begin = offset - first + 1
        yield from self._slices(records[begin:])

    def _slices(self, records: list[Record]) -> Iterator[Taken]:
        begin = 0
        while begin < len(records):
            size = self._pace.size
            yield Taken(records[begin : begin + size])
            begin += size
