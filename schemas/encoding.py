"""Canonical bytes: sorted keys, no blanks, nothing that is absent or default but the tag."""

from typing import Any

import orjson
from pydantic import BaseModel


def canonical(event: BaseModel) -> bytes:
    """Write an event in the one form that the ledger keeps: sorted keys, absent and default fields left out."""
    fields: dict[str, Any] = event.model_dump(mode="json", exclude_defaults=True)
    fields["type"] = type(event).model_fields["type"].default
    fields.update(event.model_extra or {})
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)


def canonical_json(value: object) -> bytes:
    """Write any JSON value with sorted keys."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
