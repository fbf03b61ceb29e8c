"""The one place that asks what time it is."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return this machine's clock as an instant in UTC."""
    return datetime.now(UTC)
