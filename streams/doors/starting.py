"""Where the command line begins. Its modules take a second or more to load, and Ctrl-C may come before they are."""

import gc
import os
import signal
from typing import Final

_INTERRUPTED: Final = 128 + signal.SIGINT  # as in `commanding`, which is not loaded yet


def main() -> None:
    """Run the command line. Ctrl-C while it is loaded ends the process without a word."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else whoever started it wants it deaf
        signal.signal(signal.SIGINT, _leave)
    gc.disable()  # what is loaded stays: to look for garbage in it takes a tenth of the time
    from streams.doors import cli  # noqa: PLC0415 -- this is what takes so long

    gc.enable()
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    cli.main()


def _leave(_signal: int, _frame: object) -> None:
    os._exit(_INTERRUPTED)  # nothing was begun; a KeyboardInterrupt may be swallowed or wrapped by what is loaded


if __name__ == "__main__":
    main()
