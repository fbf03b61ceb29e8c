"""Where a process spends its CPU time: a look at its stacks every two milliseconds of it."""

import json
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

_EVERY_S: Final = 0.002
_IDLE: Final = frozenset({"select", "wait", "execute_from_commandline", "run_until_complete", "_watch", "run", "main"})
_SHOWN: Final = 25


@dataclass(slots=True)
class Profile:
    """How often a function was found at work, itself and with all that it called."""

    looks: int = 0
    itself: Counter[str] = field(default_factory=Counter)
    with_called: Counter[str] = field(default_factory=Counter)

    def start(self) -> None:
        """Look from now on."""
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, _EVERY_S, _EVERY_S)

    def write(self, path: Path) -> None:
        """Stop looking, and write what was found: shares of the CPU time by function, the largest first."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        found = {
            "looks": self.looks,
            "itself": self._shares(self.itself),
            "with_called": self._shares(self.with_called),
        }
        path.write_text(json.dumps(found), "utf-8")

    def _shares(self, counted: Counter[str]) -> dict[str, float]:
        return {name: round(count / self.looks, 4) for name, count in counted.most_common(_SHOWN)} if self.looks else {}

    def _look(self, _number: int, frame: FrameType | None) -> None:
        if frame is None or frame.f_code.co_name in _IDLE:
            frame = self._at_work_elsewhere()
        self.looks += 1
        stack = list(_names(frame)) or ["(idle)"]
        self.itself[stack[0]] += 1
        self.with_called.update(set(stack))

    def _at_work_elsewhere(self) -> FrameType | None:
        """Return what another thread does, if one does something."""
        own = threading.get_ident()
        frames = (frame for ident, frame in sys._current_frames().items() if ident != own)  # noqa: SLF001 -- the documented way
        return next((frame for frame in frames if frame.f_code.co_name not in _IDLE), None)


def _names(frame: FrameType | None) -> Iterator[str]:
    """Give the functions of a stack, the innermost first: module and name."""
    while frame is not None:
        yield f"{frame.f_globals.get('__name__', '?')}.{frame.f_code.co_qualname}"
        frame = frame.f_back


def read_profile(path: Path) -> Mapping[str, Any]:
    """Read what a process wrote of itself."""
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found
