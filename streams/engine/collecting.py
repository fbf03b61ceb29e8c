"""How often the interpreter looks for garbage in a process that holds a state."""

import gc


def collect_rarely() -> None:
    """Look for garbage seldom, and never among what is there already.

    State lives long and what an event leaves behind dies by reference count: with the defaults the collector walks the
    whole state again and again, for a quarter to a third of the time.
    """
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
