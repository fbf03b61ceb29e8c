"""Damage done to the ledger by a person: the worker has to stop before a commit, and to say so."""

import signal
from collections.abc import Awaitable, Callable

from streams.engine import ExitCode
from tests.faults.crew import Slot
from tests.faults.trial import Trial

Damage = Callable[[Trial], Awaitable[None]]


async def hole(trial: Trial) -> None:
    """Write to the ledger in a transaction: an offset has no record."""
    slot = await _running(trial)
    draft = trial.author("marker").draft(0)
    await trial.places.write_a_marker(draft.partition, draft.key, draft.value)
    await trial.preload(1_000, "behind")
    trial.before_damage = await trial.places.read(trial.places.ledger)
    trial.strike("hole", trial.places.ledger)
    await _stops(trial, slot, ExitCode.HOLE)


async def made_anew(trial: Trial) -> None:
    """Delete the ledger while nobody follows it, and make one of the same name that is longer."""
    await _while_nobody_follows(trial, _make_anew, ExitCode.LEDGER)


async def made_anew_under_a_running_worker(trial: Trial) -> None:
    """Do so within a moment in which the worker stands still: it never sees that the ledger was gone."""
    await _while_it_stands_still(trial, _make_anew, ExitCode.LEDGER, ExitCode.PRODUCER)


async def _make_anew(trial: Trial) -> None:
    await trial.preload(500, "behind")
    trial.before_damage = await trial.places.read(trial.places.ledger)
    await trial.places.delete(trial.places.ledger)
    trial.strike("made anew", trial.places.ledger)
    await trial.places.create_ledger()
    await trial.preload(3_000, "anew")


async def records_deleted(trial: Trial) -> None:
    """Delete records that nobody has projected yet, while nobody follows the ledger."""
    await _while_nobody_follows(trial, _delete, ExitCode.HOLE)


async def records_deleted_under_a_running_worker(trial: Trial) -> None:
    """Delete records before a worker that stands still has come so far."""
    await _while_it_stands_still(trial, _delete, ExitCode.HOLE, ExitCode.LEDGER)


async def _delete(trial: Trial) -> None:
    await trial.preload(3_000, "behind")
    trial.before_damage = await trial.places.read(trial.places.ledger)
    for n, records in trial.before_damage.items():
        await trial.places.delete_records(n, len(records) - 5)
    trial.strike("records deleted", trial.places.ledger)


async def retention_changed(trial: Trial) -> None:
    """Give the ledger a retention while nobody follows it, until the broker has thrown records away."""
    await _while_nobody_follows(trial, _expire, ExitCode.HOLE)


async def retention_changed_under_a_running_worker(trial: Trial) -> None:
    """Give the ledger a retention that takes records before a worker that stands still has come so far."""
    await _while_it_stands_still(trial, _expire, ExitCode.HOLE, ExitCode.LEDGER, session_timeout=15.0)


async def _expire(trial: Trial) -> None:
    """Have the broker throw away everything written by now, put the retention back, and go on appending."""
    await trial.preload(2_000, "behind")
    trial.before_damage = await trial.places.read(trial.places.ledger)
    ends = await trial.places.ends()
    await trial.places.configure(trial.places.ledger, {"retention.ms": "1", "segment.ms": "1"})
    trial.strike("retention changed", trial.places.ledger)
    await trial.preload(200, "in a new segment")
    await trial.places.until_begins_at(ends)
    await trial.places.configure(trial.places.ledger, {"retention.ms": "-1"})
    await trial.preload(1_000, "afterwards")


async def _while_nobody_follows(trial: Trial, damage: Damage, *codes: int) -> None:
    slot = await _running(trial)
    await trial.crew.leave(slot)
    await damage(trial)
    slot = await trial.start("a", instance_id="a")
    slot.wanted = False
    await _stops(trial, slot, *codes)


async def _while_it_stands_still(trial: Trial, damage: Damage, *codes: int, **changes: float) -> None:
    slot = await _running(trial, **changes)
    trial.crew.signal(slot, signal.SIGSTOP)
    await damage(trial)
    trial.crew.signal(slot, signal.SIGCONT)
    await _stops(trial, slot, *codes)


async def _running(trial: Trial, **changes: float) -> Slot:
    await trial.preload(1_000)
    slot = await trial.start("a", instance_id="a", **changes)
    await trial.until_covered()
    slot.wanted = False
    return slot


async def _stops(trial: Trial, slot: Slot, *codes: int) -> None:
    """Wait until the worker has stopped with one of these codes; or has passed it all, which is for the judge."""
    assert trial.before_damage is not None
    everything = sum(map(len, trial.before_damage.values()))
    await trial.until(lambda: slot.process is None or trial.committed >= everything, f"{slot.name} to stop or to pass")
    if slot.process is None:
        await trial.stopped(slot, *codes)
