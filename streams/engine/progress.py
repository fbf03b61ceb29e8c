"""How far a partition is, for programs and for the log."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

log = logging.getLogger(__name__)

_EVERY_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a partition is: outputs are complete to `cut`, the projection has folded to `folded` (-1: nothing yet).

    ready: the projection has reached the cut, new records are projected
    sent_bytes: size of all outputs sent since the partition was taken over
    resumed: up to here the state came from memory or a snapshot and was not folded again (-1: all was)
    """

    partition: int
    folded: int
    cut: int
    ready: bool
    sent_bytes: int = 0
    resumed: int = -1


class Recovery:
    """Tells the log how far the fold up to the cut is, every two seconds; `now` gives the time in seconds."""

    def __init__(self, place: str, resumed: int, cut: int, now: Callable[[], float] = time.monotonic) -> None:
        log.info("%s: cut at offset %d, state up to %d: %d records to fold", place, cut, resumed, cut - resumed)
        self._place = place
        self._resumed = resumed
        self._cut = cut
        self._now = now
        self._begun_at = self._told_at = now()

    def at(self, folded: int) -> None:
        """Note that the record at offset `folded` is folded."""
        now = self._now()
        if now - self._told_at < _EVERY_S and folded < self._cut:
            return
        self._told_at = now
        count, seconds = folded - self._resumed, now - self._begun_at
        log.info(
            "%s: folded %d of %d records up to the cut, %.0f a second",
            self._place, count, self._cut - self._resumed, count / max(seconds, 1e-3),
        )  # fmt: skip
