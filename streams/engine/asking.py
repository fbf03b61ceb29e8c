"""Asking the brokers of a cluster something that any of them may know."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from aiokafka.errors import KafkaError, NodeNotReadyError, RequestTimedOutError

T = TypeVar("T")


async def ask_in_turn(
    client: Any,  # noqa: ANN401 - aiokafka ships no types
    request: object,
    answer: Callable[[Any], T | None],
    *,
    first: int | None = None,
    within: float | None = None,
) -> T | None:
    """Return what the first broker that knows it answers, None if none does.

    They are asked one after the other, since one that has just started may not have heard of it yet: the node `first`,
    then the others in no order, so that not all who ask begin with the same. Where others are left, one that does not
    answer `within` so many seconds is passed over. Raises the KafkaError of the last that did not answer, if any.
    """
    nodes = [broker.nodeId for broker in client.cluster.brokers()]  # a set, so another order in each process
    if first is not None and first not in nodes:  # it was away when the client last asked who is there
        await client.force_metadata_update()
        nodes = [broker.nodeId for broker in client.cluster.brokers()]
    nodes.sort(key=lambda node: node != first)
    failure: KafkaError | None = None if nodes else NodeNotReadyError("no broker is known")
    for node in nodes:
        try:
            async with asyncio.timeout(within if node != nodes[-1] else None):
                response = await client.send(node, request)
        except KafkaError as error:
            failure = error
            continue
        except TimeoutError:
            failure = RequestTimedOutError(f"node {node} did not answer within {within} s")
            continue
        found = answer(response)
        if found is not None:
            return found
    if failure is not None:
        raise failure
    return None
