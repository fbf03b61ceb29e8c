"""Which partitions a topic has, asked for by its name alone, and without making it."""

from typing import Any

from aiokafka.protocol.metadata import MetadataRequest

from streams.engine.asking import ask_in_turn


async def partitions_of(client: Any, topic: str) -> frozenset[int]:  # noqa: ANN401 - aiokafka ships no types
    """Return the partitions of a topic; none where it is not there. KafkaError where that cannot be told.

    aiokafka asks for a topic so that it is made where brokers allow it, or for all there are: on a cluster with
    hundreds of topics many readers together take seconds to read the answers.
    """

    def known(response: Any) -> frozenset[int] | None:  # noqa: ANN401
        for code, name, _, partitions in response.topics:
            if name == topic and code == 0:
                return frozenset(partition for _, partition, *_ in partitions)
        return None

    request = MetadataRequest([topic], allow_auto_topic_creation=False)
    return await ask_in_turn(client, request, known) or frozenset()
