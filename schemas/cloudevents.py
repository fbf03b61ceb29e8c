"""CloudEvents 1.0 in Kafka binary mode: the required attributes and the content type, no more (headers cost).

Source: CloudEvents specification 1.0.2 and its Kafka protocol binding 1.0.2.
"""

from schemas.events import Event
from schemas.ids import event_id, event_source

CONTENT_TYPE = b"application/json"
Headers = tuple[tuple[str, bytes], ...]


def headers(event: Event) -> Headers:
    """Return the headers of an event's record: specversion, id, source, type, content type."""
    return (
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id(event).encode()),
        ("ce_source", event_source(event).encode()),
        ("ce_type", f"parley.{event.type}.v{event.version.split('.')[0]}".encode()),
        ("content-type", CONTENT_TYPE),
    )
