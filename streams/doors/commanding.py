"""What every command of the command line shares: the app, the common options, and how faults become exit codes."""

import asyncio
import errno
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn, TextIO, TypeVar

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.changes import FOLD_VERSION
from streams import ledger_file
from streams.bench.faults import BenchFailed
from streams.broker import BrokerAlreadyRuns, BrokerError
from streams.broker_reaching import BrokerUnreachable
from streams.doors import showing
from streams.doors.asking import UnknownNegotiation
from streams.doors.dead_letters.decisions import UnreadableDecision
from streams.doors.demo import DemoFailed
from streams.doors.fsck import NotComparable
from streams.doors.kafka import UnreadableOutput
from streams.doors.waiting import NotReached
from streams.doors.watching import BadCursor
from streams.engine import ExitCode, UnreadableCutError
from streams.processes import NotStarted
from streams.producing import AppendFailed
from streams.projection import UpgradeNeeded
from streams.reading import HoleInTopic, RecordsGone, StrangeBatch
from streams.settings import Settings, UsageError
from streams.topics import TopicMissing
from streams.topics_on_kafka import TopicError
from streams.worker import OtherVersion

T = TypeVar("T")
DIFFERENT: Final = 1
USAGE: Final = 2
BAD_INPUT: Final = 3
UNREACHABLE: Final = 4
READER_GONE: Final = 128 + signal.SIGPIPE
INTERRUPTED: Final = 128 + signal.SIGINT

app = typer.Typer(
    name="parley",
    help="An open ledger of negotiations between governments: what is in force, what is due, and on whose word.",
    epilog="Example: $ parley state us-china --ledger demo --at 2025-10-31T12:00:00-04:00",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Brokers = Annotated[str | None, typer.Option("--brokers", help="HOST:PORT of your Kafka; else the embedded one.")]
Prefix = Annotated[str | None, typer.Option("--prefix", help="First part of the topics' names.")]
Outputs = Annotated[str | None, typer.Option("--outputs", help="Name of a set of derived topics; else the usual one.")]


def _one_form(context: typer.Context, wanted: bool) -> bool:  # noqa: FBT001 -- typer calls it so
    """Return whether this form of the answer is wanted; asked for beside the other one it ends the command."""
    if wanted and (context.params.get("as_json") or context.params.get("as_table")):
        raise typer.BadParameter("expected --json or --table, not both")
    return wanted


AsJson = Annotated[bool, typer.Option("--json", help="One JSON document (the default in a pipe).", callback=_one_form)]
AsTable = Annotated[
    bool, typer.Option("--table", help="Tables for people (the default on a terminal).", callback=_one_form)
]

JsonLines = Annotated[bool, typer.Option("--json", help="A line of JSON each, for programs; else lines for people.")]


def in_utf8(text: str | None) -> str | None:
    """Return what was typed, for options that go into records; bytes that are no text end the command."""
    if text is not None and not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise typer.BadParameter("expected text in UTF-8") from error
    return text


Negotiation = Annotated[str, typer.Argument(help="The negotiation, such as us-china.", callback=in_utf8)]
OneNegotiation = Annotated[str | None, typer.Argument(help="Only this negotiation.", callback=in_utf8)]


def _tell_version(wanted: bool) -> None:  # noqa: FBT001 -- typer calls it so
    if wanted:
        showing.console().print(f"parley {version('parley-ledger')}, fold version {FOLD_VERSION}")
        raise typer.Exit


@app.callback()
def common(
    _: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """Take what stands before a command."""


def settings_with(prefix: str | None, outputs: str | None = None) -> Settings:
    """Return the settings, with another prefix or set of outputs if given. What cannot be ends the command."""
    given = {name: value for name, value in (("prefix", prefix), ("outputs", outputs)) if value is not None}
    try:
        return Settings().changed(**given)
    except ValidationError as error:
        leave("\n".join(_complaint(one, given) for one in error.errors(include_url=False)), USAGE, error)


def _complaint(one: ErrorDetails, given: Mapping[str, str]) -> str:
    name = str(one["loc"][0]) if one["loc"] else "settings"
    said = one["msg"].removeprefix("Value error, ")
    return f"{f'--{name}' if name in given else f'PARLEY_{name.upper()}'}: {said}; got {one['input']!r}"


@contextmanager
def faults() -> Iterator[None]:
    """Turn what can go wrong into a message that says what to do, and an exit code. A bug stays the error it is."""
    try:
        yield
    except BrokerAlreadyRuns as error:
        showing.complain(str(error))
        raise typer.Exit(0) from error
    except (
        BrokerUnreachable,
        BrokerError,
        NotStarted,
        TopicMissing,
        HoleInTopic,
        RecordsGone,
        StrangeBatch,
        AppendFailed,
        NotReached,
        DemoFailed,
        BenchFailed,
    ) as error:
        leave(str(error), UNREACHABLE, error)
    except (
        ledger_file.BadLedgerFile,
        UnknownNegotiation,
        BadCursor,
        TopicError,
        NotComparable,
        UpgradeNeeded,
        UnreadableDecision,
        UnreadableCutError,
        UnreadableOutput,
    ) as error:
        leave(str(error), BAD_INPUT, error)
    except OtherVersion as error:
        leave(str(error), ExitCode.VERSION, error)
    except UsageError as error:
        leave(str(error), USAGE, error)


def leave(message: str, code: int, error: BaseException | None = None) -> NoReturn:
    """Say what went wrong and end with an exit code."""
    showing.complain(f"parley: {message}")
    raise typer.Exit(code) from error


def answered(work_to_do: Callable[[], Coroutine[Any, Any, T]], *, until_told: bool = False) -> T:
    """Run a command's work to its end and return what it found; its faults end the command.

    Ctrl-C is the end of one that works `until_told` to stop. Of any other it leaves half an answer, which must not pass
    for a whole one.
    """
    with faults():
        try:
            return asyncio.run(work_to_do())
        except KeyboardInterrupt as error:
            if until_told:
                raise typer.Exit(0) from error
            leave("interrupted: the answer is not whole", INTERRUPTED, error)
    raise AssertionError("unreachable")


def run() -> None:
    """Run the command line to its end. What no command can tell by itself becomes words and an exit code here."""
    _refuse_closed_output()
    try:
        app(prog_name="parley")
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # both typer and rich make 1 of it
            sys.exit(READER_GONE)
        raise
    except KeyboardInterrupt:  # before typer looks for it
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG}:
            raise
        with suppress(OSError):
            showing.complain(f"parley: the answer could not be written whole: {error.strerror}")
        os._exit(UNREACHABLE)  # what is left in the buffer would fail once more


def _refuse_closed_output() -> None:
    """End where whoever started this process has closed standard output: the next file opened would take its place."""
    output: TextIO | None = sys.stdout
    errors: TextIO | None = sys.stderr
    if errors is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 -- for as long as the process lives
    if output is None:
        showing.complain("parley: standard output is closed: there is nowhere to answer. Name a file: > FILE")
        sys.exit(UNREACHABLE)
