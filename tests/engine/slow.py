"""A machine that is slow at the wrong moment: positions that are set late, snapshots that take long to write."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import faust

from streams.engine import Store

_WAITING = 10


def _waiting(app: faust.App) -> int:
    return max((queue.qsize() for queue in app.flow_control._queues), default=0)  # noqa: SLF001


def slow_seek(app: faust.App, seconds: float) -> None:
    """Let every setting of positions return only once records wait in a stream, or after that long at most.

    Between the two any machine may let a moment pass; here it does so each time. Zero changes nothing.
    """
    if not seconds:
        return
    as_it_is: Any = app.transport.Consumer

    class SlowConsumer(as_it_is):  # type: ignore[misc]  # Faust's class, or the engine's
        """A consumer that sets positions in time and says so late."""

        async def perform_seek(self) -> None:
            """Set the positions, wait for records, return."""
            await super().perform_seek()
            try:
                async with asyncio.timeout(seconds):
                    while _waiting(app) < _WAITING:  # noqa: ASYNC110
                        await asyncio.sleep(0)
            except TimeoutError:
                return

    app.transport.Consumer = SlowConsumer  # type: ignore[misc]  # before the consumer is made


def slow_write(seconds: float) -> None:
    """Let every snapshot take that long to write. Zero changes nothing."""
    if not seconds:
        return
    as_it_is = Store.write

    def slowly(store: Store, rest: Callable[[], None] | None = None) -> None:
        threading.Event().wait(seconds)
        as_it_is(store, rest)

    Store.write = slowly  # type: ignore[assignment,method-assign]
