"""Transactions that the cluster tears apart: some topics are committed, the others aborted."""

from tests.faults.places import APPENDED, TABLES
from tests.faults.trial import Trial
from tests.tearing import tear

_POINT = "after_send_before_commit"


async def apart(trial: Trial) -> None:
    """Have a worker die with everything sent, some times over, and the cluster commit a part of that.

    It is the changes without the cut or the cut without the changes, and of the other topics any.
    """
    await trial.preload(4_000)
    trial.load(per_second=500)
    for number in range(trial.random.randint(3, 5)):
        visit = trial.random.randint(2, 12)
        slot = await trial.start("a", instance_id="a", stop_at=f"{_POINT}:{visit}")
        slot.wanted = False
        await trial.killed(slot, f"{_POINT}:{visit}")
        topics = [f"{trial.outputs}.{name}" for name in _parts(trial, has_the_cut=number % 2 == 0)]
        torn = [await tear(trial.places.bootstrap, n, topics) for n in range(trial.places.partitions)]
        assert any(torn), topics
        trial.strike("transaction torn", "a", topics=sorted({topic for one in torn for topic in one}))
    await trial.start("a", instance_id="a")


def _parts(trial: Trial, *, has_the_cut: bool) -> list[str]:
    others = [name for name in (*APPENDED, *TABLES) if name != "changes"]
    chosen = trial.random.sample(others, trial.random.randint(0, len(others)))
    return ["cuts" if has_the_cut else "changes", *chosen]
