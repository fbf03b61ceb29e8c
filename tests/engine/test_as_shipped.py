"""What Faust as shipped does where the engine stops; should one of these fail some day, its cure may go."""

import signal

import pytest

from streams.engine import ExitCode
from tests.engine.trial import Trial

pytestmark = pytest.mark.kafka
AS_SHIPPED = "tests.engine.as_shipped"


@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_a_hole_is_stepped_over_and_committed_past(trial: Trial) -> None:
    await trial.append_raw(b"1", b"2", transactional=True)
    await trial.append_raw(b"3")
    shipped = await trial.worker(AS_SHIPPED, group=f"{trial.prefix}.shipped")
    await trial.until_written("outputs", 3)
    assert await shipped.end(signal.SIGTERM) == 0
    assert await trial.committed(f"{trial.prefix}.shipped") == 4
    cured = await trial.worker()
    assert await cured.end() == ExitCode.HOLE


@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_an_event_whose_processing_failed_is_lost_and_committed_past(trial: Trial) -> None:
    await trial.append_raw(b"1", b"not a number", b"2")
    shipped = await trial.worker(AS_SHIPPED, group=f"{trial.prefix}.shipped")
    await trial.until_written("outputs", 2)
    assert await shipped.end(signal.SIGTERM) == 0
    assert (await trial.read("outputs"))[0] == [(b"raw", b"1"), (b"raw", b"3")]
    assert await trial.committed(f"{trial.prefix}.shipped") == 3
    cured = await trial.worker()
    assert await cured.end() == ExitCode.PROJECTION
