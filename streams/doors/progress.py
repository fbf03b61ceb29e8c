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
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    begun = time.monotonic()
    columns = (SpinnerColumn(), TextColumn(f"{{task.completed}} {what}"), TimeElapsedColumn())
    bar = Progress(*columns, transient=True, console=Console(stderr=True))
    task = bar.add_task(what, total=None)

    def count(more: int) -> None:
        bar.advance(task, more)
        if not bar.live.is_started and time.monotonic() - begun > _PATIENCE_S:
            bar.start()

    try:
        yield count
    finally:
        if bar.live.is_started:
            bar.stop()
