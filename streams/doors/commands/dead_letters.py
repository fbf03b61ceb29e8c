"""`parley dead-letters`: what could not be read, and what is decided about it."""

import sys
from collections.abc import Callable, Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from schemas.codec import EVENT_BYTES_MAX
from streams.doors import showing
from streams.doors.arriving import standard_input
from streams.doors.asking import position
from streams.doors.commanding import (
    BAD_INPUT,
    AsJson,
    AsTable,
    Brokers,
    Outputs,
    Prefix,
    answered,
    app,
    in_utf8,
    leave,
    settings_with,
)
from streams.doors.connecting import connect
from streams.doors.dead_letters import deciding, telling
from streams.doors.dead_letters.decisions import (
    BY_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
    Decision,
    account,
    read_decisions,
)
from streams.doors.dead_letters.letters import NoDeadLetter, find_letter, original_bytes
from streams.doors.progress import told_if_slow
from streams.engine.halt import StopPoint
from streams.ledger_file import BadLedgerFile
from streams.projection import LedgerProjection
from streams.reading import read_set_asides
from streams.settings import Settings, UsageError
from streams.topics import EVENTS
from streams.worker import leads

dead_letters = typer.Typer(no_args_is_help=True, epilog="Example: $ parley dead-letters list --state open")
app.add_typer(dead_letters, name="dead-letters", help="What could not be read: look at it, retry it, discard it.")

T = TypeVar("T")
_LINES_MAX: Final = 10_000
_FILE_BYTES_MAX: Final = EVENT_BYTES_MAX + (64 << 10)  # blanks around an event are none of it

Place = Annotated[
    str, typer.Argument(metavar="PARTITION:OFFSET", help="The record's position on the ledger, as `list` names it.")
]
By = Annotated[str | None, typer.Option("--by", help="Who decides; else the account's name.", callback=in_utf8)]


class State(StrEnum):
    """What became of a dead letter."""

    OPEN = "open"
    RETRIED = "retried"
    DISCARDED = "discarded"


@dead_letters.command(name="list", epilog="Example: $ parley dead-letters list --state open --code not_json")
def list_command(
    state: Annotated[State | None, typer.Option("--state", help="Only these.")] = None,
    code: Annotated[str | None, typer.Option("--code", help="Only those with this code.")] = None,
    limit: Annotated[int, typer.Option("--limit", help="The newest so many.", min=1, max=_LINES_MAX)] = 100,
    brokers: Brokers = None,
    prefix: Prefix = None,
    outputs: Outputs = None,
    as_json: AsJson = False,
    as_table: AsTable = False,
) -> None:
    """List what could not be read: where, when, why, and whether somebody has dealt with it."""
    settings = settings_with(prefix, outputs)

    async def look() -> telling.Listed:
        bootstrap = connect(settings, brokers)
        _, decisions = await read_decisions(bootstrap, settings.installation)
        return await telling.listed(
            bootstrap,
            settings.installation,
            decisions,
            limit=limit,
            wanted=lambda its_state, its_code: state in {None, its_state} and code in {None, its_code},
            progress=count.add,
        )

    with told_if_slow("dead letters") as count:
        found = answered(look)
    left_out = found.matching - len(found.lines)
    if showing.wants_json(as_json=as_json, as_table=as_table):
        showing.emit_json(
            {
                "schema": "parley.dead-letters/1",
                "ledger": EVENTS.name(settings.installation),
                "outputs": settings.outputs,
                "counts": found.counts,
                "left_out": left_out,
                "of_another_ledger": found.of_another_ledger,
                "strange": found.strange,
                "dead_letters": found.lines,
            }
        )
    else:
        out = showing.console()
        out.print(showing.dead_letters_view(found.lines))
        out.print(", ".join(f"{count} {name}" for name, count in found.counts.items()) + ".")
        if left_out:
            out.print(f"{left_out} older ones are left out: --limit shows more, --state and --code choose.")
    if found.strange:
        showing.complain(
            f"{found.strange} records on that topic were not written by a worker and are left out: `parley fsck`."
        )
    if found.of_another_ledger:
        showing.complain(
            f"{found.of_another_ledger} dead letters are left out: they speak of a ledger that was deleted and made "
            "anew. Give the new one new derived topics (runbook, exit code 76)."
        )


@dead_letters.command(epilog="Example: $ parley dead-letters show 2:1841 --raw > fixed.json")
def show(
    place: Place,
    raw: Annotated[bool, typer.Option("--raw", help="Nothing but the record's bytes, all of them.")] = False,
    brokers: Brokers = None,
    prefix: Prefix = None,
    outputs: Outputs = None,
    as_json: AsJson = False,
    as_table: AsTable = False,
) -> None:
    """Show all there is to know about one: its bytes and headers, what is wrong and where, and what to do."""
    settings = settings_with(prefix, outputs)

    async def look() -> tuple[dict[str, Any], bytes | None]:
        where = position(place)
        bootstrap = connect(settings, brokers)
        letter = await find_letter(bootstrap, settings.installation, where)
        _, decisions = await read_decisions(bootstrap, settings.installation)
        value = await original_bytes(bootstrap, settings.installation, letter)
        aside = await read_set_asides(bootstrap, settings.installation)
        return telling.whole(letter, value, decisions.get(where), aside=aside.get(where)), value

    found, value = _decided(look)
    if raw:
        if value is None:
            leave(f"{place} has no bytes: {found['reason']}", BAD_INPUT)
        sys.stdout.buffer.write(value)
        sys.stdout.flush()
    elif showing.wants_json(as_json=as_json, as_table=as_table):
        about = {"ledger": EVENTS.name(settings.installation), "outputs": settings.outputs}
        showing.emit_json({"schema": "parley.dead-letter/1", **about, **found})
    else:
        _show(found)


