"""How often the interpreter looks for garbage in a process that holds a state."""

import gc
from typing import Final

_YOUNG: Final = 5_000


def collect_young() -> None:
    """Look for garbage among what is new only, and never again among what was found to be in use.

    State lives long, and what an event leaves behind dies by reference count. With the defaults the collector walks the
    whole state again and again, for a quarter to a third of the time; with a rare look at everything it still stops the
    process for a second at a time. A cycle that is dropped only after it was looked at is never found.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
    if _keep not in gc.callbacks:
        gc.callbacks.append(_keep)


def _keep(phase: str, _found: object) -> None:
    if phase == "stop":
        gc.freeze()
