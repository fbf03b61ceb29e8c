"""`parley fsck`: what the worker wrote, held against the ledger folded again."""

from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from streams.doors import showing
from streams.doors.commanding import (
    DIFFERENT,
    USAGE,
    AsJson,
    AsTable,
    Brokers,
    Outputs,
    Prefix,
    answered,
    app,
    leave,
    settings_with,
)
from streams.doors.connecting import connect
from streams.doors.fsck import Checked, Compared, Differences, check, compare
from streams.doors.progress import told_if_slow
from streams.projection import LedgerProjection
from streams.reading import end_positions
from streams.settings import Settings
from streams.topics import EVENTS
from streams.worker import leads

_WHAT_NEXT = (
    "What stands on these topics is not what follows from the ledger. Find out who else "
    'writes to them, and let a worker write them anew under another name: deploy/runbook.md, "fsck".'
)


_HEADS: Final = {"partition": "part", "in_motion": "moving", "dead_letters": "dead", "differences": "differ"}
"""Heads of the table that are short enough for 80 columns."""


@app.command(epilog="Example: $ parley fsck --against blue --json")
def fsck(
    against: Annotated[
        str | None, typer.Option("--against", help='Compare with this other set of outputs instead; "" the usual one.')
    ] = None,
    brokers: Brokers = None,
    prefix: Prefix = None,
    outputs: Outputs = None,
    as_json: AsJson = False,
    as_table: AsTable = False,
) -> None:
    """Fold the ledger again and compare each row, change, alert, dead letter and cut; a worker may go on meanwhile."""
    settings = settings_with(prefix, outputs)
    with_json = showing.wants_json(as_json=as_json, as_table=as_table)
    if against is None:
        equal = _check(settings, brokers, with_json=with_json)
    else:
        other = settings_with(prefix, against)
        if other.outputs == settings.outputs:
            message = f"expected --against to name another set than {settings.outputs!r}, which is the one compared"
            leave(message, USAGE)
        equal = _compare(settings, other, brokers, with_json=with_json)
    if not equal:
        raise typer.Exit(DIFFERENT)


def _check(settings: Settings, brokers: str | None, *, with_json: bool) -> bool:
    async def fold() -> list[Checked]:
        bootstrap = connect(settings, brokers)
        count = len(await end_positions(bootstrap, EVENTS.name(settings.installation)))
        return await check(
            bootstrap,
            settings.installation,
            lambda _: LedgerProjection(prefix=settings.installation, partitions=count, leads=leads(settings)),
            begin=folded.begin,
            progress=folded.add,
        )

    with told_if_slow("events folded") as folded:
        checked = answered(fold)
    differences = Differences()
    for one in checked:
        for difference in one.differences.values():
            differences.add(difference)
    if with_json:
        showing.emit_json(
            {
                "schema": "parley.fsck/1",
                "ledger": EVENTS.name(settings.installation),
                "outputs": settings.outputs,
                "equal": not differences.counts,
                "partitions": [_line(one) for one in checked],
                "differences": differences.document(),
            }
        )
    else:
        _show(checked, differences)
    if differences.counts:
        showing.complain(_WHAT_NEXT)
    return not differences.counts


def _compare(settings: Settings, other: Settings, brokers: str | None, *, with_json: bool) -> bool:
    async def read() -> Compared:
        sets = settings.installation, other.installation
        return await compare(connect(settings, brokers), *sets, begin=told.begin, progress=told.add)

    with told_if_slow("events compared") as told:
        compared = answered(read)
    partitions = [
        {
            "partition": partition,
            "up_to": compared.up_to(partition),
            **{
                name: (f"{cut.version} at {cut.offset}" if cut is not None else "nothing")
                for name, cut in zip(("here", "there"), cuts, strict=True)
            },
        }
        for partition, cuts in compared.cuts.items()
    ]
    topics = {name: asdict(tally) for name, tally in compared.tallies.items()}
    if with_json:
        showing.emit_json(
            {
                "schema": "parley.fsck-against/1",
                "ledger": EVENTS.name(settings.installation),
                "outputs": settings.outputs,
                "against": other.outputs,
                "equal": compared.equal,
                "in_motion": compared.in_motion,
                "partitions": partitions,
                "topics": topics,
            }
        )
        return compared.equal
    out = showing.console()
    out.print(showing.plain_table("Fold version and cut of each set", partitions))
    counts = [{"topic": name, **{k: v for k, v in one.items() if k != "first"}} for name, one in topics.items()]
    out.print(showing.plain_table(f"{settings.installation} against {other.installation}", counts))
    for name, tally in compared.tallies.items():
        if tally.first is not None:
            place = tally.first["place"]
            out.print(f"{name}/{tally.first['partition']}, {place}: the first that is not the same")
            out.print(f"  here  {showing.json_text(tally.first['here'])}")
            out.print(f"  there {showing.json_text(tally.first['there'])}")
    if compared.in_motion:
        out.print(f"{compared.in_motion} rows of what came later are not compared.")
    out.print(
        "Up to there both say the same." if compared.equal else "They differ where their versions do, or one is wrong."
    )
    return compared.equal


def _line(one: Checked) -> dict[str, Any]:
    return {
        "partition": one.partition,
        "cut": one.cut,
        "behind": max(0, one.events - 1 - one.cut),
        "rows": one.rows,
        "in_motion": one.in_motion,
        **{topic.split(".")[-2].replace("-", "_"): count for topic, count in one.appended.items()},
        "differences": len(one.differences),
    }


def _show(checked: list[Checked], differences: Differences) -> None:
    out = showing.console()
    lines = [{_HEADS.get(name, name): value for name, value in _line(one).items()} for one in checked]
    out.print(showing.plain_table("Compared", lines))
    for topic, count in sorted(differences.counts.items()):
        first = differences.first[topic].document()
        out.print(f"{topic}/{first['partition']}, {first['place']}: the first of {count} that differ")
        out.print(f"  expected {showing.json_text(first['expected'])}")
        out.print(f"  found    {showing.json_text(first['found'])}")
    if not differences.counts:
        out.print("Everything up to the cuts is as the ledger says.")