def _show(found: dict[str, Any]) -> None:
    told = [(name, str(found[name])) for name in ("position", "dead_letter", "at", "state", "code", "reason")]
    told += [("set aside because", found["set_aside_because"])] if found["set_aside_because"] is not None else []
    told += [("pointer", found["pointer"]), ("bytes", str(found["bytes"]))]
    told += [("key", telling.written_text(found["key"]))]
    told += [(f"header {one['name']}", telling.written_text(one)) for one in found["headers"]]
    decision = found["decision"] or {}
    told += [(name, str(decision[name])) for name in ("verdict", "by", "reason", "event") if decision.get(name)]
    out = showing.console()
    for name, text in told:
        out.print(f"{name}: {text}")
    out.print(telling.written_text(found["value"]))
    out.print(str(found["next"]))


@dead_letters.command(epilog="Example: $ parley dead-letters retry 2:1841 --file fixed.json")
def retry(
    place: Place,
    file: Annotated[
        str | None, typer.Option("--file", help="The mended event; - for standard input. Else the bytes as they are.")
    ] = None,
    by: By = None,
    brokers: Brokers = None,
    prefix: Prefix = None,
    outputs: Outputs = None,
    as_json: AsJson = False,
    as_table: AsTable = False,
    stop_at: Annotated[str | None, typer.Option("--stop-at", hidden=True)] = None,
) -> None:
    """Append the event that the record should have been, once: mended, or as it is for a Parley that can read it."""
    settings = settings_with(prefix, outputs)
    stop_point = StopPoint(stop_at)

    async def append() -> deciding.Retried:
        fixed = _content(file) if file is not None else None
        return await deciding.retry(
            _where(settings, brokers, place, by, count.add),
            fixed,
            lambda partitions: LedgerProjection(
                prefix=settings.installation, partitions=partitions, leads=leads(settings)
            ),
            appended=lambda: stop_point.pass_by("after_append"),
        )

    with told_if_slow("records of the ledger") as count:
        done = _decided(append)
    refused = [] if done.refusal is None else [{"line": 1, **done.refusal._asdict()}]
    accepted = int(done.decision is not None and not done.was_there)
    report: dict[str, Any] = {"accepted": accepted, "duplicates": int(done.was_there), "refused": refused}
    if showing.wants_json(as_json=as_json, as_table=as_table):
        about = _about(settings, place, done.decision)
        showing.emit_json({"schema": "parley.dead-letter-retry/1", **about, **report})
    else:
        showing.console().print(showing.appended_view(report))
        if done.decision is not None:
            showing.console().print(f"{place} is replaced by {done.decision.event} at {done.decision.position}")
    if done.refusal is not None:
        raise typer.Exit(BAD_INPUT)


@dead_letters.command(epilog='Example: $ parley dead-letters discard 2:1841 --reason "a test of ours"')
def discard(
    place: Place,
    reason: Annotated[
        str, typer.Option("--reason", help="Why nothing is missing, for whoever looks later.", callback=in_utf8)
    ],
    by: By = None,
    brokers: Brokers = None,
    prefix: Prefix = None,
    outputs: Outputs = None,
    as_json: AsJson = False,
    as_table: AsTable = False,
) -> None:
    """Keep your word that nothing is missing: the dead letter stays and is no longer counted as open."""
    settings = settings_with(prefix, outputs)

    async def keep() -> tuple[Decision, bool]:
        said = reason.strip()
        if not 0 < len(said) <= TEXT_CHARACTERS_MAX:
            raise UsageError(f"expected a --reason of 1 to {TEXT_CHARACTERS_MAX} characters, got {len(said)}")
        return await deciding.discard(_where(settings, brokers, place, by, count.add), said)

    with told_if_slow("records of the ledger") as count:
        decision, was_kept = _decided(keep)
    if showing.wants_json(as_json=as_json, as_table=as_table):
        about = _about(settings, place, decision)
        showing.emit_json({"schema": "parley.dead-letter-discard/1", **about, "was_discarded": was_kept})
    else:
        was = "was discarded before" if was_kept else "is discarded"
        told = f"{place} {was}, at {decision.at.isoformat()} by {decision.by}: {decision.reason}"
        showing.console().print(told)


def _where(
    settings: Settings, brokers: str | None, place: str, by: str | None, progress: Callable[[int], None]
) -> deciding.Where:
    who = (by if by is not None else account()).strip()
    if not 0 < len(who) <= BY_CHARACTERS_MAX:
        raise UsageError(f"expected a name of 1 to {BY_CHARACTERS_MAX} characters behind --by, got {len(who)}")
    found = position(place)
    return deciding.Where(connect(settings, brokers), settings.installation, found, who, progress)


def _about(settings: Settings, place: str, decision: Decision | None) -> dict[str, Any]:
    return {
        "ledger": EVENTS.name(settings.installation),
        "outputs": settings.outputs,
        "position": place,
        "decision": None if decision is None else decision.document(),
    }


def _decided(work_to_do: Callable[[], Coroutine[Any, Any, T]]) -> T:
    try:
        return answered(work_to_do)
    except (NoDeadLetter, deciding.NotDecided) as error:
        leave(str(error), BAD_INPUT, error)


def _content(name: str) -> bytes:
    """Read the mended event, as far as an event may be long and a little further."""
    if name == "-":
        return standard_input().read(_FILE_BYTES_MAX)
    try:
        with Path(name).open("rb") as stream:
            return stream.read(_FILE_BYTES_MAX)
    except OSError as error:
        raise BadLedgerFile(
            f"{name}: {error.strerror}. Name a file with one event, or - for standard input."
        ) from error
