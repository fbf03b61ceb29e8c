"""Deleting topics for good, and records: a broker says that a topic is deleted before it has forgotten it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

_PATIENCE_S = 30.0


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def delete_records(bootstrap: str, topic: str, partition: int, before: int) -> None:
    """Delete the records of a partition before an offset."""
    async with _admin(bootstrap) as admin:
        await admin.delete_records({TopicPartition(topic, partition): RecordsToDelete(before)})


async def delete_topics(bootstrap: str, *names: str) -> None:
    """Delete topics and wait until the broker has forgotten them."""
    async with _admin(bootstrap) as admin:
        await admin.delete_topics(list(names))
        async with asyncio.timeout(_PATIENCE_S):
            while not set(names).isdisjoint(await admin.list_topics()):  # noqa: ASYNC110  the broker changes it
                await asyncio.sleep(0.02)
