"""Damage done to the ledger by a person: the worker has to stop before a commit, and to say so."""

from streams.engine import ExitCode
from tests.faults.crew import Slot
from tests.faults.trial import Trial


async def hole(trial: Trial) -> None:
    """Write to the ledger in a transaction: an offset has no record."""
    await trial.preload(1_000)
    slot = await trial.start("a", instance_id="a")
    await trial.until_moved(500)
    slot.wanted = False
    draft = trial.author("marker").draft(0)
    await trial.places.write_a_marker(draft.partition, draft.key, draft.value)
    await trial.preload(1_000, "behind")
    await _damaged(trial, slot, "hole", ExitCode.HOLE)


async def _damaged(trial: Trial, slot: Slot, damage: str, *codes: int) -> None:
    trial.before_damage = await trial.places.read(trial.places.ledger)
    everything = sum(map(len, trial.before_damage.values()))
    trial.strike(damage, trial.places.ledger)
    await trial.until(lambda: slot.process is None or trial.committed >= everything, f"{slot.name} to stop or to pass")
    if slot.process is None:
        await trial.stopped(slot, *codes)
