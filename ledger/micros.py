"""Instants as whole numbers, where state is put away."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(instant: datetime) -> int:
    """Write an instant as microseconds since 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def from_micros(count: int) -> datetime:
    """Read an instant from microseconds since 1970. UTC."""
    return _EPOCH + timedelta(microseconds=count)
