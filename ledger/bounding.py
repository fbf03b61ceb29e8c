"""What keeps rows small: lists that are shown in part, and how many there are in all.

Reports are untrusted text. A row that grew with them would in the end be longer than Kafka takes, and the partition
would stand still; so whatever a row shows of many, it shows some of, and says of how many.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from schemas.changes import Json
from schemas.encoding import plain_json

T = TypeVar("T")
SHOWN_MAX: Final = 20
ROW_BYTES_MAX: Final = 64 << 10
"""The longest row, as JSON."""


class InAll(dict[str, int]):
    """How many there are in all of what is shown in part, by the name of the property."""

    def last(self, name: str, items: Sequence[T], most: int = SHOWN_MAX) -> Sequence[T]:
        """Return the last of some items."""
        return self._some(name, items, items[-most:])

    def first(self, name: str, items: Sequence[T], most: int = SHOWN_MAX) -> Sequence[T]:
        """Return the first of some items."""
        return self._some(name, items, items[:most])

    def _some(self, name: str, items: Sequence[T], shown: Sequence[T]) -> Sequence[T]:
        if len(shown) < len(items):
            self[name] = len(items)
        return shown


def bounded(row: Json, in_all: InAll) -> Json:
    """Return a row with what is in all of what it shows in part; of what makes it too long, less is shown."""
    while len(plain_json(row)) > ROW_BYTES_MAX - (1 << 10):
        holder, name, path = max(_shown(row), key=lambda one: len(plain_json(one[0][one[1]])))
        items = holder[name]
        in_all.setdefault(path, len(items))
        holder[name] = _half(items)
    if in_all:
        row["in_all"] = dict(sorted(in_all.items()))
    return row


def _shown(row: Json) -> list[tuple[dict[str, Any], str, str]]:
    """Return where a row shows many: what holds it, its name there, and the path to it."""
    found: list[tuple[dict[str, Any], str, str]] = []
    for name, value in row.items():
        if isinstance(value, dict) and name != "by_product":
            found.extend((value, inner, f"{name}.{inner}") for inner, one in value.items() if _is_many(one))
        elif _is_many(value):
            found.append((row, name, name))
    return found


def _is_many(value: object) -> bool:
    return isinstance(value, list | dict) and bool(value)


def _half(items: Any) -> Any:  # noqa: ANN401 -- a list or an object
    kept = len(items) // 2
    return dict(list(items.items())[:kept]) if isinstance(items, dict) else items[:kept]
