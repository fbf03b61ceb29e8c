"""Records of the cuts topic, read with their place in every complaint."""

from collections.abc import Callable
from typing import TypeVar

from streams.engine import UnreadableCutError
from streams.reading.table import TableRow

T = TypeVar("T")


def read_as(decode: Callable[[bytes], T], topic: str, key: bytes, row: TableRow) -> T:
    """Read a cut or a set-aside from its row; UnreadableCutError says where it stands."""
    try:
        return decode(row.value)
    except UnreadableCutError as error:
        shown = key.decode("utf-8", "backslashreplace")
        place = f"{topic}/{row.partition}, offset {row.offset}, key {shown!r}"
        raise UnreadableCutError(
            f"{place}: {error}. Parley did not write that: find out who else writes to this topic, and give the worker "
            'a second set of outputs, which begins without it: deploy/runbook.md, "A new fold version".'
        ) from error
