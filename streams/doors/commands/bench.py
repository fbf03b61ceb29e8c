"""`parley bench`: what this machine makes of Parley, beside what it could do at best."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from streams.bench import latency as of_latency
from streams.bench import pipeline as of_pipeline
from streams.bench import poison as of_poison
from streams.bench import recovery as of_recovery
from streams.bench.summary import markdown, table
from streams.doors import showing
from streams.doors.commanding import INTERRUPTED, AsJson, AsTable, Brokers, answered, app, faults
from streams.settings import UsageError

bench = typer.Typer(no_args_is_help=True, epilog="Example: $ parley bench pipeline --projection tally")
app.add_typer(bench, name="bench", help="Measure this machine: events a second, latency, recovery, poison.")

T = TypeVar("T")
Seed = Annotated[int, typer.Option("--seed", help="Of the workload.", min=0)]
Runs = Annotated[int, typer.Option("--runs", help="How often; the table shows the median.", min=1, max=20)]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="The table as it stands in the README.")]


_RATE_MAX: Final = 5_000


class Which(StrEnum):
    """Which projections are measured."""

    TALLY = "tally"
    FULL = "full"
    BOTH = "both"


@bench.command(name="pipeline", epilog="Example: $ parley bench pipeline --events 20000 --projection tally")
def pipeline(
    events: Annotated[int, typer.Option("--events", help="How many.", min=1_000)] = 300_000,
    seed: Seed = 1,
    projection: Annotated[Which, typer.Option("--projection", help="Which work.")] = Which.BOTH,
    runs: Runs = 1,
    profile: Annotated[bool, typer.Option("--profile", help="Also show where the engine's time goes.")] = False,
    brokers: Brokers = None,
    as_json: AsJson = False,
    as_table: AsTable = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Measure events a second, CPU time and memory of the engine, and the ceilings in the same run."""
    with _telling() as tell:
        found = _measured(
            lambda: of_pipeline.pipeline(
                brokers,
                events=events,
                seed=seed,
                projections=projection.value,
                runs=runs,
                profile=profile,
                tell=tell,
            )
        )
    _show(
        found,
        of_pipeline.COLUMNS,
        of_pipeline.lines(found),
        as_json=as_json,
        as_table=as_table,
        as_markdown=as_markdown,
    )


@bench.command(name="latency", epilog="Example: $ parley bench latency --rate 50,500 --seconds 20")
def latency(
    rate: Annotated[str, typer.Option("--rate", help="Events a second, one after the other.")] = "50,500",
    seconds: Annotated[float, typer.Option("--seconds", help="At each rate.", min=1)] = 20.0,
    warm: Annotated[float, typer.Option("--warm", help="Seconds of work before, not counted.", min=0)] = 60.0,
    history: Annotated[int, typer.Option("--history", help="Events on the ledger before.", min=1_000)] = 20_000,
    own_core: Annotated[
        bool,
        typer.Option(
            "--own-core/--shared-cores",
            help="Whether the worker has a core to itself, as with `parley up --own-core`; there have to be two.",
        ),
    ] = True,
    seed: Seed = 1,
    projection: Annotated[Which, typer.Option("--projection", help="Which work.")] = Which.BOTH,
    runs: Runs = 1,
    brokers: Brokers = None,
    as_json: AsJson = False,
    as_table: AsTable = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Measure how long from an acknowledged append to the change in a subscriber's hands, and the ceilings."""
    with _telling() as tell, faults():
        rates = _rates(rate)
        found = _measured(
            lambda: of_latency.latency(
                brokers,
                rates=rates,
                seconds=seconds,
                warm=warm,
                history=history,
                seed=seed,
                projections=projection.value,
                own_core=own_core,
                runs=runs,
                tell=tell,
            )
        )
    _show(
        found, of_latency.COLUMNS, of_latency.lines(found), as_json=as_json, as_table=as_table, as_markdown=as_markdown
    )


@bench.command(name="recovery", epilog="Example: $ parley bench recovery --events 100000 --kills 10")
def recovery(
    events: Annotated[int, typer.Option("--events", help="Of history on the ledger.", min=1_000)] = 1_000_000,
    kills: Annotated[int, typer.Option("--kills", help="How often the worker is killed.", min=1, max=1_000)] = 20,
    seed: Seed = 1,
    brokers: Brokers = None,
    as_json: AsJson = False,
    as_table: AsTable = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Measure how long a killed worker, and one with an empty disk, takes until it applies new events."""
    with _telling() as tell:
        found = _measured(lambda: of_recovery.recovery(brokers, events=events, kills=kills, seed=seed, tell=tell))
    _show(
        found,
        of_recovery.COLUMNS,
        of_recovery.lines(found),
        as_json=as_json,
        as_table=as_table,
        as_markdown=as_markdown,
    )


@bench.command(name="poison", epilog="Example: $ parley bench poison --rounds 20")
def poison(
    rounds: Annotated[int, typer.Option("--rounds", help="How often each kind is tried.", min=1, max=1_000)] = 20,
    seed: Seed = 1,
    brokers: Brokers = None,
    as_json: AsJson = False,
    as_table: AsTable = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Measure how much longer a change takes when a record that is no event stands before its event."""
    with _telling() as tell:
        found = _measured(lambda: of_poison.poison(brokers, rounds=rounds, seed=seed, tell=tell))
    _show(found, of_poison.COLUMNS, of_poison.lines(found), as_json=as_json, as_table=as_table, as_markdown=as_markdown)


def _measured(measure: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Measure as `answered` does; SIGTERM and Ctrl-C end it so that no process and no topic is left behind."""

    async def measure_until_told() -> T:
        measuring = asyncio.ensure_future(measure())
        for one in (signal.SIGTERM, signal.SIGINT):  # a shell starts what it runs in the background deaf to Ctrl-C
            asyncio.get_running_loop().add_signal_handler(one, measuring.cancel)
        try:
            return await measuring
        except asyncio.CancelledError:
            raise typer.Exit(INTERRUPTED) from None

    return answered(measure_until_told)


def _rates(text: str) -> list[float]:
    try:
        rates = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(f"--rate {text}: expected numbers such as 50,500") from error
    if not all(0 < rate <= _RATE_MAX for rate in rates):
        raise UsageError(f"--rate {text}: expected rates of more than 0 and at most {_RATE_MAX}")
    return rates


@contextmanager
def _telling() -> Iterator[Callable[[str], None]]:
    """Give a way to say what goes on, beside the answer: a line that changes on a terminal, else lines."""
    if not sys.stderr.isatty():
        yield showing.complain
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, transient=True, console=Console(stderr=True)) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda text: bar.update(task, description=text)


def _show(
    document: Mapping[str, Any],
    columns: Sequence[str],
    lines: Sequence[Sequence[str]],
    *,
    as_json: bool,
    as_table: bool,
    as_markdown: bool,
) -> None:
    if as_markdown:
        sys.stdout.write(f"{markdown(columns, lines)}\n")
    elif showing.wants_json(as_json=as_json, as_table=as_table):
        showing.emit_json(document)
    else:
        showing.console().print(table(document["command"], columns, lines))
