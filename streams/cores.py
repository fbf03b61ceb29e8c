"""Processor cores: where there are few, a worker answers sooner on one that it shares with nobody. Linux only."""

import os
import sys
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Cores(NamedTuple):
    """The core of the worker, and those of everybody else."""

    own: frozenset[int]
    others: frozenset[int]


def set_apart() -> Cores | None:
    """Return the cores of this process with the last one set apart; None where there is but one, or no Linux."""
    if sys.platform != "linux" or len(cores := sorted(os.sched_getaffinity(0))) < 2:  # noqa: PLR2004
        return None
    return Cores(frozenset(cores[-1:]), frozenset(cores[:-1]))


def confine(pid: int, cores: Collection[int]) -> None:
    """Let a process run on these cores only, with all threads that it has or begins.

    Nothing where that cannot be: it is gone, or the system gives these cores to nobody any more.
    """
    if sys.platform != "linux":
        return
    confined: set[str] = set()
    with suppress(OSError):
        while threads := {one.name for one in Path(f"/proc/{pid}/task").iterdir()} - confined:
            for thread in threads:
                with suppress(ProcessLookupError):  # that thread has ended
                    os.sched_setaffinity(int(thread), cores)
            confined |= threads
