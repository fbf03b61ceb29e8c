"""The command line. Exit codes: 0 answered, 1 differences, 2 usage, 3 bad input, 4 broker unreachable.

4 also when the answer cannot be written: standard output is closed, or the disk takes no more of it.
130 when Ctrl-C comes before the answer is whole; what runs until it is told to stop ends with 0. 141 when whoever read
the answer has gone away before its end, as a program that SIGPIPE ends.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, aclosing
from typing import Annotated, Any, Final

import orjson
import typer

from schemas.changes import Json
from schemas.encoding import canonical_json
from streams.broker import CLEANLY, BrokerError, EmbeddedBroker
from streams.doors import showing
from streams.doors.appending import Appended, appended_report
from streams.doors.appending import append as append_lines
from streams.doors.arriving import arriving, opened
from streams.doors.asking import UnknownNegotiation, ask, events_of, instant
from streams.doors.commanding import (
    BAD_INPUT,
    INTERRUPTED,
    USAGE,
    AsJson,
    AsTable,
    Brokers,
    JsonLines,
    Negotiation,
    OneNegotiation,
    Outputs,
    Prefix,
    answered,
    app,
    faults,
    in_utf8,
    leave,
    run,
    settings_with,
)
from streams.doors.connecting import connect, connect_with_topics
from streams.doors.dead_letters.ledgers import ledger_id, speaking_of_another
from streams.doors.demo import run_demo
from streams.doors.exporting import export_lines
from streams.doors.kafka import decode_rows, find_cuts, read_rows, up_to, without_rows
from streams.doors.progress import told_if_slow
from streams.doors.supervising import broker_started
from streams.doors.waiting import NotReached, until_outputs_decided
from streams.doors.watching import Cursor, watch_notices
from streams.engine import UnreadableCutError
from streams.engine.collecting import collect_young
from streams.logs import set_up_logs
from streams.reading import end_positions
from streams.settings import UsageError
from streams.topics import EVENTS, TABLES
from streams.worker import OtherVersion, engine_config, refuse_other_version, work

__all__ = ["app", "main"]

_LOOK_S: Final = 0.2
_OPEN_S: Final = 2.0  # a worker at work ends each of its transactions long before
TABLE_NAMES = tuple(topic.kind for topic in TABLES)


def main() -> None:
    """Run the command line."""
    collect_young()  # most commands fold a ledger
    run()


@app.command(epilog="Example: $ parley demo --no-serve")
def demo(
    speed: Annotated[
        float | None,
        typer.Option(
            "--speed",
            help="Days of history a second; else 30 on a terminal that stays, as fast as it goes in a pipe.",
            min=0.01,
        ),
    ] = None,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Exit when the replay is done.")] = False,
    brokers: Brokers = None,
    prefix: Prefix = None,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as one JSON document, else nothing.")] = False,
) -> None:
    """Start a Kafka and a worker, replay the shipped US-China history through them, show the tables live."""
    settings = settings_with(prefix)
    on_terminal = sys.stdout.isatty()
    pace = speed if speed is not None else (30.0 if on_terminal and not no_serve else None)
    answered(
        lambda: run_demo(
            settings,
            brokers=brokers or settings.brokers,
            speed=pace,
            serve=not no_serve,
            told=showing.emit_json if as_json else None,
        ),
        until_told=not no_serve,
    )


@app.command(epilog="Example: $ parley broker --port 9092")
def broker(
    port: Annotated[int | None, typer.Option("--port", help="Port; else a free one.", min=1, max=65535)] = None,
    as_json: JsonLines = False,
) -> None:
    """Run the embedded Kafka on 127.0.0.1 until it is told to stop (Ctrl-C)."""
    with faults():
        settings = settings_with(None)
        kafka = EmbeddedBroker(settings.broker_directory, port=port, lasting=True, settings=settings)
        with kafka as address:
            said = f"Kafka listens on {address.bootstrap}. Other commands find it. Ctrl-C stops it."
            typer.echo(orjson.dumps(broker_started(kafka, address.bootstrap).document) if as_json else said)
            _until_told(kafka)


def _until_told(kafka: EmbeddedBroker) -> None:
    """Wait for a signal that stops, or until Kafka was told to stop. BrokerError when it ends in another way."""
    wanted = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
    while signal.sigtimedwait(wanted, _LOOK_S) is None:
        if (code := kafka.exit_code) == CLEANLY:
            return
        if code is not None:
            raise BrokerError(
                f"Kafka has ended with exit code {code}; what it acknowledged is kept. Start it again. "
                f"Its log: {kafka.log}"
            )


@app.command(epilog="Example: $ parley topics --partitions 4")
def topics(
    partitions: Annotated[
        int | None, typer.Option("--partitions", help="Of each topic; else as many as the ledger has.", min=1, max=256)
    ] = None,
    brokers: Brokers = None,
    prefix: Prefix = None,
    outputs: Outputs = None,
    as_json: AsJson = False,
    as_table: AsTable = False,
) -> None:
    """Create Parley's topics where they are missing, and verify those that exist."""
    settings = settings_with(prefix, outputs)

    async def ensure() -> list[dict[str, Any]]:
        _, report = await connect_with_topics(settings, brokers, partitions)
        return [
            {"topic": one.name, "id": one.topic_id, "partitions": one.partitions, "created": one.created}
            for one in report.topics
        ]

    found = answered(ensure)
    if showing.wants_json(as_json=as_json, as_table=as_table):
        showing.emit_json({"schema": "parley.topics/1", "topics": found})
    else:
        showing.console().print(showing.plain_table("Topics", found))


