"""Deleting topics for good: a broker says that a topic is deleted before it has forgotten it."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient

_PATIENCE_S = 30.0


async def delete_topics(bootstrap: str, *names: str) -> None:
    """Delete topics and wait until the broker has forgotten them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics(list(names))
        async with asyncio.timeout(_PATIENCE_S):
            while not set(names).isdisjoint(await admin.list_topics()):  # noqa: ASYNC110  the broker changes it
                await asyncio.sleep(0.02)
    finally:
        await admin.close()
