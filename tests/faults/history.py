"""The history of a trial: one JSON line per operation, with the time of this machine's clock in milliseconds."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from tests.faults.events import Draft

Operation = dict[str, Any]
_WHOLE_BYTES_MAX = 1_000


def now_ms() -> int:
    """Return this machine's time, as Kafka's clients stamp their records with it."""
    return time.time_ns() // 1_000_000


def written(value: bytes | None) -> str:
    """Return bytes as the history has them: whole, or by length and digest when they are long."""
    if value is None:
        return ""
    if len(value) > _WHOLE_BYTES_MAX:
        return f"{len(value)} bytes, sha256 {hashlib.sha256(value).hexdigest()}"
    return value.decode("latin-1")


class History:
    """Notes operations as they end, in memory and in a file; a context manager that closes the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.operations: list[Operation] = []
        self._file = path.open("wb")

    def __enter__(self) -> Self:
        """Go on."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

    def note(self, op: str, **fields: Any) -> Operation:  # noqa: ANN401 -- JSON
        """Note one operation; return it as noted."""
        operation: Operation = {"at_ms": now_ms(), "op": op, **fields}
        self.operations.append(operation)
        self._file.write(orjson.dumps(operation, option=orjson.OPT_NON_STR_KEYS) + b"\n")
        if op != "append":
            self._file.flush()
        return operation

    def of(self, op: str) -> Iterator[Operation]:
        """Give the operations of one kind, in order."""
        return (operation for operation in self.operations if operation["op"] == op)


def note_append(history: History, producer: str, draft: Draft, outcome: str, offset: int | None = None) -> None:
    """Note what became of a record.

    acked: it stands at an offset. landed: it is on the ledger, nobody said where. refused: it is not. unknown: any.
    """
    history.note(
        "append", producer=producer, author=draft.author, number=draft.number, key=written(draft.key),
        value=written(draft.value), partition=draft.partition, outcome=outcome, offset=offset,
    )  # fmt: skip
