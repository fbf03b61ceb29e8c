"""Local snapshots: damaged ones, and those of another partition, are never believed; others are drawn ahead."""

import shutil
import signal
from pathlib import Path

from tests.faults.crew import Broken
from tests.faults.trial import Trial


async def damaged(trial: Trial) -> None:
    """Kill a worker, change bytes all over its snapshots, and have it go on."""
    files = await _killed(trial)
    for file in files:
        content = bytearray(file.read_bytes())
        for _ in range(20):
            content[trial.random.randrange(len(content))] ^= 1 << trial.random.randrange(8)
        file.write_bytes(content)
    await _go_on(trial)


async def foreign(trial: Trial) -> None:
    """Kill a worker, give each partition the snapshot of another, and have it go on."""
    files = await _killed(trial)
    for file in files:
        shutil.copy(file, file.with_name(f"{file.name}.copy"))
    for file, other in zip(files, [*files[1:], files[0]], strict=True):
        file.with_name(f"{other.name}.copy").replace(file)
    await _go_on(trial)


async def drawn_ahead(trial: Trial) -> None:
    """Kill -9 a worker under load whose snapshot was drawn ahead in part, and have it go on from that, three times."""
    trial.load(per_second=300)
    slot = await trial.start("a", instance_id="a", kept=True)
    for _ in range(3):
        # the one before was written by then, so whichever is on the disk is such a one
        await trial.until(lambda: slot.changed_again.get(0, 0) > 1, "two snapshots of what changes while it is drawn")
        trial.crew.signal(slot, signal.SIGSTOP)  # else another snapshot might be written before work is waiting
        await trial.burst(200)
        await trial.kill(slot)
    await trial.until_moved(500)


async def _killed(trial: Trial) -> list[Path]:
    await trial.preload(3_000)
    slot = await trial.start("a", instance_id="a", kept=True)
    await trial.until_covered()
    await trial.crew.leave(slot)
    await trial.preload(2_000, "behind")
    slot = await trial.start("a", instance_id="a", kept=True, stop_at="after_commit:3")
    slot.wanted = False
    await trial.killed(slot, "after_commit:3")
    files = sorted((trial.folder / "faust").rglob("*.snapshot"))
    if len(files) != trial.places.partitions:
        raise Broken(f"expected a snapshot for each of {trial.places.partitions} partitions, found {files}")
    for file in files:  # what is not in the file itself yet would bring its damage back to order
        for suffix in ("-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
    return files


async def _go_on(trial: Trial) -> None:
    slot = await trial.start("a", instance_id="a", kept=True)
    await trial.until_covered()
    if not trial.crew.said(slot, "thrown away"):
        raise Broken(f"expected the worker to throw a snapshot away\n{trial.crew.tail(slot)}")
