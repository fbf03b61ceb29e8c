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
    """The projection raised, or brought about what its topic does not take. Starting anew ends alike, until the
    projection or the record is mended."""
    SNAPSHOT = 73
    """The local snapshot is damaged and thrown away. Start anew: the state is folded from the ledger."""
    STALLED = 74
    """Work was waiting and nothing moved for too long. Start anew."""
    PRODUCER = 75
    """The producer was fenced or failed, or the frame crashed. Start anew."""
    LEDGER = 76
    """The ledger or an output topic is not the one the cut speaks of: made anew, truncated, written to by others, or
    another topic. A person has to decide."""
    VERSION = 78
    """The cut was written by another fold version, or cannot be read. Give the new version topics of its own."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason to stop: the exit code and a message that says what was expected, what came, and what to do next."""

    code: ExitCode
    message: str


def projection_raised(
    error: Exception, place: str, offsets: tuple[int, int], at: int | None, set_aside_hint: str | None
) -> Fault:
    """Say which record made the projection raise: the one at offset `at`, or one of the first..last of `offsets`.

    `set_aside_hint` says how a person sets the record aside; None for records whose outputs are committed already.
    """
    first, last = offsets
    where = f"at offset {at}" if at is not None else f"between offsets {first} and {last}"
    raised = f"the projection raised {error!r} on {place} {where}"
    if set_aside_hint is None:
        return Fault(
            ExitCode.PROJECTION,
            f"{raised}, whose outputs are committed already, so it cannot be set aside: run the version that projected "
            "it, or give this one derived topics of its own.",
        )
    hint = set_aside_hint.format(partition=place.rpartition("/")[2], offset=at if at is not None else "OFFSET")
    return Fault(
        ExitCode.PROJECTION,
        f"{raised}; nothing of the batch is committed. Mend the projection, or set the record aside ({hint}), then "
        "start the worker again.",
    )
