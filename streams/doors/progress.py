"""How far something is, for a person at a terminal who has begun to wait."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

_PATIENCE_S: Final = 2.0


@contextmanager
def told_if_slow(what: str) -> Iterator[Callable[[int], None]]:
    """Give a function that counts; the count is shown on the terminal's standard error after two seconds."""
    begun = time.monotonic()
    shown = not sys.stderr.isatty()
    columns = (SpinnerColumn(), TextColumn(f"{{task.completed}} {what}"), TimeElapsedColumn())
    bar = Progress(*columns, transient=True, console=Console(stderr=True), disable=shown)
    task = bar.add_task(what, total=None)

    def count(more: int) -> None:
        nonlocal shown
        bar.advance(task, more)
        if not shown and time.monotonic() - begun > _PATIENCE_S:
            shown = True
            bar.start()

    try:
        yield count
    finally:
        bar.stop()
