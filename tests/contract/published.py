"""The contract as JSON Schema, for those who do not run Python. `python -m tests.contract.published` writes it anew.

The schemas say what can be said in JSON Schema; the codec refuses more (dates that do not exist, unknown zones, numbers
with trailing zeros, two of `at`, `on` and `month`).
"""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from schemas.changes import Alert, Change
from schemas.events import Event

FOLDER = Path(__file__).resolve().parent.parent.parent / "schemas" / "published"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def published() -> dict[str, bytes]:
    """Give the name and the content of every published schema."""
    adapters: dict[str, tuple[str, TypeAdapter[Any]]] = {
        "event.v1.json": ("An event of the ledger", TypeAdapter(Annotated[Event, Field(discriminator="type")])),
        "change.v1.json": ("A change of a public row, or a finding", TypeAdapter(Change)),
        "alert.v1.json": ("A lead time before a deadline has begun", TypeAdapter(Alert)),
    }
    return {name: _text(title, adapter.json_schema()) for name, (title, adapter) in adapters.items()}


def _text(title: str, schema: dict[str, Any]) -> bytes:
    whole = {**schema, "$schema": DIALECT, "title": title}
    return (json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def main() -> int:
    """Write every schema that differs from what is published."""
    FOLDER.mkdir(exist_ok=True)
    for name, content in published().items():
        (FOLDER / name).write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
