"""Whether a broker answers: a question to its admin interface, not a line in its log."""

import asyncio
import socket
from typing import TYPE_CHECKING, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams.background import in_background

if TYPE_CHECKING:
    from concurrent.futures import Future

_CONNECT_S: Final = 1


def listens(host: str, port: int) -> bool:
    """Tell whether anything accepts connections there."""
    try:
        socket.create_connection((host, port), _CONNECT_S).close()
    except OSError:
        return False
    return True


def cluster_at(bootstrap: str, timeout_s: float) -> "Future[str | None]":
    """Ask which cluster answers at `bootstrap`: its id, None when there is no answer in time, or what went wrong.

    Asked on a thread with its own loop, so that it can be waited for with or without a running loop.
    """
    return in_background(lambda: asyncio.run(_cluster_at(bootstrap, timeout_s)), "broker-readiness")


async def _cluster_at(bootstrap: str, timeout_s: float) -> str | None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=int(timeout_s * 1000))
    try:
        async with asyncio.timeout(timeout_s):
            await admin.start()
            found = await admin.describe_cluster()
    except (KafkaError, OSError, TimeoutError):
        return None
    finally:
        await admin.close()
    return str(found["cluster_id"]) if found["brokers"] else None
