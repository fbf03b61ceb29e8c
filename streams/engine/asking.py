"""Asking the brokers of a cluster something that any of them may know."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from aiokafka.errors import IncompatibleBrokerVersion, KafkaError, NodeNotReadyError, RequestTimedOutError

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
    nodes = _nodes(client)
    if first is not None and first not in nodes:  # it was away when the client last asked who is there
        with suppress(TimeoutError):
            await asyncio.wait_for(client.force_metadata_update(), within)
        nodes = _nodes(client)
    nodes.sort(key=lambda node: node != first)
    failure: KafkaError | None = None if nodes else NodeNotReadyError("no broker is known")
    for node in nodes:
        try:
            response = await _answer_of(client, node, request, within if node != nodes[-1] else None)
        except KafkaError as error:
            failure = error
            continue
        found = answer(response)
        if found is not None:
            return found
    if failure is not None:
        raise failure
    return None


async def ask_all(client: Any, request: object, within: float) -> list[Any]:  # noqa: ANN401
    """Return what each broker answers that does `within` so many seconds."""
    asked = (_answer_of(client, node, request, within) for node in _nodes(client))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for one in answers:
        if isinstance(one, BaseException) and not isinstance(one, KafkaError):
            raise one
    return [one for one in answers if not isinstance(one, BaseException)]


def _nodes(client: Any) -> list[int]:  # noqa: ANN401
    return [broker.nodeId for broker in client.cluster.brokers()]  # a set, so another order in each process


async def _answer_of(client: Any, node: int, request: object, within: float | None) -> Any:  # noqa: ANN401
    """Return what a broker answers. KafkaError if it does not, or not in time.

    A question that is not waited for any longer is left to its own time-out, by which the client renews the connection.
    """
    asking = asyncio.ensure_future(client.send(node, request))
    try:
        done, _ = await asyncio.wait({asking}, timeout=within)
    except asyncio.CancelledError:
        asking.cancel()
        raise
    if not done:
        asking.add_done_callback(lambda one: one.cancelled() or one.exception())
        raise RequestTimedOutError(f"node {node} did not answer within {within} s")
    try:
        return asking.result()
    except NotImplementedError as error:  # aiokafka's other word for a broker that is too old
        raise IncompatibleBrokerVersion(str(error)) from error
