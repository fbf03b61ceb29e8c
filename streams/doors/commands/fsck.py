"""`parley fsck`: what the worker wrote, held against the ledger folded again."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from streams.doors import showing
from streams.doors.commanding import (
    DIFFERENT,
    AsJson,
    AsTable,
    Brokers,
    Prefix,
    answered,
    app,
    settings_with,
)
from streams.doors.connecting import connect
from streams.doors.fsck import Checked, Differences, check
from streams.projection import LedgerProjection
from streams.reading import end_positions
from streams.topics import EVENTS
from streams.worker import leads

_WHAT_NEXT = (
    "What stands on these topics is not what follows from the ledger, which itself was not touched. Find out who else "
    'writes to them, and let a worker write them anew under another name: deploy/runbook.md, "fsck".'
)


@app.command(epilog="Example: $ parley fsck --json")
def fsck(brokers: Brokers = None, prefix: Prefix = None, as_json: AsJson = False, as_table: AsTable = False) -> None:
    """Fold the ledger again and compare each row, change, alert, dead letter and cut; a worker may go on meanwhile."""
    settings = settings_with(prefix)

    async def compare() -> list[Checked]:
        bootstrap = connect(settings, brokers)
        count = len(await end_positions(bootstrap, EVENTS.name(settings.prefix)))
        with _progress() as bar:
            task = bar.add_task("events", total=None)
            return await check(
                bootstrap,
                settings.prefix,
                settings.prefix,
                lambda _: LedgerProjection(prefix=settings.prefix, partitions=count, leads=leads(settings)),
                begin=lambda total: bar.update(task, total=total),
                progress=lambda more: bar.advance(task, more),
            )

    checked = answered(compare)
    differences = Differences()
    for one in checked:
        for difference in one.differences.values():
            differences.add(difference)
    if showing.wants_json(as_json=as_json, as_table=as_table):
        showing.emit_json(
            {
                "schema": "parley.fsck/1",
                "ledger": EVENTS.name(settings.prefix),
                "equal": not differences.counts,
                "partitions": [_line(one) for one in checked],
                "differences": differences.document(),
            }
        )
    else:
        _show(checked, differences)
    if differences.counts:
        showing.complain(_WHAT_NEXT)
        raise typer.Exit(DIFFERENT)


@contextmanager
def _progress() -> Iterator[Progress]:
    columns = (TextColumn("folding"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True, disable=not sys.stderr.isatty()) as bar:
        yield bar


def _line(one: Checked) -> dict[str, Any]:
    return {
        "partition": one.partition,
        "cut": one.cut,
        "rows": one.rows,
        "in_motion": one.in_motion,
        **{topic.split(".")[-2].replace("-", "_"): count for topic, count in one.appended.items()},
        "differences": len(one.differences),
    }


def _show(checked: list[Checked], differences: Differences) -> None:
    out = showing.console()
    out.print(showing.plain_table("Compared", [_line(one) for one in checked]))
    for topic, count in sorted(differences.counts.items()):
        first = differences.first[topic].document()
        out.print(f"{topic}/{first['partition']}, {first['place']}: the first of {count} that differ")
        out.print(f"  expected {first['expected']}")
        out.print(f"  found    {first['found']}")
    if not differences.counts:
        out.print("Everything is as the ledger says.")
