"""A trial from its topics to its verdict."""

import asyncio
import re
import shutil
import traceback
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path

from aiokafka.errors import KafkaError

from streams.engine import ExitCode
from streams.reading import BrokerUnreachable
from tests.faults.brokers import all_in_sync
from tests.faults.cluster import Cluster
from tests.faults.crew import Broken, Crew
from tests.faults.exits import out_of_place
from tests.faults.history import History
from tests.faults.judge import Verdict, judge
from tests.faults.places import Places
from tests.faults.trial import Play, Trial

_TRIAL_S = 400.0
_DELETION_S = 30.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Where trials are played: a Kafka, and a folder for what they leave behind."""

    bootstrap: str
    folder: Path
    cluster: Cluster | None = None

    @property
    def replication(self) -> int:
        """How many copies there are of everything."""
        return 1 if self.cluster is None else self.cluster.count


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of trial: its name, how it is played, on how many partitions, and on how many nodes of its own.

    Without nodes of its own it is played on the embedded broker. `ends_with`: the exit codes that belong to it, whether
    a worker ends by itself or when it is told to leave; any other is a failure.
    """

    name: str
    play: Play
    partitions: int = 4
    nodes: int = 0
    ends_with: tuple[ExitCode, ...] = ()


async def played(kind: Kind, stage: Stage, seed: int, *, planted: str | None = None) -> Verdict:
    """Play a trial and judge it. Its folder is removed if nothing was wrong; else history and logs are there."""
    folder = stage.folder / f"{re.sub('[^a-z0-9]+', '-', kind.name.lower())}-{seed}"
    folder.mkdir(parents=True)
    verdict = Verdict(folder=folder)
    places = Places(stage.bootstrap, f"faults-{folder.name}", kind.partitions, stage.replication)
    with History(folder / "history.jsonl") as history:
        history.note("trial", kind=kind.name, seed=seed, planted=planted)
        trial = Trial(places, seed, folder, history, Crew(history, folder), kind.name, stage.cluster, planted)
        try:
            async with aclosing(trial), asyncio.timeout(_TRIAL_S):
                await places.create_ledger()
                await places.create_outputs(trial.outputs)
                await kind.play(trial)
                await trial.quiet()
                if trial.before_damage is None:
                    await trial.until_covered()
                for slot in list(trial.crew.slots.values()):
                    await trial.crew.leave(slot)  # also those that are about to be started anew
                await judge(trial, verdict)
                verdict.trouble = verdict.trouble or out_of_place(history, kind.ends_with)
                if trial.nodes is not None:
                    await all_in_sync(trial)
        except Exception as error:  # noqa: BLE001 -- the run goes on, the verdict says what happened
            while isinstance(error, ExceptionGroup):  # of lanes side by side the first that broke
                error = error.exceptions[0]
            verdict.trouble = str(error) if isinstance(error, Broken) else "".join(traceback.format_exception(error))
        history.note("verdict", wrong=dict(verdict.wrong), findings=verdict.findings, trouble=verdict.trouble)
    with suppress(KafkaError, BrokerUnreachable, OSError, TimeoutError):  # what went wrong may be the broker
        async with asyncio.timeout(_DELETION_S):
            await places.delete()
    if verdict.good:
        shutil.rmtree(folder)
    return verdict
