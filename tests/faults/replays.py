"""Replays from zero: fresh groups fold the same ledger into outputs of their own, anywhere and on any number."""

from collections.abc import Sequence

from tests.faults.crew import Broken, Slot
from tests.faults.places import APPENDED, TABLES
from tests.faults.trial import Trial

PLACES = (
    {"TZ": "Asia/Shanghai", "LC_ALL": "C", "PYTHONHASHSEED": "0"},
    {"TZ": "America/New_York", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "4242"},
    {"TZ": "Pacific/Chatham", "LC_ALL": "POSIX", "PYTHONHASHSEED": "random"},
)


async def from_zero(trial: Trial) -> None:
    """Fold a ledger that has seen a kill by 1, 2 and 3 workers elsewhere in the world, one of them killed each time."""
    await trial.preload(4_000)
    slot = await trial.start("a", instance_id="a")
    await trial.until_moved(trial.random.randint(200, 1_500))
    await trial.kill(slot)
    await trial.until_covered()
    for number, environment in enumerate(PLACES, start=1):
        outputs = f"{trial.places.prefix}.again{number}"
        await trial.places.create_outputs(outputs)
        trial.replays.append(outputs)
        crew = [
            await trial.crew.start(
                f"{number}{name}", trial.settings(outputs, instance_id=name, batch_max=200), environment=environment
            )
            for name in "abc"[:number]
        ]
        # one that comes late may get no partition: two of three can hold all four
        await trial.until(lambda crew=crew: bool(_at_work(crew)), "a replay to begin")  # type: ignore[misc]
        await trial.kill(trial.random.choice(_at_work(crew)), outputs=outputs)
        await trial.until_covered(crew)
        for one in crew:
            await trial.crew.leave(one)
    await alike(trial)


def _at_work(crew: Sequence[Slot]) -> list[Slot]:
    return [slot for slot in crew if any(cut >= 0 for cut in slot.cuts.values())]


async def alike(trial: Trial) -> None:
    """See that what the replays wrote is the same, byte for byte; the judge compares each with the reference too."""
    for name in (*APPENDED, *TABLES):
        sets: list[object] = []
        for outputs in (trial.outputs, *trial.replays):
            read = await trial.places.read(f"{outputs}.{name}")
            if name in TABLES:
                sets.append({n: {one.key: one.value for one in records} for n, records in read.items()})
            else:
                sets.append({n: [(one.key, one.value, one.headers) for one in found] for n, found in read.items()})
        if any(one != sets[0] for one in sets[1:]):
            raise Broken(f"expected the same {name} from every replay")
