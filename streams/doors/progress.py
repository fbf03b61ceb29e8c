"""How far something is, for whoever has begun to wait: a bar on a terminal, a line now and then in a log."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_PATIENCE_S: Final = 2.0
_DRAW_S: Final = 0.1
_LINE_S: Final = 5.0


class Count:
    """How many there are so far, and of how many if that is known."""

    def __init__(self, what: str) -> None:
        self._what = what
        self.done = 0
        self.total: int | None = None

    def begin(self, total: int) -> None:
        """Note how many there will be."""
        self.total = total

    def add(self, more: int) -> None:
        """Note that there are more, also than were foreseen."""
        self.done += more
        if self.total is not None and self.done > self.total:
            self.total = self.done

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.done} {self._what}" if self.total is None else f"{self.done} of {self.total} {self._what}"


class _Shown(Protocol):
    """Where a count is shown: for the first time and then again after so many seconds."""

    first_s: float
    every_s: float

    def show(self, count: Count) -> None: ...
    def end(self, count: Count) -> None: ...


class _Bar:
    """A bar on a terminal, which is gone at the end."""

    def __init__(self) -> None:
        self.first_s, self.every_s = _PATIENCE_S, _DRAW_S
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, transient=True, console=Console(stderr=True))
        self._task = self._bar.add_task("", total=None)

    def show(self, count: Count) -> None:
        self._bar.update(self._task, description=str(count), completed=count.done, total=count.total)
        self._bar.start()

    def end(self, _: Count) -> None:
        if self._bar.live.is_started:
            self._bar.stop()


class _Lines:
    """A line each, where a count has changed; the last of them is that of the end."""

    def __init__(self) -> None:
        self.first_s = self.every_s = _LINE_S
        self._told = ""

    def show(self, count: Count) -> None:
        line = f"{count}\n"
        if line == self._told:
            return
        self._told = line
        with suppress(OSError):  # whoever read it is gone, and the answer is for somebody else
            sys.stderr.write(line)
            sys.stderr.flush()

    def end(self, count: Count) -> None:
        if self._told:
            self.show(count)


@contextmanager
def told_if_slow(what: str) -> Iterator[Count]:
    """Give a count that is shown on standard error: on a terminal after two seconds, else a line every five."""
    count, over = Count(what), threading.Event()
    shown: _Shown = _Bar() if sys.stderr.isatty() else _Lines()
    telling = threading.Thread(target=_tell, args=(count, shown, over), daemon=True)
    telling.start()
    try:
        yield count
    finally:
        over.set()
        telling.join()
        shown.end(count)


def _tell(count: Count, shown: _Shown, over: threading.Event) -> None:
    seconds = shown.first_s
    while not over.wait(seconds):
        shown.show(count)
        seconds = shown.every_s
