"""What the Kafka client or the frame would keep to itself: the worker says so and leaves, or goes on."""

import signal

import pytest

from streams.engine import ExitCode
from tests.engine.severed import PARTS
from tests.engine.trial import Trial

pytestmark = pytest.mark.kafka


async def test_a_ledger_that_went_back_under_a_running_worker_stops_it(trial: Trial) -> None:
    worker = await trial.worker()
    await trial.append_raw(*[b"%d" % number for number in range(50)])
    await worker.until_committed(50)
    worker.pause()
    await trial.delete_topic("ledger")
    await trial.create_topics("ledger")
    await trial.append_raw(*[b"%d" % number for number in range(20)])
    worker.wake()
    assert await worker.end() == ExitCode.LEDGER
    assert f"{trial.ledger}/0 went back: expected offset 50, got 0" in worker.tail()


@pytest.mark.parametrize("part", PARTS)
async def test_a_part_of_the_client_that_ends_ends_the_worker(
    trial: Trial, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEVERED", part)
    worker = await trial.worker("tests.engine.severed")
    await trial.append_raw(b"1")
    assert await worker.end() == ExitCode.PRODUCER
    assert f"the part of the Kafka client that {part} ended with " in worker.tail()
    assert "handler is closed" in worker.log.read_text("utf-8")


@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_a_worker_without_partitions_stays_in_its_group(trial: Trial) -> None:
    at_work = await trial.worker(instance_id="a")
    await at_work.until_ready(1)
    waits = await trial.worker(instance_id="b")
    impatient = await trial.worker("tests.engine.impatient", instance_id="c", request_timeout=7.0)
    assert await impatient.end() == ExitCode.PRODUCER
    assert "expected a place in the group within 7.0 s" in impatient.tail()
    assert waits.process.returncode is None
    await at_work.end(signal.SIGKILL)
    await trial.append_raw(b"1")
    await waits.until_committed(1)
    assert await trial.verdict() == "exact"
