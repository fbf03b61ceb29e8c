"""A tally worker: `python -m tests.faults.worker SETTINGS.json`; it tells its progress, a JSON line each.

Beside the engine's own settings: `outputs` (prefix of the output topics), `version` and `majors` of the tally, `kept`
(whether its state is kept in snapshots), `pause`
("project:5": SIGSTOP to itself in the fifth batch that it projects, "cut_read": once it has read a cut), and `planted`
(the name of a bug, see `tests.faults.planted`).
"""

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from streams.engine import EngineConfig, Outputs, Progress, Record, build_app, moves, run
from streams.engine.partition import LedgerPartition
from tests.faults.kept_tally import KeptTally
from tests.faults.planted import PLANTED
from tests.faults.tally import Places, Tally

OWN = ("set", "version", "majors", "kept", "pause", "planted")


def tell(**fields: object) -> None:
    """Tell whoever started this worker."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def pause(where: str) -> None:
    """Stop this process, all of it, until somebody sends SIGCONT."""
    tell(paused=where)
    os.kill(os.getpid(), signal.SIGSTOP)


def pause_in_batch(number: int) -> None:
    """Pause this process in its nth batch, projected and not yet sent."""
    project = Tally.project
    left = [number]

    def pausing(tally: Tally, records: Sequence[Record], outputs: Outputs) -> None:
        project(tally, records, outputs)
        left[0] -= 1
        if left[0] == 0:
            pause("project")

    Tally.project = pausing  # type: ignore[assignment]


def pause_after_reading_the_cut() -> None:
    """Pause this process once, when the first cut was read."""
    read = LedgerPartition._read_cut  # noqa: SLF001 -- a point of the protocol that a test stops at
    left = [True]

    async def pausing(held: LedgerPartition) -> moves.Event:
        found = await read(held)
        if left:
            left.clear()
            pause("cut_read")
        return found

    LedgerPartition._read_cut = pausing  # type: ignore[assignment]  # noqa: SLF001 -- as above


def show(progress: Progress) -> None:
    """Tell how far a partition is."""
    tell(partition=progress.partition, folded=progress.folded, cut=progress.cut, ready=progress.ready)


def show_snapshot(partition: int, again: int) -> None:
    """Tell that a snapshot of a partition was taken, and how often what was drawn ahead of it was changed again."""
    tell(snapshot=partition, again=again)


def main(settings: Mapping[str, object]) -> None:
    """Run a worker with these settings."""
    own = {name: settings.get(name) for name in OWN}
    config = EngineConfig(**{name: value for name, value in settings.items() if name not in OWN})  # type: ignore[arg-type]
    point, _, visits = str(own["pause"] or "").partition(":")
    if point == "project":
        pause_in_batch(int(visits))
    elif point == "cut_read":
        pause_after_reading_the_cut()
    places = Places(*(f"{own['set']}.{name}" for name in ("changes", "alerts", "dead-letters")))
    if own["planted"]:
        PLANTED[str(own["planted"])]()
    majors = own["majors"] if isinstance(own["majors"], list) else [1]
    version = str(own["version"] or "1")

    def tally(partition: int) -> Tally:
        if not own["kept"]:
            return Tally(places, config.partitions, version=version, majors=majors)
        taken = partial(show_snapshot, partition)
        return KeptTally(places, config.partitions, version=version, majors=majors, on_taken=taken)

    run(build_app(config, tally, on_progress=show))


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
