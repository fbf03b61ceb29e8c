"""A trial of its own for each test of the engine."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streams.broker import BrokerAddress
from tests.engine.trial import Trial


@pytest.fixture
async def trial(kafka: BrokerAddress, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Trial]:
    partitions = getattr(request, "param", 4)
    trial = Trial(kafka.bootstrap, f"engine-{os.getpid()}-{tmp_path.name}", tmp_path, partitions)
    await trial.create_topics()
    yield trial
    await trial.close()
