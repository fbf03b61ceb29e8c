"""Asking and telling a Kafka as its administrator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient

from streams.broker_reaching import answering, reaching
from streams.engine.closing import close_wholly


@asynccontextmanager
async def administering(bootstrap: str, *, request_s: float, within_s: float) -> AsyncIterator[AIOKafkaAdminClient]:
    """Give a client that has reached Kafka. BrokerUnreachable, also when what is done with it takes over `within_s`.

    request_s: how long a single request may take
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=int(request_s * 1000))
    try:
        async with reaching(bootstrap):
            await admin.start()
        async with answering(bootstrap, within_s):
            yield admin
    finally:
        await close_wholly(admin.close())