@app.command(epilog="Example: $ parley worker --instance worker-1")
def worker(
    brokers: Brokers = None,
    prefix: Prefix = None,
    outputs: Outputs = None,
    instance: Annotated[
        str | None, typer.Option("--instance", help="A name that stays over restarts.", callback=in_utf8)
    ] = None,
    status_port: Annotated[
        int | None, typer.Option("--status-port", help="Serve /readyz here.", min=0, max=65535)
    ] = None,
    stop_at: Annotated[str | None, typer.Option("--stop-at", hidden=True)] = None,
) -> None:
    """Fold the ledger into tables, changes and alerts, exactly once, until told to stop."""
    settings = settings_with(prefix, outputs)
    set_up_logs(settings.log_format, kafka_client=True)

    async def prepare() -> tuple[str, int]:
        bootstrap, found = await connect_with_topics(settings, brokers)
        try:
            cuts = await find_cuts(bootstrap, settings.installation)
        except UnreadableCutError as error:
            raise OtherVersion(str(error)) from error
        refuse_other_version(settings, cuts.values())
        return bootstrap, found.topics[0].partitions

    bootstrap, count = answered(prepare)
    with faults():
        config = engine_config(settings, bootstrap, count, instance=instance, status_port=status_port, stop_at=stop_at)
        work(config, settings)


@app.command(name="append", epilog="Example: $ parley append reports.jsonl")
def append_command(
    files: Annotated[list[str], typer.Argument(help="JSON Lines files; - for standard input.", metavar="FILE…")],
    brokers: Brokers = None,
    prefix: Prefix = None,
    as_json: AsJson = False,
    as_table: AsTable = False,
) -> None:
    """Append reports to the ledger. A refused line is told with its reason and never reaches it; the others land."""
    settings = settings_with(prefix)
    done: list[tuple[str, Appended]] = []
    code = 0
    try:
        with faults(), told_if_slow("lines") as count, ExitStack() as inputs:
            descriptors = [inputs.enter_context(opened(name)) for name in files]
            bootstrap = connect(settings, brokers)
            done = [(name, Appended()) for name in files]
            data = [(one, arriving(descriptor)) for (_, one), descriptor in zip(done, descriptors, strict=True)]
            asyncio.run(append_lines(bootstrap, settings.installation, data, progress=count.add))
    except KeyboardInterrupt:
        showing.complain("parley: interrupted: append all of it again, what is on the ledger already is recognised.")
        code = INTERRUPTED
    except typer.Exit as end:
        code = end.exit_code
    if not done:
        raise typer.Exit(code)
    report = appended_report(done, whole=code == 0)
    if showing.wants_json(as_json=as_json, as_table=as_table):
        showing.emit_json(report)
    else:
        showing.console().print(showing.appended_view(report))
    if code or report["refused"]:
        raise typer.Exit(code or BAD_INPUT)


