"""Kills: at random times, and at every named point of the protocol."""

from tests.faults.trial import Trial

POINTS = ("after_fence", "after_cut_read", "after_fold", "after_project", "after_send_before_commit", "after_commit")


async def at_random(trial: Trial) -> None:
    """Kill -9 a worker in mid-backlog, some times over; the same identity goes on."""
    await trial.preload(4_000)
    trial.load(per_second=1_000)
    slot = await trial.start("a", instance_id="a")
    for _ in range(trial.random.randint(3, 5)):
        await trial.until_moved(trial.random.randint(200, 2_500))
        await trial.kill(slot)


async def at_points(trial: Trial) -> None:
    """Have a worker kill itself at each point of the protocol in turn, and start it anew each time."""
    await trial.preload(4_000)
    trial.load(per_second=800)
    slot = await trial.start("a", instance_id="a")
    await trial.until_moved(1_000)
    await trial.crew.leave(slot)
    for point in trial.random.sample(POINTS, len(POINTS)):
        visit = 1 if point in POINTS[:3] else trial.random.randint(1, 20)
        # whoever has a snapshot that stands at the cut folds nothing
        instance = "empty disk" if point == "after_fold" else "a"
        slot = await trial.start("a", instance_id=instance, stop_at=f"{point}:{visit}")
        slot.wanted = False
        await trial.killed(slot, point)
    await trial.start("a", instance_id="a")


async def inside_an_open_transaction(trial: Trial) -> None:
    """Have a worker die when everything is sent and nothing committed."""
    await _once(trial, "after_send_before_commit:3")


async def behind_a_commit(trial: Trial) -> None:
    """Have a worker die just when a commit is acknowledged."""
    await _once(trial, "after_commit:3")


async def _once(trial: Trial, point: str) -> None:
    await trial.preload(1_500)
    slot = await trial.start("a", instance_id="a", stop_at=point)
    await trial.killed(slot, point)
