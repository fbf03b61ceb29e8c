"""The worker process: Parley's projection on the engine."""

from pathlib import Path
from typing import NoReturn

from ledger.history import LEADS
from streams.engine import EngineConfig
from streams.projection import LedgerProjection
from streams.settings import Settings
from streams.topics import CUTS, EVENTS, TABLES


def engine_config(
    settings: Settings,
    bootstrap: str,
    partitions: int,
    *,
    instance: str | None = None,
    status_port: int | None = None,
    stop_at: str | None = None,
) -> EngineConfig:
    """Return the settings of the engine: topics by prefix, the tables by their short names."""
    prefix = settings.prefix
    return EngineConfig(
        name=prefix,
        bootstrap=bootstrap,
        ledger=EVENTS.name(prefix),
        cuts=CUTS.name(prefix),
        tables={topic.suffix.split(".")[0]: topic.name(prefix) for topic in TABLES},
        partitions=partitions,
        group=f"{prefix}-worker",
        instance_id=instance,
        status_port=status_port,
        data_directory=str(settings.state_directory / "worker"),
        set_aside_hint="parley set-aside {partition}:{offset}",
        stop_at=stop_at,
    )


def leads(settings: Settings) -> tuple[str, ...]:
    """Return the lead times as the fold takes them."""
    return tuple(str(lead) for lead in settings.lead_times) or LEADS


def work(config: EngineConfig, settings: Settings) -> NoReturn:
    """Run the worker as this process until it is told to stop, or a fault stops it."""
    from streams.engine import build_app, run  # noqa: PLC0415 -- Faust takes long to import and no other command needs it

    Path(config.data_directory).mkdir(parents=True, exist_ok=True)
    prefix, partitions, lead_times = settings.prefix, config.partitions, leads(settings)
    app = build_app(
        config,
        lambda _: LedgerProjection(prefix=prefix, partitions=partitions, leads=lead_times),
    )
    run(app)
