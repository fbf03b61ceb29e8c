"""A trial of its own for each test of the engine."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streams.broker import BrokerAddress
from tests.engine.trial import Trial


@pytest.fixture
async def trial(kafka: BrokerAddress, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Trial]:
    partitions = getattr(request, "param", 4)
    async with _trial(kafka, tmp_path.name, tmp_path, partitions) as trial:
        yield trial


@pytest.fixture
async def sides(
    kafka: BrokerAddress, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[tuple[Trial, Trial]]:
    """Give two trials of one partition unless told otherwise: for Faust as shipped, and for the engine."""
    partitions = getattr(request, "param", 1)
    shipped, cured = tmp_path / "shipped", tmp_path / "cured"
    shipped.mkdir()
    cured.mkdir()
    async with (
        _trial(kafka, f"{tmp_path.name}-shipped", shipped, partitions) as one,
        _trial(kafka, f"{tmp_path.name}-cured", cured, partitions) as other,
    ):
        yield one, other


@asynccontextmanager
async def _trial(kafka: BrokerAddress, name: str, directory: Path, partitions: int) -> AsyncIterator[Trial]:
    trial = Trial(kafka.bootstrap, f"engine-{os.getpid()}-{name}", directory, partitions)
    await trial.create_topics()
    try:
        yield trial
    finally:
        await trial.close()
