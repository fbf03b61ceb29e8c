"""A thread that ends the process when work is waiting and nothing moves.

It is a thread because the event loop itself may hang, in a projection that never returns: the consumer's own thread
would go on telling the group that all is well. It counts its own ticks, not the time that has passed, so that a
process that was paused and wakes up is not taken for a stalled one.
"""

import threading
from collections.abc import Callable, Hashable, Mapping

from streams.engine.faults import ExitCode, Fault
from streams.engine.halt import halt

_TICKS = 10


class Watchdog:
    """Calls `pulse` ten times per `stall_timeout` (seconds) and halts when one of its values stays the same throughout.

    `pulse` names what has work to do, each with a value that changes whenever it moves; what is idle it leaves out.
    """

    def __init__(self, stall_timeout: float, pulse: Callable[[], Mapping[str, Hashable]]) -> None:
        self._stall_timeout = stall_timeout
        self._pulse = pulse
        self._unmoved: dict[str, tuple[Hashable, int]] = {}
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start watching; once is enough."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
            self._thread.start()

    def stalled(self) -> str | None:
        """Take one look; return what has not moved for `stall_timeout` by now, if anything."""
        before = self._unmoved
        self._unmoved = {}
        for name, value in self._pulse().items():
            last, ticks = before.get(name, (value, -1))
            self._unmoved[name] = (value, ticks + 1 if last == value else 0)
            if self._unmoved[name][1] >= _TICKS:
                return name
        return None

    def _watch(self) -> None:
        tick = threading.Event()
        while not tick.wait(self._stall_timeout / _TICKS):
            if (name := self.stalled()) is not None:
                halt(
                    Fault(
                        ExitCode.STALLED,
                        f"{name} has not moved for {self._stall_timeout} s: a projection that does not return, or a "
                        "broker that does not answer. Nothing is lost: start the worker again.",
                    )
                )
