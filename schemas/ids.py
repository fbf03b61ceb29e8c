"""Ids that are functions of what they name: the same report, wake or change has the same id everywhere.

An event's id is H(source, the source's own id); where a source has no id of its own, the digest of its words stands in.
"""

from datetime import UTC
from hashlib import sha256
from typing import assert_never

from schemas.encoding import canonical
from schemas.events import (
    RETRY_VERSION,
    AnyReport,
    ClockStruck,
    Event,
    MetricDefined,
    ReplayOpened,
    Report,
    StackingRuleDefined,
)

ID_HEX_DIGITS = 32


def digest(*parts: str) -> str:
    """Return the first 128 bits of SHA-256 over length-prefixed parts, as lower-case hex."""
    text = "".join([f"{len(part)}:{part}" for part in parts])
    if not text.isascii():  # lengths count bytes
        text = "".join([f"{len(part.encode())}:{part}" for part in parts])
    return sha256(text.encode()).hexdigest()[:ID_HEX_DIGITS]


def event_source(event: Event) -> str:
    """Return who is behind an event, as CloudEvents `source` has it."""
    match event:
        case Report():
            return event.source.name
        case MetricDefined() | StackingRuleDefined():
            return "parley/definitions"
        case ClockStruck():
            return "parley/clock"
        case ReplayOpened():
            return "parley/replay"
        case _:
            assert_never(event)


def event_id(event: Event) -> str:
    """Return the deterministic id of an event: 32 hex digits."""
    match event:
        case Report():
            return _report_id(event)
        case MetricDefined():
            return digest("metric", event.negotiation, event.metric, str(event.revision))
        case StackingRuleDefined():
            return digest("rule", event.negotiation, event.rule, str(event.revision))
        case ClockStruck():
            return digest("strike", event.negotiation, event.at.astimezone(UTC).isoformat())
        case ReplayOpened():
            return digest("replay", event.negotiation, event.file_sha256)
        case _:
            assert_never(event)


def _report_id(report: AnyReport) -> str:
    own_id = report.source.own_id
    if own_id is not None:
        return digest("report", report.source.name, own_id)
    return digest("content", report.source.name, sha256(content(report)).hexdigest())


def content(event: Event) -> bytes:
    """Return what an event says, in canonical bytes: the same wherever, whenever and after which failure it is told."""
    if event.first_recorded_at is None and event.retry_of is None:
        return canonical(event)
    told: dict[str, object] = {"first_recorded_at": None, "retry_of": None}
    if event.retry_of is not None and event.version == RETRY_VERSION:
        told["version"] = "1.0"
    return canonical(event.model_copy(update=told))


def change_id(source: str, event: str, row_key: str, version: str, ordinal: int) -> str:
    """Return the id of a change: H(event source, event id, row key, version, ordinal)."""
    return digest("change", source, event, row_key, version, str(ordinal))
