"""Golden bytes: how an event of each type travels, byte for byte. Files here are never changed, only added to.

A file has two lines: the headers of the record, then its value. Together they are one JSON document.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from schemas.cloudevents import Headers

FOLDER = Path(__file__).parent / "golden"
BEFORE_HEADERS, BEFORE_VALUE, AFTER_VALUE = b'{"headers":', b'"value":', b"}"


@dataclass(frozen=True, slots=True)
class Golden:
    """One record as it travels: the event type, its headers, the bytes of its value."""

    name: str
    type: str
    headers: Headers
    value: bytes


def read(path: Path) -> Golden:
    """Read one golden file."""
    first, second = path.read_bytes().splitlines()
    headers = json.loads(first.removeprefix(BEFORE_HEADERS).removesuffix(b","))
    value = second.removeprefix(BEFORE_VALUE).removesuffix(AFTER_VALUE)
    return Golden(
        name=path.stem,
        type=path.name.split(".")[0],
        headers=tuple((name, text.encode()) for name, text in headers.items()),
        value=value,
    )


GOLDENS = tuple(read(path) for path in sorted(FOLDER.glob("*.json")))
