"""What the ids of a negotiation's events stand for: to tell a repeat from another event, and to find a report.

There are ever more of them, and hardly one is asked for again. So those that were saved stay where they are, on sheets,
until one of them seems to be asked for; at hand are eight bytes of each, which say of all others that they are not
among them.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

Meaning = str | bytes
"""The act that a report tells of; the digest of what an event says that is no report."""
Withdrawal = tuple[str, str]
_LEAST_FIRST: Final = array("H", [1]).tobytes() == b"\1\0"


@dataclass(slots=True)
class Sheet:
    """Saved ids, and the withdrawals that came with them.

    marks: of all the ids, in ascending order
    read: gives the ids with what they stand for, from where they are saved
    at_hand: the same, once they were read
    """

    marks: "array[int]"
    withdrawn: tuple[Withdrawal, ...]
    read: Callable[[], dict[str, Meaning]]
    at_hand: dict[str, Meaning] | None = None

    @property
    def ids(self) -> dict[str, Meaning]:
        """All ids with what they stand for; from now on at hand."""
        if self.at_hand is None:
            self.at_hand = self.read()
        return self.at_hand

    def get(self, name: str) -> Meaning | None:
        """Return what an id stands for. None if it is not here."""
        if self.at_hand is None:
            its = mark(name)
            place = bisect_left(self.marks, its)
            if place == len(self.marks) or self.marks[place] != its:
                return None
        return self.ids.get(name)


def joined(older: Sequence[Sheet], ids: Mapping[str, Meaning], withdrawn: tuple[Withdrawal, ...]) -> Sheet:
    """Return one sheet, at hand, of what is on others and of new ids."""
    together: dict[str, Meaning] = {}
    marks = [mark(name) for name in ids]
    for sheet in older:
        together.update(sheet.ids)
        marks.extend(sheet.marks)
    together.update(ids)
    return Sheet(array("Q", sorted(marks)), withdrawn, lambda: together, together)


def mark(name: str) -> int:
    """Return 64 bits by which an id differs from nearly all others."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest())


def write_marks(marks: "array[int]") -> bytes:
    """Write marks: eight bytes each, the least significant first."""
    return _swapped(marks).tobytes()


def read_marks(data: bytes) -> "array[int]":
    """Read marks as `write_marks` writes them."""
    return _swapped(array("Q", data))


def _swapped(marks: "array[int]") -> "array[int]":
    if _LEAST_FIRST:
        return marks
    swapped = marks[:]
    swapped.byteswap()
    return swapped


@dataclass(slots=True)
class Heard:
    """The ids of a negotiation: those that are not saved yet, and those on sheets."""

    new: dict[str, Meaning] = field(default_factory=dict)
    sheets: list[Sheet] = field(default_factory=list)

    def get(self, name: str) -> Meaning | None:
        """Return what an id stands for. None if it was never heard."""
        found = self.new.get(name)
        if found is None:
            for sheet in self.sheets:
                found = sheet.get(name)
                if found is not None:
                    break
        return found
