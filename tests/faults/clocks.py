"""Clocks that are wrong: a strike an hour early alerts nobody."""

import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.faults.crew import Slot
from tests.faults.events import HOUR_MS
from tests.faults.trial import Trial


def clock_command(settings: Path) -> Sequence[str]:
    """Return the command of the tally's clock."""
    return (sys.executable, "-m", "tests.faults.clock", str(settings))


async def an_hour_fast(trial: Trial) -> None:
    """Run a clock that is an hour fast beside a worker under load."""
    await _beside(trial, HOUR_MS)


async def an_hour_slow(trial: Trial) -> None:
    """Run a clock that is an hour slow, and kill it once."""
    await _beside(trial, -HOUR_MS)


async def _beside(trial: Trial, fast_by_ms: int) -> None:
    await trial.preload(1_500)
    trial.load(per_second=300)
    clock = await start_clock(trial, fast_by_ms)
    await trial.start("a", instance_id="a")
    await trial.until_moved(1_000)
    await trial.kill(clock)
    told = clock.told
    await trial.until(lambda: clock.told > told, "the clock to strike again")
    await trial.quiet()
    await stop_clock(trial, clock)


async def start_clock(trial: Trial, fast_by_ms: int) -> Slot:
    """Start a clock that is wrong by so much, and wait until it has struck."""
    settings = {
        "bootstrap": trial.places.bootstrap,
        "ledger": trial.places.ledger,
        "partitions": trial.places.partitions,
        "outputs": trial.outputs,
        "fast_by_ms": fast_by_ms,
        "decides": trial.planted == "deaf_to_strikes",
    }
    clock = await trial.crew.start("clock", settings, command=clock_command)
    await trial.until(lambda: clock.told > 0, "the clock to strike")
    trial.strike(f"clock {fast_by_ms // HOUR_MS:+d} h", "clock")
    return clock


async def stop_clock(trial: Trial, clock: Slot) -> None:
    """Kill -9 a clock for good."""
    clock.wanted = False
    trial.crew.signal(clock, signal.SIGKILL)
    await trial.crew.end_of(clock)
