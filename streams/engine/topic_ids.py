"""The broker's id of a topic: the one thing that tells a topic from a later one of the same name.

aiokafka speaks the metadata request up to version 5, ids came with version 10; this is version 12 of it.
"""

import asyncio
import base64
from collections.abc import Callable, Coroutine, Iterator, Sequence
from io import BytesIO
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

from streams.engine.asking import ask_all, ask_in_turn

_NO_ID = bytes(16)


class _Id(AbstractType):  # type: ignore[misc]  # aiokafka ships no types
    """Sixteen bytes."""

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        """Return the bytes as they are."""
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        """Read sixteen bytes."""
        return data.read(16)


class _Response(Response):  # type: ignore[misc]  # aiokafka ships no types
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", _Id),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _RequestStruct(RequestStruct):  # type: ignore[misc]  # aiokafka ships no types
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = _Response
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Id), ("name", CompactString("utf-8")), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _TopicIdRequest(Request[_RequestStruct]):  # type: ignore[misc]  # aiokafka ships no types
    API_KEY = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_RequestStruct]) -> _RequestStruct:
        return request_struct_class([(_NO_ID, topic, {}) for topic in self._topics], False, False, {})  # noqa: FBT003  wire fields


class SharedQuestion:
    """One question for all who ask the same at the same time.

    An answer is of use to whoever asked before the question was sent. So those who come while one is under way share
    the next, which is sent when the answer is there: four partitions that commit side by side ask half as often.
    """

    def __init__(self) -> None:
        self._asked: asyncio.Task[str | None] | None = None
        self._next: asyncio.Task[str | None] | None = None

    async def ask(self, question: Callable[[], Coroutine[Any, Any, str | None]]) -> str | None:
        """Return the answer to a question that is sent after this call: this one, or the same of another's."""
        if self._next is None:
            self._next = asyncio.create_task(self._ask(self._asked, question))
        return await asyncio.shield(self._next)

    async def _ask(
        self, before: asyncio.Task[str | None] | None, question: Callable[[], Coroutine[Any, Any, str | None]]
    ) -> str | None:
        if before is not None:
            await asyncio.wait([before])
        self._asked, self._next = self._next, None  # who comes from now on is too late for this question
        return await question()


async def topic_ids(
    client: AIOKafkaClient, topics: Sequence[str], *, first: int | None = None, within: float | None = None
) -> dict[str, str | None]:
    """Return the ids of topics as Kafka's own tools print them. KafkaError where that cannot be told.

    None where a topic is not there, or the brokers too old to have ids. The brokers are asked as `ask_in_turn` says.
    """
    ids: dict[str, str | None] = dict.fromkeys(topics)

    def all_known(response: Any) -> bool | None:  # noqa: ANN401 - aiokafka ships no types
        ids.update((name, found) for name, found in _told(response) if ids[name] is None)
        return None if None in ids.values() else True

    try:
        await ask_in_turn(client, _TopicIdRequest(topics), all_known, first=first, within=within)
    except IncompatibleBrokerVersion:  # brokers without version 12
        return dict.fromkeys(topics)
    return ids


async def agreed_ids(client: AIOKafkaClient, topics: Sequence[str], within: float) -> dict[str, str]:
    """Return the ids of topics on which all brokers agree that answer in time and know them.

    One that lags behind the others goes on saying what it knew: neither its word nor theirs is proof against the other.
    """
    said: dict[str, set[str]] = {topic: set() for topic in topics}
    for response in await ask_all(client, _TopicIdRequest(topics), within):
        for name, found in _told(response):
            said[name].add(found)
    return {topic: ids.pop() for topic, ids in said.items() if len(ids) == 1}


def _told(response: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - aiokafka ships no types
    for _, name, found, *_ in response.topics:
        if found != _NO_ID:
            yield name, base64.urlsafe_b64encode(found).rstrip(b"=").decode()


async def topic_id(client: AIOKafkaClient, topic: str) -> str | None:
    """Return the id of one topic, as `topic_ids` does."""
    return (await topic_ids(client, [topic]))[topic]
