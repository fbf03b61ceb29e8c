"""Pauses: workers that stand still beyond their session, and wake up behind a successor."""

from tests.faults.trial import Trial


async def zombie(trial: Trial) -> None:
    """Pause a worker in mid-backlog, let another one take over, and wake the first one up."""
    await trial.preload(6_000)
    trial.load(per_second=800)
    first = await trial.start("a", instance_id="a")
    await trial.until_moved(trial.random.randint(500, 3_000))
    await trial.pause(first)
    second = await trial.start("b", instance_id="b")
    await trial.until(lambda: len(second.ready) >= trial.places.partitions, "the successor to be ready")
    await trial.until_moved(trial.random.randint(1, 2_000))
    await trial.woken(first)


async def zombie_with_a_batch_in_hand(trial: Trial) -> None:
    """Pause a worker between a batch's outputs and its transaction; wake it when its successor has done it all."""
    await trial.preload(3_000)
    first = await trial.start("a", instance_id="a", batch_max=20, pause=f"project:{trial.random.randint(5, 60)}")
    await trial.paused(first, "project")
    await trial.start("b", instance_id="b")
    await trial.until_covered()
    await trial.woken(first)  # nothing follows: a row that it overwrites stays so


async def successor_reads_the_cut_early(trial: Trial) -> None:
    """Let the predecessor wake up just when its successor has read the cut."""
    await trial.preload(3_000)
    first = await trial.start("a", batch_max=20, pause=f"project:{trial.random.randint(5, 60)}")
    await trial.paused(first, "project")
    second = await trial.start("b", pause="cut_read")
    await trial.paused(second, "cut_read")
    await trial.woken(first)
    trial.wake(second)
