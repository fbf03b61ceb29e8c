"""How far a peer is, told from a thread of its own: whatever it is at, and of its last events too."""

import threading
import time
from collections.abc import Mapping
from typing import Final

from streams.bench.sampling import Teller

_EVERY_S: Final = 0.01


def keep_telling(done: Mapping[int, int]) -> None:
    """Write samples of what is done by partition, for as long as this process lives."""
    threading.Thread(target=_tell, args=(done,), daemon=True).start()


def _tell(done: Mapping[int, int]) -> None:
    teller = Teller()
    told: Mapping[int, int] | None = None
    while True:
        now = dict(done)
        if now != told:
            teller.tell(now)
            told = now
        time.sleep(_EVERY_S)
