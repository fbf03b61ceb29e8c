"""Closing aiokafka's clients so that a cancellation is neither lost nor made up.

aiokafka ends its own tasks when it closes, and swallows the CancelledError that it expects of them. One that is meant
for the caller and comes at that moment is swallowed too: a time limit then never ends, Ctrl-C does nothing (13 of 400
limits around a question for offsets were lost so). And the other way about: where a broker is gone, it lets the end of
its own fetching out as if the caller were to end.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)


async def close_wholly(closing: Coroutine[Any, Any, None]) -> None:
    """Close to the end; a cancellation that comes meanwhile is raised when that is done, also if it fails.

    Whoever cancels a second time does not want to wait for it.
    """
    task = asyncio.create_task(closing)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        try:
            await task
        except Exception as error:  # noqa: BLE001 - there is one thing to raise, and that is the cancellation
            log.warning("a client could not be closed: %r", error)
        raise


async def stop_consumer(consumer: Any) -> None:  # noqa: ANN401 - aiokafka ships no types
    """Stop an AIOKafkaConsumer, as `close_wholly` does."""
    await close_wholly(_stop(consumer))


async def _stop(consumer: Any) -> None:  # noqa: ANN401
    try:
        await consumer.stop()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        await consumer._client.close()  # noqa: SLF001 - stop() did not come so far
