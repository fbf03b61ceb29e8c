"""A real Kafka for tests: `kafka` is its address, `prefix` a topic prefix that no other test uses."""

import itertools
import shutil
from collections.abc import Iterator

import pytest

from streams.broker import BrokerAddress, EmbeddedBroker

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerAddress]:
    """One broker on a free port, in a temporary folder; it ends with the session, however that ends."""
    folder = tmp_path_factory.mktemp("kafka")
    try:
        with EmbeddedBroker(folder) as address:
            yield address
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def prefix() -> str:
    """Give the first part of topic names that belong to one test."""
    return f"test{next(_numbers)}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for the broker, so that it can be left out."""
    for item in items:
        if "kafka" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.kafka)
