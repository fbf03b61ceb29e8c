"""Tearing an open transaction apart, as a cluster may: some of its partitions are committed before the rest is aborted.

The markers are written as a transaction's coordinator writes them, with Kafka's own request between brokers
(WriteTxnMarkers, version 1), to whom DescribeProducers (version 0) names as the owner of the open transaction.
"""

import asyncio
from collections.abc import Collection

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields

_PATIENCE_S = 10.0
_TEXT = CompactString("utf-8")
_TAGS = ("tags", TaggedFields)


class _Producers(Response):  # type: ignore[misc]  # aiokafka ships no types
    API_KEY = 61
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            CompactArray(
                ("name", _TEXT),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("error_code", Int16),
                        ("error_message", _TEXT),
                        (
                            "producers",
                            CompactArray(
                                ("producer_id", Int64),
                                ("producer_epoch", Int32),
                                ("last_sequence", Int32),
                                ("last_timestamp", Int64),
                                ("coordinator_epoch", Int32),
                                ("open_since", Int64),
                                _TAGS,
                            ),
                        ),
                        _TAGS,
                    ),
                ),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class _DescribeStruct(RequestStruct):  # type: ignore[misc]  # aiokafka ships no types
    FLEXIBLE_VERSION = True
    API_KEY = 61
    API_VERSION = 0
    RESPONSE_TYPE = _Producers
    SCHEMA = Schema(("topics", CompactArray(("name", _TEXT), ("partitions", CompactArray(Int32)), _TAGS)), _TAGS)


class _Describe(Request[_DescribeStruct]):  # type: ignore[misc]  # aiokafka ships no types
    API_KEY = 61

    def __init__(self, place: TopicPartition) -> None:
        self._place = place

    def build(self, request_struct_class: type[_DescribeStruct]) -> _DescribeStruct:
        return request_struct_class([(self._place.topic, [self._place.partition], {})], {})


class _Marked(Response):  # type: ignore[misc]  # aiokafka ships no types
    API_KEY = 27
    API_VERSION = 1
    SCHEMA = Schema(
        (
            "markers",
            CompactArray(
                ("producer_id", Int64),
                (
                    "topics",
                    CompactArray(
                        ("name", _TEXT),
                        ("partitions", CompactArray(("partition", Int32), ("error_code", Int16), _TAGS)),
                        _TAGS,
                    ),
                ),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class _MarkStruct(RequestStruct):  # type: ignore[misc]  # aiokafka ships no types
    FLEXIBLE_VERSION = True
    API_KEY = 27
    API_VERSION = 1
    RESPONSE_TYPE = _Marked
    SCHEMA = Schema(
        (
            "markers",
            CompactArray(
                ("producer_id", Int64),
                ("producer_epoch", Int16),
                ("committed", Boolean),
                ("topics", CompactArray(("name", _TEXT), ("partitions", CompactArray(Int32)), _TAGS)),
                ("coordinator_epoch", Int32),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class _Mark(Request[_MarkStruct]):  # type: ignore[misc]  # aiokafka ships no types
    API_KEY = 27

    def __init__(self, producer_id: int, epoch: int, place: TopicPartition, coordinator_epoch: int) -> None:
        topics: list[object] = [(place.topic, [place.partition], {})]
        self._marker: tuple[object, ...] = (producer_id, epoch, True, topics, coordinator_epoch, {})

    def build(self, request_struct_class: type[_MarkStruct]) -> _MarkStruct:
        return request_struct_class([self._marker], {})


async def tear(bootstrap: str, partition: int, topics: Collection[str]) -> list[str]:
    """Commit what an open transaction has sent to this partition of these topics, and nothing else of it.

    Returns those of the topics where one was open.
    """
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        client.set_topics(list(topics))
        async with asyncio.timeout(_PATIENCE_S):
            while not set(topics) <= client.cluster.topics():
                await client.force_metadata_update()
            places = [TopicPartition(topic, partition) for topic in sorted(topics)]
            return [place.topic for place in places if await _commit(client, place)]
    finally:
        await client.close()


async def _commit(client: AIOKafkaClient, place: TopicPartition) -> bool:
    leader = client.cluster.leader_for_partition(place)
    described = await client.send(leader, _Describe(place))
    ((_, ((_, error, _, producers, _),), _),) = described.topics
    assert error == 0, described
    found = False
    for producer_id, epoch, _, _, coordinator_epoch, open_since, _ in producers:
        if open_since >= 0:
            marked = await client.send(leader, _Mark(producer_id, epoch, place, max(0, coordinator_epoch)))
            ((_, ((_, ((_, error, _),), _),), _),) = marked.markers
            assert error == 0, marked
            found = True
    return found
