"""What `parley bench pipeline` and `latency` measure: ceilings and engine, each with its processes and topics."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, get_args

from streams.bench.machine import cores
from streams.bench.place import PARTITIONS, Place
from streams.bench.plain import PlainSettings
from streams.bench.plain import Work as PlainWork
from streams.bench.worker import Work as EngineWork
from streams.bench.worker import WorkerSettings
from streams.engine import EngineConfig
from streams.topics import APPENDED, CHANGES, CUTS, EVENTS, MEASURES, TABLES
from streams.worker import BATCH_RECORDS_MAX

Projections = Literal["tally", "full", "both"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One thing to be measured: its name, what it is, its ceiling, and how many processes do it."""

    name: str
    what: str
    work: PlainWork | EngineWork
    ceiling: str | None = None
    workers: int = 1

    @property
    def is_engine(self) -> bool:
        """Tell whether the engine does it, or plain aiokafka."""
        return self.work in get_args(EngineWork)

    @property
    def writes(self) -> bool:
        """Tell whether it writes to topics."""
        return self.is_engine or self.work == "fenced"


DECODE: Final = Stage("decode", "aiokafka: read, decode events", "decode", "consume")


def stages(projections: Projections) -> tuple[Stage, ...]:
    """Return what is measured, ceilings first."""
    chosen = [
        Stage("consume", "aiokafka: read", "consume"),
        Stage("orjson", "aiokafka: read, orjson", "orjson", "consume"),
        DECODE,
    ]
    if projections != "full":
        chosen += [
            Stage("fenced", "aiokafka: tally, transactions", "fenced", "orjson"),
            Stage("tally", "engine: tally", "tally", "fenced"),
        ]
    if projections != "tally":
        chosen.append(Stage("full", "engine: Parley", "full", "decode"))
    if projections != "tally" and cores() > 1:
        chosen.append(Stage("full-all", f"engine: Parley, {cores()} workers", "full", "decode", cores()))
    return tuple(chosen)


def latency_stages(projections: Projections) -> tuple[Stage, ...]:
    """Return whose latency is measured, ceilings first; the first does nothing between ledger and subscriber."""
    chosen = [
        Stage("read", "aiokafka: read", "consume"),
        Stage("fenced", "aiokafka: tally, transactions", "fenced", "read"),
    ]
    if projections != "full":
        chosen.append(Stage("tally", "engine: tally", "tally", "fenced"))
    if projections != "tally":
        chosen.append(Stage("full", "engine: Parley", "full", "fenced"))
    return tuple(chosen)


def processes(
    stage: Stage, here: Place, beside: Place, *, profile: bool = False, goes_on: bool = False
) -> tuple[str, list[dict[str, Any]]]:
    """Return the module that does a stage on the ledger `here`, and the settings of each of its processes.

    What they write goes to the topics of `beside`. What plain aiokafka does ends with the ledger unless it `goes_on`.
    """
    match stage.work:
        case "tally" | "full" as work:
            engine = asdict(engine_beside(here, beside, work))
            folders = [beside.folder / f"data-{number}" for number in range(stage.workers)]
            one = WorkerSettings(work, beside.prefix, engine, profile=profile, goes_on=goes_on)
            return "streams.bench.worker", [
                asdict(replace(one, engine={**engine, "data_directory": str(folder)})) for folder in folders
            ]
        case work:
            plain = PlainSettings(
                work=work,
                bootstrap=here.bootstrap,
                ledger=here.topic(EVENTS),
                partitions=PARTITIONS,
                outputs=beside.topic(CHANGES),
                rows=beside.topic(MEASURES),
                cuts=beside.topic(CUTS),
                transactional_id=beside.prefix,
                goes_on=goes_on,
            )
            return "streams.bench.plain", [asdict(plain)]


def engine_beside(here: Place, beside: Place, work: EngineWork) -> EngineConfig:
    """Return the settings of an engine that follows the ledger `here` and writes to the topics of `beside`."""
    engine = EngineConfig(
        name=beside.prefix,
        bootstrap=here.bootstrap,
        ledger=here.topic(EVENTS),
        cuts=beside.topic(CUTS),
        tables={topic.kind: beside.topic(topic) for topic in TABLES},
        partitions=PARTITIONS,
        group=f"{beside.prefix}-worker",
        outputs=tuple(beside.topic(topic) for topic in APPENDED),
    )
    return replace(engine, batch_max=BATCH_RECORDS_MAX) if work == "full" else engine
