"""Outputs, rows and cuts are those of the ledger, whatever happens to the workers."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streams.broker import BrokerAddress
from tests.engine.trial import Trial

pytestmark = pytest.mark.kafka


@pytest.fixture
async def trial(kafka: BrokerAddress, tmp_path: Path) -> AsyncIterator[Trial]:
    trial = Trial(kafka.bootstrap, f"engine-{os.getpid()}-{tmp_path.name}", tmp_path)
    await trial.create_topics()
    yield trial
    await trial.close()


async def test_an_undisturbed_worker_writes_what_the_ledger_says(trial: Trial) -> None:
    await trial.append(range(5_000))
    await trial.worker()
    await trial.until_done()
    assert await trial.verdict() == "exact"


async def test_a_worker_killed_in_mid_backlog_loses_and_repeats_nothing(trial: Trial) -> None:
    await trial.append(range(40_000))
    first = await trial.worker(instance_id="a", batch_max=500)
    await first.until_committed(4_000)
    assert await first.end(signal.SIGKILL) == -signal.SIGKILL
    assert sum(cut + 1 for cut in first.cuts.values()) < 40_000
    await trial.worker(instance_id="a")
    await trial.until_done()
    assert await trial.verdict() == "exact"
