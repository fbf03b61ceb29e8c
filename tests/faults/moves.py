"""Partitions on the move: workers come, go and are restarted one after the other, all under load."""

from tests.faults.crew import Broken, Slot
from tests.faults.trial import Trial


async def one_three_two_one(trial: Trial) -> None:
    """Have one worker, then three, two and one again."""
    await trial.preload(3_000)
    trial.load(per_second=600)
    await trial.start("a")
    await trial.until_moved(500)
    await trial.burst(1_500)
    joined = [await trial.start(name) for name in ("b", "c")]
    trial.strike("rebalance", "1 to 3")
    await trial.until(lambda: all(slot.ready for slot in joined), "both new workers to have partitions")
    for slot in trial.random.sample(joined, 2):
        await trial.until_moved(500)
        await trial.burst(1_500)
        await _leaves(trial, slot, "rebalance")


async def rolling_restart(trial: Trial) -> None:
    """Restart three workers one after the other, each under its own identity."""
    await trial.preload(2_000)
    trial.load(per_second=600)
    slots = [await trial.start(name, instance_id=name) for name in ("a", "b", "c")]
    await trial.until(lambda: all(slot.ready for slot in slots), "all workers to have partitions")
    for slot in slots:
        await trial.burst(1_500)
        await _leaves(trial, slot, "restart")
        again = await trial.start(slot.name, instance_id=slot.name)
        await trial.until(lambda slot=again: bool(slot.ready), f"{again.name} to be back")  # type: ignore[misc]


async def asked_to_leave(trial: Trial) -> None:
    """Ask the only worker to leave (SIGTERM) in mid-backlog, and start it anew, some times over."""
    await trial.preload(3_000)
    trial.load(per_second=800)
    for _ in range(3):
        slot = await trial.start("a", instance_id="a")
        await trial.until_moved(trial.random.randint(200, 1_500))
        await trial.burst(1_500)
        await _leaves(trial, slot, "SIGTERM")
    await trial.start("a", instance_id="a")


async def _leaves(trial: Trial, slot: Slot, fault: str) -> None:
    code = await trial.crew.leave(slot)
    trial.strike(fault, slot.name)
    if code != 0:
        raise Broken(f"expected {slot.name} to leave with 0, got {code}\n{trial.crew.tail(slot)}")
