"""Others at the same work: `python -m tests.peers` lets them do the tally on the ledger that Parley's engine reads.

Faust as shipped and Quix Streams, each as its users write it, beside the engine and the plain fenced pipeline on the
same broker. Quix Streams gets an environment of its own, made from the package registry at the versions of quix.txt.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from streams.bench.machine import command, machine
from streams.bench.pipeline import COLUMNS, Measured, figures, lines, measured_stage, workload
from streams.bench.place import PARTITIONS, Laid, Place, Tell, lay, place
from streams.bench.processes import crew
from streams.bench.stages import stages
from streams.bench.summary import markdown, table
from streams.bench.workload import records
from streams.doors import showing
from streams.topics import CHANGES, EVENTS
from streams.topics_on_kafka import ensure_topics
from tests.peers.environment import python_with_quix
from tests.peers.settings import PeerSettings

_HEARD_SHARE = 0.95  # a peer may lose its last events


@dataclass(frozen=True, slots=True)
class Peer:
    """A stream processor at the same work; a slow one is stopped after so many events."""

    name: str
    what: str
    module: str
    python: str
    events_max: int
    guarantee: str = "at-least-once"


def peers(chosen: Sequence[str], tell: Tell) -> Iterator[Peer]:
    """Give the peers that are asked for."""
    if "faust" in chosen:
        what = f"Faust {version('faust-streaming')} as shipped: tally"
        yield Peer("faust", what, "tests.peers.faust_as_shipped", sys.executable, 60_000)
    if "quix" in chosen:
        python, quix = python_with_quix(tell), _pinned("quixstreams")
        yield Peer("quix", f"Quix Streams {quix}: tally", "tests.peers.quix", python, 300_000)
        exactly = "exactly-once"
        yield Peer(
            "quix-exactly", f"Quix Streams {quix}, {exactly}: tally", "tests.peers.quix", python, 300_000, exactly
        )


def _pinned(package: str) -> str:
    pins = Path(__file__).with_name("quix.txt").read_text("utf-8").splitlines()
    return next(line.partition("==")[2] for line in pins if line.startswith(f"{package}=="))


async def measure(
    brokers: str | None, chosen: Sequence[str], *, events: int, seed: int, runs: int, tell: Tell
) -> dict[str, Any]:
    """Measure the fenced pipeline, the engine and the peers on one ledger."""
    load = machine()
    present = list(peers(chosen, tell))
    async with place(brokers) as here:
        laid = await lay(here, records(seed, events, partitions=PARTITIONS), events, tell)
        measured = [await _run(present, here, run, laid, tell) for run in range(1, runs + 1)]
    return {
        "schema": "parley.bench.peers/1",
        "command": command(),
        "machine": load,
        "workload": workload(laid, seed),
        "runs": [[asdict(one) for one in run] for run in measured],
    }


async def _run(present: Sequence[Peer], here: Place, run: int, laid: Laid, tell: Tell) -> list[Measured]:
    found: dict[str, Measured] = {}
    for stage in stages("tally"):
        if stage.writes:
            tell(f"run {run}: {stage.what}")
            beside = here.beside(f"{run}-{stage.name}")
            found[stage.name] = await measured_stage(stage, here, beside, laid, ceiling=found.get(stage.ceiling or ""))
    for peer in present:
        tell(f"run {run}: {peer.what}")
        beside = here.beside(f"{run}-{peer.name}")
        await ensure_topics(beside.bootstrap, beside.prefix, PARTITIONS)
        settings = PeerSettings(
            bootstrap=here.bootstrap,
            ledger=here.topic(EVENTS),
            outputs=beside.topic(CHANGES),
            partitions=PARTITIONS,
            group=beside.prefix,
            folder=str(beside.folder / "state"),
            guarantee=peer.guarantee,
        )
        async with crew(beside.folder, peer.module, [asdict(settings)], python=peer.python) as working:
            await working.until_total(int(min(laid.events, peer.events_max) * _HEARD_SHARE))
        found[peer.name] = figures(peer.name, peer.what, working, found["fenced"])
    return list(found.values())


def main() -> None:
    """Read the command line, measure, and print."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.peers", description=__doc__, epilog="Example: python -m tests.peers --peers faust"
    )
    parser.add_argument("--peers", default="faust,quix", help="which of them, separated by commas")
    parser.add_argument("--events", type=int, default=300_000, help="of the workload")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=1, help="how often; the table shows the median")
    parser.add_argument("--brokers", help="a Kafka, where changelogs of Quix Streams stay; else one made for this")
    parser.add_argument("--json", action="store_true", help="one JSON document (the default in a pipe)")
    parser.add_argument("--markdown", action="store_true", help="the table as it stands in the README")
    wanted = parser.parse_args()
    chosen = wanted.peers.split(",")
    if strange := set(chosen) - {"faust", "quix"}:
        parser.error(f"--peers: expected faust, quix or both, got {', '.join(sorted(strange))}")
    document = asyncio.run(
        measure(wanted.brokers, chosen, events=wanted.events, seed=wanted.seed, runs=wanted.runs, tell=showing.complain)
    )
    if wanted.markdown:
        sys.stdout.write(f"{markdown(COLUMNS, lines(document))}\n")
    elif showing.wants_json(as_json=wanted.json, as_table=False):
        showing.emit_json(document)
    else:
        showing.console().print(table(document["command"], COLUMNS, lines(document)))


if __name__ == "__main__":
    main()
