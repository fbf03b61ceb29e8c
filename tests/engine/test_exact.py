"""Outputs, rows and cuts are those of the ledger, whatever happens to the workers."""

import signal

import pytest

from streams.engine import ExitCode
from tests.engine.asking import free_ports, until_shown
from tests.engine.trial import Trial

pytestmark = pytest.mark.kafka


async def test_a_worker_killed_in_mid_backlog_loses_and_repeats_nothing(trial: Trial) -> None:
    await trial.append(range(40_000))
    first = await trial.worker(instance_id="a", batch_max=500)
    await first.until_committed(4_000)
    assert await first.end(signal.SIGKILL) == -signal.SIGKILL
    assert sum(cut + 1 for cut in first.cuts.values()) < 40_000
    await trial.worker(instance_id="a")
    await trial.until_done()
    assert await trial.verdict() == "exact"


@pytest.mark.parametrize("stop_at", ["after_send_before_commit:3", "after_commit:3"])
async def test_a_worker_killed_around_its_commit_loses_and_repeats_nothing(trial: Trial, stop_at: str) -> None:
    await trial.append(range(20_000))
    first = await trial.worker(instance_id="a", batch_max=500, stop_at=stop_at)
    assert await first.end() == -signal.SIGKILL
    await trial.worker(instance_id="a")
    await trial.until_done()
    assert await trial.verdict() == "exact"


async def test_a_zombie_that_wakes_up_behind_its_successor_is_fenced_and_leaves(trial: Trial) -> None:
    await trial.append(range(40_000))
    zombie = await trial.worker(instance_id="a", batch_max=20)
    await zombie.until_committed(4_000)
    zombie.pause()
    successor = await trial.worker(instance_id="b", batch_max=500)
    await trial.until_done()
    assert successor.ready == {0, 1, 2, 3}
    zombie.wake()
    assert await zombie.end() == ExitCode.PRODUCER
    assert await trial.verdict() == "exact"
    await trial.append(range(40_000, 41_000))
    await trial.until_done()
    assert await trial.verdict() == "exact"


async def test_partitions_that_move_between_workers_lose_and_repeat_nothing(trial: Trial) -> None:
    await trial.append(range(40_000))
    first = await trial.worker(batch_max=20)
    await first.until_committed(2_000)
    second = await trial.worker(batch_max=500)
    await second.until_ready(2)
    assert await first.end(signal.SIGTERM) == 0
    await trial.append(range(40_000, 42_000))
    await trial.until_done()
    assert await trial.verdict() == "exact"
    assert await second.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_a_worker_without_partitions_is_ready_and_takes_over_when_the_other_leaves(trial: Trial) -> None:
    ports = free_ports(2)
    await trial.append(range(100))
    workers = [await trial.worker(status_port=port) for port in ports]
    shown = await until_shown(ports, [{"partition": 0, "folded": 99, "cut": 99, "ready": True}])
    assert await workers[0 if shown[ports[0]] else 1].end(signal.SIGTERM) == 0
    await trial.append(range(100, 200))
    await trial.until_done()
    assert await trial.verdict() == "exact"
