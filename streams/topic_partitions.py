"""Which partitions a topic has, asked for by its name alone, and without making it."""

from typing import Any

from aiokafka.errors import KafkaError, NodeNotReadyError
from aiokafka.protocol.metadata import MetadataRequest


async def partitions_of(client: Any, topic: str) -> frozenset[int]:  # noqa: ANN401 - aiokafka ships no types
    """Return the partitions of a topic; none where it is not there.

    aiokafka asks for a topic so that it is made where brokers allow it, or for all there are: on a cluster with
    hundreds of topics many readers together take seconds to read the answers. The brokers are asked in turn, in no
    order, until one knows the topic; raises the KafkaError of the last that did not answer, if any.
    """
    nodes = [broker.nodeId for broker in client.cluster.brokers()]  # a set, so another order in each process
    failure: KafkaError | None = None if nodes else NodeNotReadyError("no broker is known")
    for node in nodes:
        try:
            response = await client.send(node, MetadataRequest([topic], allow_auto_topic_creation=False))
        except KafkaError as error:
            failure = error
            continue
        for code, name, _, partitions in response.topics:
            if name == topic and code == 0:
                return frozenset(partition for _, partition, *_ in partitions)
    if failure is not None:
        raise failure
    return frozenset()
