"""Records that wait for their turn, and the records that a projection is at."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import overload

from streams.engine.projection import Record


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


class Waiting:
    """The records that arrived and are not folded yet, in order and without holes; taken in slices."""

    def __init__(self, slice_max: int) -> None:
        self._slice_max = slice_max
        self._arrived: deque[Sequence[Record]] = deque()

    def add(self, records: Sequence[Record]) -> None:
        """Take records that follow the last ones."""
        self._arrived.append(records)

    def take(self, count: int, aside: Sequence[int]) -> list[Taken]:
        """Return the next `count` records in slices that do not hold up others for long, and those set aside alone."""
        records: list[Record] = []
        while len(records) < count:
            arrived = self._arrived.popleft()
            left = count - len(records)
            records.extend(arrived[:left])
            if len(arrived) > left:
                self._arrived.appendleft(arrived[left:])
        first = records[0].offset
        taken: list[Taken] = []
        begin = 0
        for offset in aside:
            taken += self._slices(records[begin : offset - first])
            taken.append(Taken([records[offset - first]], aside=True))
            begin = offset - first + 1
        return taken + self._slices(records[begin:])

    def _slices(self, records: list[Record]) -> list[Taken]:
        size = self._slice_max
        return [Taken(records[i : i + size]) for i in range(0, len(records), size)]
