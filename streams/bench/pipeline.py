"""How many events a second: the engine with the tally and with all of Parley, beside the ceilings of the same run.

All stages read the same ledger, one after the other. A ceiling is what plain aiokafka makes of it, with the same work
and without a frame.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from streams.bench.machine import command, machine
from streams.bench.place import PARTITIONS, Laid, Place, Tell, lay, place, remove_topics
from streams.bench.processes import Crew, crew
from streams.bench.sampling import steady, totals
from streams.bench.stages import Projections, Stage, processes, stages
from streams.bench.summary import Spread, written
from streams.bench.tables import Written, written_on
from streams.bench.workload import NAME, NEGOTIATIONS, records
from streams.topics_on_kafka import ensure_topics

SCHEMA: Final = "parley.bench.pipeline/1"
COLUMNS: Final = ("stage", "events/s", "µs CPU/event", "of its ceiling", "bytes out/event", "bytes RAM/row")


@dataclass(frozen=True, slots=True)
class Measured:
    """What a stage came to in one run: rate and CPU time over its steady part, memory and outputs over all of it."""

    stage: str
    what: str
    workers: int
    events: int
    events_per_s: float
    cpu_us_per_event: float
    ceiling: str | None
    of_ceiling: float | None
    sent_bytes_per_event: float | None
    written: Written | None = None
    resident_bytes_per_row: float | None = None
    profiles: tuple[Mapping[str, Any], ...] = ()


async def pipeline(
    brokers: str | None,
    *,
    events: int,
    seed: int,
    projections: Projections,
    runs: int,
    profile: bool,
    tell: Tell,
) -> dict[str, Any]:
    """Measure all stages, several times on one ledger; return the document that `parley bench pipeline` prints.

    BenchFailed when a stage cannot be measured, or what it wrote does not add up.
    """
    load = machine()
    async with place(brokers) as here:
        laid = await lay(here, records(seed, events, partitions=PARTITIONS), events, tell)
        measured = [await _run(here, run, laid, projections, profile=profile, tell=tell) for run in range(1, runs + 1)]
    return {
        "schema": SCHEMA,
        "command": command(),
        "machine": load,
        "workload": workload(laid, seed),
        "runs": [[asdict(one) for one in run] for run in measured],
    }


def lines(document: Mapping[str, Any]) -> list[list[str]]:
    """Return a line for each stage of the document: the median of its runs, with the lowest and the highest."""
    found = []
    for of_stage in zip(*document["runs"], strict=True):
        first = of_stage[0]
        figures = [
            written(Spread.of(one[name] for one in of_stage), digits)
            for name, digits in (
                ("events_per_s", 0),
                ("cpu_us_per_event", 1),
                ("of_ceiling", 2),
                ("sent_bytes_per_event", 0),
                ("resident_bytes_per_row", 0),
            )
        ]
        found.append([first["what"], *figures])
    return found


async def _run(
    here: Place, run: int, laid: Laid, projections: Projections, *, profile: bool, tell: Tell
) -> list[Measured]:
    found: dict[str, Measured] = {}
    for stage in stages(projections):
        tell(f"run {run}: {stage.what}")
        beside = here.beside(f"{run}-{stage.name}")
        found[stage.name] = await measured_stage(
            stage, here, beside, laid, ceiling=found.get(stage.ceiling or ""), profile=profile
        )
    return list(found.values())


async def measured_stage(
    stage: Stage, here: Place, beside: Place, laid: Laid, *, ceiling: Measured | None, profile: bool = False
) -> Measured:
    """Measure a stage on the ledger `here`; what it writes goes beside, and is removed once it was counted."""
    if stage.writes:
        await ensure_topics(beside.bootstrap, beside.prefix, PARTITIONS)
    module, settings = processes(stage, here, beside, profile=profile)
    async with crew(beside.folder, module, settings) as working:
        await working.until_done(laid.ends)
    outputs = await written_on(beside, laid.ends) if stage.is_engine else None
    if stage.writes:
        await remove_topics(beside.bootstrap, beside.prefix)
    found = figures(stage.name, stage.what, working, ceiling, workers=stage.workers)
    grown = sum(samples[-1].resident_bytes - samples[0].resident_bytes for samples in working.of_each())
    return replace(
        found,
        written=outputs,
        resident_bytes_per_row=round(grown / outputs.rows, 1) if outputs is not None and stage.work == "full" else None,
        profiles=working.profiles(),
    )


def figures(name: str, what: str, working: Crew, ceiling: Measured | None, *, workers: int = 1) -> Measured:
    """Return what processes came to over their steady part."""
    part = steady(working.samples, workers)
    events = totals(working.samples)[-1]
    sent = sum(samples[-1].sent_bytes for samples in working.of_each())
    return Measured(
        stage=name,
        what=what,
        workers=workers,
        events=events,
        events_per_s=round(part.rate, 1),
        cpu_us_per_event=round(part.cpu_us, 2),
        ceiling=ceiling.stage if ceiling is not None else None,
        of_ceiling=round(part.rate / ceiling.events_per_s, 3) if ceiling is not None else None,
        sent_bytes_per_event=round(sent / events, 1) if sent else None,
    )


def workload(laid: Laid, seed: int) -> dict[str, Any]:
    """Return what was measured on, as it stands in the documents."""
    return {
        "name": NAME,
        "seed": seed,
        "events": laid.events,
        "negotiations": NEGOTIATIONS,
        "partitions": PARTITIONS,
        "bytes_per_event": round(laid.value_bytes / laid.events, 1),
        "appended_per_s": round(laid.events / laid.seconds, 1),
    }
