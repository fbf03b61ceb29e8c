"""Canonical bytes: sorted keys, no blanks, nothing that is absent or default but the tag."""

from typing import Any

import orjson
from pydantic import BaseModel


def canonical(event: BaseModel) -> bytes:
    """Write an event in the one form that the ledger keeps: sorted keys, absent and default fields left out."""
    fields: dict[str, Any] = event.model_dump(mode="json", exclude_defaults=True)
    fields["type"] = type(event).model_fields["type"].default
    if "version" in fields:  # only a version of its own can bring fields that are unknown here
        _keep_unknown(event, fields)
    return _trimmed(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS))


def canonical_json(value: object) -> bytes:
    """Write any JSON value with sorted keys."""
    return _trimmed(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))


def plain_json(value: object) -> bytes:
    """Write any JSON value as it comes, for what is kept and read again here."""
    return _trimmed(orjson.dumps(value))


def _trimmed(data: bytes) -> bytes:
    """Return a copy that takes the memory it needs: what orjson returns holds on to its buffer of 4 KiB or more."""
    return bytes(memoryview(data))


def _keep_unknown(value: object, written: Any) -> None:  # noqa: ANN401 -- any JSON value
    """Add the unknown fields of a value, and of all it holds, to what was written of it."""
    match value:
        case BaseModel():
            for name in value.model_fields_set & written.keys():
                _keep_unknown(getattr(value, name), written[name])
            written.update(value.model_extra or {})
        case tuple():
            for one, its in zip(value, written, strict=True):
                _keep_unknown(one, its)
        case dict():
            for name, one in value.items():
                _keep_unknown(one, written[name])
        case _:
            pass