@app.command(epilog="Example: $ parley export us-china > us-china.jsonl")
def export(
    negotiation: OneNegotiation = None,
    brokers: Brokers = None,
    prefix: Prefix = None,
) -> None:
    """Write the ledger as JSON Lines; `append` of it elsewhere gives the same answers."""
    settings = settings_with(prefix)

    async def write(progress: Callable[[int], None]) -> int:
        bootstrap = connect(settings, brokers)
        return await export_lines(bootstrap, settings.installation, negotiation, sys.stdout.buffer, progress=progress)

    if sys.stdout.isatty():  # the lines themselves show how far it is
        unreadable = answered(lambda: write(lambda _: None))
    else:
        with told_if_slow("events written") as count:
            unreadable = answered(lambda: write(count.add))
    if unreadable:
        showing.complain(f"{unreadable} records are no events and were left out: they are dead letters.")


@app.command(epilog="Example: $ parley tables us-china deadlines")
def tables(
    negotiation: Negotiation,
    table: Annotated[str | None, typer.Argument(help=f"One of {', '.join(TABLE_NAMES)}; else all.")] = None,
    brokers: Brokers = None,
    prefix: Prefix = None,
    outputs: Outputs = None,
    as_json: AsJson = False,
    as_table: AsTable = False,
) -> None:
    """Show the rows that the worker wrote, as they stand on the topics, with the cut."""
    settings = settings_with(prefix, outputs)
    if table is not None and table not in TABLE_NAMES:
        leave(f"expected one of {', '.join(TABLE_NAMES)}, got {table!r}", USAGE)

    chosen = [table] if table is not None else list(TABLE_NAMES)

    async def read() -> tuple[dict[str, dict[str, Json]], dict[int, int], bool]:
        bootstrap = connect(settings, brokers)
        found = await find_cuts(bootstrap, settings.installation)  # before the rows, which may hold more than they tell
        cuts = up_to(found, await end_positions(bootstrap, EVENTS.name(settings.installation)))
        try:
            await until_outputs_decided(bootstrap, settings.installation, TABLES, within_s=_OPEN_S)
        except NotReached:
            showing.complain(
                f"A transaction of a worker has been open for {_OPEN_S:g} s, so the rows are those before it. If "
                "that worker is gone, Kafka aborts it within 20 s; another worker does so at once."
            )
        rows = await read_rows(bootstrap, settings.installation, negotiation)
        decoded = {name: decode_rows(settings.installation, negotiation, name, rows[name]) for name in chosen}
        if not any(rows.values()):
            await _say_why_nothing(bootstrap, settings.installation, negotiation, cuts)
        elsewhere = speaking_of_another(found, await ledger_id(bootstrap, settings.installation))
        return decoded, cuts, bool(elsewhere)

    decoded, cuts, elsewhere = answered(read)
    if showing.wants_json(as_json=as_json, as_table=as_table):
        cut = {str(partition): offset for partition, offset in cuts.items()}
        showing.emit_json({"schema": "parley.tables/1", "negotiation": negotiation, "cut": cut, **decoded})
    else:
        out = showing.console()
        out.print(showing.tables_view(decoded, chosen))
        upto = ", ".join(f"{partition}:{offset}" for partition, offset in cuts.items() if offset >= 0)
        out.print(f"complete up to {upto or 'nothing'}   {showing.LEGEND}")
    if elsewhere:
        leave("these rows follow from a ledger that was deleted and made anew since: see `parley status`.", BAD_INPUT)


async def _say_why_nothing(bootstrap: str, prefix: str, negotiation: str, cuts: Mapping[int, int]) -> None:
    if max(cuts.values()) < 0:
        showing.complain("No worker has written these tables yet: see `parley status`.")
        return
    if said := await without_rows(bootstrap, prefix, negotiation):
        raise UnknownNegotiation(said)


