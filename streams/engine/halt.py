"""The two ways in which a worker process ends without a word to its peers."""

import logging
import os
import signal
import sys
import threading
from typing import Final, NoReturn

from streams.engine.faults import Fault

log = logging.getLogger(__name__)

_SAY_WITHIN_S: Final = 2.0


def halt(fault: Fault) -> NoReturn:
    """Say why and leave with the fault's exit code, at once: no handler runs that could still commit something.

    It leaves also where nothing can be said: what reads the log is gone, or does not read.
    """
    try:
        unheard = threading.Timer(_SAY_WITHIN_S, os._exit, (fault.code,))
        unheard.daemon = True
        unheard.start()
        log.critical("exit %d: %s", fault.code, fault.message)
        logging.shutdown()
        sys.stderr.flush()
        sys.stdout.flush()
    finally:
        os._exit(fault.code)


class StopPoint:
    """Kills this process (SIGKILL) at one named point of the protocol, for tests that need a crash exactly there."""

    def __init__(self, stop_at: str | None) -> None:
        name, _, visits = (stop_at or "").partition(":")
        self._name = name
        self._left = int(visits or "1")

    def pass_by(self, name: str) -> None:
        """Die if this is the point, and the visit, that was asked for."""
        if name != self._name:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
