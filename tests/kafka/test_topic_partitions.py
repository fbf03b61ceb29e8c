"""Asking whether a topic exists does not make it, whatever the brokers are told to do about topics that do not."""

from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from streams import broker
from streams.broker import EmbeddedBroker
from streams.broker_properties import server_properties
from streams.producing import LedgerWriter
from streams.reading import open_reader
from streams.topics import EVENTS, TopicMissing
from streams.topics_on_kafka import ensure_topics


@pytest.fixture
def makes_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the embedded broker make each topic that somebody asks for."""

    def told_otherwise(**where: object) -> str:
        told = server_properties(**where)  # type: ignore[arg-type]
        return told.replace("auto.create.topics.enable=false", "auto.create.topics.enable=true")

    monkeypatch.setattr(broker, "server_properties", told_otherwise)


async def topics_of(bootstrap: str) -> set[str]:
    """Return the names of the topics that there are."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return {str(name) for name in await admin.list_topics()}
    finally:
        await admin.close()


@pytest.mark.kafka
@pytest.mark.usefixtures("makes_topics")
async def test_neither_a_reader_nor_a_writer_makes_the_topic_that_it_misses(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as address:
        with pytest.raises(TopicMissing):
            async with open_reader(address.bootstrap, "gone", "read_committed"):
                raise AssertionError("there is no such topic")
        with pytest.raises(TopicMissing):
            async with LedgerWriter(address.bootstrap, "gone"):
                raise AssertionError("there is no such topic")
        await ensure_topics(address.bootstrap, "there", 3)
        async with open_reader(address.bootstrap, EVENTS.name("there"), "read_committed") as reader:
            assert reader.partitions == (0, 1, 2)
        assert "gone" not in await topics_of(address.bootstrap)
