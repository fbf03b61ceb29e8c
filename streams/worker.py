"""The worker process: Parley's projection on the engine."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final, NoReturn

from ledger.history import LEADS
from streams.engine import Cut, EngineConfig
from streams.projection import LedgerProjection, fold_version
from streams.settings import Settings, usable_folder
from streams.topics import APPENDED, CUTS, EVENTS, TABLES

BATCH_RECORDS_MAX: Final = 1_000


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
    prefix = settings.installation
    return EngineConfig(
        name=prefix,
        bootstrap=bootstrap,
        ledger=EVENTS.name(prefix),
        cuts=CUTS.name(prefix),
        tables={topic.kind: topic.name(prefix) for topic in TABLES},
        partitions=partitions,
        group=worker_group(settings),
        outputs=tuple(topic.name(prefix) for topic in APPENDED),
        instance_id=instance,
        status_port=status_port,
        data_directory=str(worker_folder(settings)),
        set_aside_hint="parley set-aside {partition}:{offset}",
        stop_at=stop_at,
        # a batch is finished before partitions are given away: a report costs a quarter of a millisecond, so that
        # four partitions side by side take about a second for it
        batch_max=BATCH_RECORDS_MAX,
    )


def worker_folder(settings: Settings) -> Path:
    """Return where the workers of these outputs keep what they can make again."""
    return settings.state_directory / f"worker{settings.installation.removeprefix(settings.prefix)}"


def worker_group(settings: Settings) -> str:
    """Return the consumer group that the workers of these outputs share."""
    return f"{settings.installation}-worker"


def leads(settings: Settings) -> tuple[str, ...]:
    """Return the lead times as the fold takes them."""
    return tuple(str(lead) for lead in settings.lead_times) or LEADS


class OtherVersion(Exception):  # noqa: N818 -- the state of the outputs
    """The outputs were written by another fold version, or not by Parley; the message says the way out."""


def refuse_other_version(settings: Settings, cuts: Iterable[Cut]) -> None:
    """Raise OtherVersion if one of these cuts was not written by the fold that these settings make.

    The engine says so too, behind the fence, for whoever comes between; here the way out can be named.
    """
    own = fold_version(leads(settings))
    for cut in cuts:
        if cut.version != own:
            raise OtherVersion(
                f"the cut of {cut.topic}/{cut.partition} was written by fold version {cut.version!r}, this worker "
                f"folds version {own!r}, and two versions must not mix in one table. Run the version (with the lead "
                "times) that wrote it, or write a second set of outputs beside this one: `parley worker --outputs "
                "NAME`, then `parley fsck --against NAME`, then PARLEY_OUTPUTS=NAME for all. See the runbook."
            )


def work(config: EngineConfig, settings: Settings) -> NoReturn:
    """Run the worker as this process until it is told to stop, or a fault stops it."""
    from streams.engine import build_app, run  # noqa: PLC0415 -- Faust takes long to import and no other command needs it

    usable_folder(Path(config.data_directory))
    prefix, partitions, lead_times = settings.installation, config.partitions, leads(settings)
    app = build_app(
        config,
        lambda _: LedgerProjection(prefix=prefix, partitions=partitions, leads=lead_times),
    )
    run(app)
