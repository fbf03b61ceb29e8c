"""Telling on standard error how far the fetch of Apache Kafka is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from streams.broker_installation import KAFKA_VERSION, FetchProgress

_MIB: Final = 1 << 20
_TITLE: Final = f"Fetching Apache Kafka {KAFKA_VERSION} (once)"


@contextmanager
def fetch_progress(stream: TextIO | None = None) -> Iterator[FetchProgress]:
    """Give what `resolve_kafka` reports to: a bar on a terminal, else a line at the start and one at the end.

    Silent when there is nothing to fetch.
    """
    console = Console(file=stream or sys.stderr)
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(_TITLE, visible=False)

        def report(here: int, total: int) -> None:
            bar.update(task, completed=here, total=total, visible=True)

        yield report


def _lines(console: Console) -> FetchProgress:
    begun = False

    def report(here: int, total: int) -> None:
        nonlocal begun
        if not begun:
            begun = True
            console.print(f"{_TITLE}: {total // _MIB} MiB …", highlight=False, soft_wrap=True)
        if here == total:
            console.print("Apache Kafka is here and verified.", highlight=False, soft_wrap=True)

    return report
