"""Why a worker stops: every way to fail has an exit code and says what to do next.

An engine that cannot keep its promise leaves at once, before a commit. Nothing is retried inside the process:
whoever runs the worker starts it anew, and the next start fences what this one left behind.
"""

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of a worker process; they follow sysexits(3) where it has a word for the case."""

    HOLE = 70
    """The ledger lacks a record. Starting anew does not help: find out who deleted it."""
    PROJECTION = 71
    """The projection raised. Starting anew raises again, until the projection or the record is mended."""
    STALLED = 74
    """Work was waiting and nothing moved for too long. Start anew."""
    PRODUCER = 75
    """The producer was fenced or failed, or the frame crashed. Start anew."""
    LEDGER = 76
    """The ledger is not the one the cut speaks of: made anew, truncated, or another topic. A person has to decide."""
    VERSION = 78
    """The cut was written by another fold version, or cannot be read. Give the new version topics of its own."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason to stop: the exit code and a message that says what was expected, what came, and what to do next."""

    code: ExitCode
    message: str
