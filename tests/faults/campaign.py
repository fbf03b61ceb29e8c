"""Rounds of trials: every kind once a round, in an order of the seed's."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Event

from streams.broker import EmbeddedBroker
from tests.faults.cluster import Cluster
from tests.faults.judge import Verdict
from tests.faults.playing import Kind, Stage, played

KEPT_MAX = 20
"""So many folders of trials that went wrong are kept; of later ones only the table tells."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One trial that was played."""

    kind: str
    seed: int
    seconds: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Plan:
    """What to play: kinds, how many rounds of them (the seeds are `seed`, `seed` + 1, …), and for how long at most."""

    kinds: Sequence[Kind]
    rounds: int
    seed: int
    seconds_max: float = float("inf")


async def campaign(plan: Plan, folder: Path, tell: Callable[[Outcome], None]) -> list[Outcome]:
    """Play a plan; tell of each trial as it ends. No trial is begun after `seconds_max`."""
    begun = time.monotonic()
    outcomes: list[Outcome] = []
    for seed in range(plan.seed, plan.seed + plan.rounds):
        shuffled = Random(seed).sample(plan.kinds, len(plan.kinds))  # noqa: S311 -- an order, not a secret
        for nodes in sorted({kind.nodes for kind in plan.kinds}):
            if time.monotonic() - begun > plan.seconds_max:
                return outcomes
            async with staged(nodes, folder) as stage:
                for kind in (kind for kind in shuffled if kind.nodes == nodes):
                    if time.monotonic() - begun > plan.seconds_max:
                        break
                    at = time.monotonic()
                    verdict = await played(kind, stage, seed)
                    outcome = Outcome(kind.name, seed, time.monotonic() - at, verdict)
                    outcomes.append(outcome)
                    tell(outcome)
                    if sum(not one.verdict.good for one in outcomes) > KEPT_MAX:
                        shutil.rmtree(verdict.folder, ignore_errors=True)
    return outcomes


@asynccontextmanager
async def staged(nodes: int, folder: Path) -> AsyncIterator[Stage]:
    """Give a stage with that many nodes of its own, or (0) on the embedded broker; its Kafka is gone afterwards."""
    place = folder / f"kafka-{nodes}"
    if nodes == 0:
        broker, over = EmbeddedBroker(place), Event()
        starting = asyncio.create_task(asyncio.to_thread(broker.start, over=over))
        try:
            address = await asyncio.shield(starting)
            yield Stage(address.bootstrap, folder / "trials")
        finally:
            over.set()  # a thread cannot be cancelled
            await asyncio.gather(starting, return_exceptions=True)
            await asyncio.to_thread(broker.stop)
            shutil.rmtree(place, ignore_errors=True)
        return
    cluster = Cluster(place, nodes)
    try:
        await cluster.start()
        yield Stage(cluster.bootstrap, folder / "trials", cluster)
    finally:
        await cluster.stop()
        shutil.rmtree(place, ignore_errors=True)


def new_folder() -> Path:
    """Return a new folder for a campaign."""
    return Path(tempfile.mkdtemp(prefix="parley-faults-"))
