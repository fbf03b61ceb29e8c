"""Work on a thread that this process does not wait for when it ends."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def in_background(work: Callable[[], T], name: str) -> "Future[T]":
    """Start `work` on a daemon thread of that name; the future has what it returns, or what it raises."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 -- whoever waits is told
            future.set_exception(error)

    Thread(target=run, name=name, daemon=True).start()
    return future
