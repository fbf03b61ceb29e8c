"""The one place that asks what time it is, but for the engine, which imports nothing of Parley."""

import time
from datetime import UTC, datetime, timedelta

_AWAKE_OR_ASLEEP = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now() -> datetime:
    """Return this machine's clock as an instant in UTC."""
    return datetime.now(UTC)


def elapsed() -> timedelta:
    """Return the time since this machine was started, what it slept included; nobody can set it."""
    return timedelta(microseconds=time.clock_gettime_ns(_AWAKE_OR_ASLEEP) // 1000)