@app.command(epilog="Example: $ parley state us-china --ledger demo --at 2025-10-31T12:00:00-04:00")
def state(
    negotiation: Negotiation,
    at: Annotated[str | None, typer.Option("--at", help="In the world at this instant; else now.")] = None,
    known_at: Annotated[str | None, typer.Option("--known-at", help="Public by this instant; else everything.")] = None,
    recorded_by: Annotated[str | None, typer.Option("--recorded-by", help="In this ledger by this instant.")] = None,
    policy: Annotated[str, typer.Option("--policy", help="Version of the rules of resolution.")] = "1",
    ledger: Annotated[str | None, typer.Option("--ledger", help="A JSON Lines export, or demo; else Kafka.")] = None,
    brokers: Brokers = None,
    prefix: Prefix = None,
    as_json: AsJson = False,
    as_table: AsTable = False,
) -> None:
    """Answer with the whole state at an instant, as known at another."""
    settings = settings_with(prefix)

    async def answer() -> dict[str, object]:
        if policy != "1":
            raise UsageError(f"expected --policy 1, the only one so far, got {policy!r}")
        times = (instant(at, "--at"), instant(known_at, "--known-at"), instant(recorded_by, "--recorded-by"))
        bootstrap = "" if ledger is not None else connect(settings, brokers)
        events = await events_of(negotiation, ledger=ledger, bootstrap=bootstrap, prefix=settings.installation)
        return ask(negotiation, events, *times)

    found = answered(answer)
    if found["unread"]:
        showing.complain(
            f"{found['unread']} records beside them on the ledger are no events, or set aside, and are in no answer: "
            "`parley dead-letters list`."
        )
    if showing.wants_json(as_json=as_json, as_table=as_table):
        showing.emit_json(orjson.loads(canonical_json(found)))
    else:
        showing.console().print(showing.state_view(found))


@app.command(epilog="Example: $ parley watch us-china --kind alerts --since 3:0")
def watch(
    negotiation: OneNegotiation = None,
    kind: Annotated[str | None, typer.Option("--kind", help="changes or alerts; else both.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="After this cursor, PARTITION:OFFSET[:N], of one kind; 0 for all.")
    ] = None,
    no_follow: Annotated[bool, typer.Option("--no-follow", help="Stop at what there is now.")] = False,
    brokers: Brokers = None,
    prefix: Prefix = None,
    outputs: Outputs = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON each (the default in a pipe).")] = False,
) -> None:
    """Follow changes and alerts: a line each, JSON Lines in a pipe."""
    settings = settings_with(prefix, outputs)
    plain = showing.begins_lines(as_json=as_json)

    async def show(bootstrap: str, cursor: Cursor | None) -> None:
        notices = watch_notices(
            bootstrap, settings.installation, negotiation=negotiation, kind=kind, cursor=cursor, stop_at_end=no_follow
        )
        async with aclosing(notices):  # here and not by the event loop, when whoever reads is gone
            async for notice in notices:
                if plain:
                    line = showing.alert_line if notice.is_alert else showing.change_line
                    showing.console().print(line(notice.document))
                else:
                    sys.stdout.buffer.write(notice.value + b"\n")
                    sys.stdout.flush()

    async def name_check(bootstrap: str) -> None:
        if negotiation and (said := await without_rows(bootstrap, settings.installation, negotiation)):
            showing.complain(said)

    async def both() -> None:
        cursor, bootstrap = Cursor.parse(since), connect(settings, brokers)
        try:
            async with asyncio.TaskGroup() as side_by_side:  # what is new counts from now, not from after a look
                side_by_side.create_task(show(bootstrap, cursor))
                side_by_side.create_task(name_check(bootstrap))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    answered(both, until_told=not no_follow)


from streams.doors.commands import bench, clock, dead_letters, fsck, set_aside, status, up  # noqa: E402, F401 -- registered in the order of the help
