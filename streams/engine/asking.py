"""Asking the brokers of a cluster something that any of them may know."""

from collections.abc import Callable
from typing import Any, TypeVar

from aiokafka.errors import KafkaError, NodeNotReadyError

T = TypeVar("T")


async def ask_in_turn(
    client: Any,  # noqa: ANN401 - aiokafka ships no types
    request: object,
    answer: Callable[[Any], T | None],
    first: int | None = None,
) -> T | None:
    """Return what the first broker that knows it answers, None if none does.

    They are asked one after the other, since one that has just started may not have heard of it yet: the node `first`,
    then the others in no order, so that not all who ask begin with the same. Raises the KafkaError of the last that did
    not answer, if any.
    """
    nodes = [broker.nodeId for broker in client.cluster.brokers()]  # a set, so another order in each process
    nodes.sort(key=lambda node: node != first)
    failure: KafkaError | None = None if nodes else NodeNotReadyError("no broker is known")
    for node in nodes:
        try:
            response = await client.send(node, request)
        except KafkaError as error:
            failure = error
            continue
        found = answer(response)
        if found is not None:
            return found
    if failure is not None:
        raise failure
    return None
