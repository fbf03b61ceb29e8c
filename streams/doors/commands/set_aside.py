"""`parley set-aside`: the way past a record of the ledger that makes the fold raise."""

from typing import Annotated, Any, Final

import typer

from streams.doors import showing
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
from streams.doors.kafka import find_cuts
from streams.engine import NotSetAside
from streams.engine import set_aside as commit_set_aside
from streams.reading import bounds, read_set_asides
from streams.settings import Settings, UsageError
from streams.topics import EVENTS
from streams.worker import engine_config

REASON_CHARACTERS_MAX: Final = 1_000
_WHAT_NEXT: Final = (
    "Start the worker again: it passes the record with a dead letter whose code is set_aside. A worker that was still "
    "running has left with 75. Start the clock again too: it folds the same records, and stops where the worker did."
)


@app.command(name="set-aside", epilog='Example: $ parley set-aside 2:1841 --reason "version 2.0, not to be installed"')
def set_aside(
    place: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="The record, as the worker's log names it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for whoever looks later.", callback=in_utf8)],
    brokers: Brokers = None,
    prefix: Prefix = None,
    outputs: Outputs = None,
    as_json: AsJson = False,
    as_table: AsTable = False,
) -> None:
    """Have the worker, and whoever else folds the ledger, pass one record that makes the fold raise."""
    settings = settings_with(prefix, outputs)
    try:
        found = answered(lambda: _set_aside(settings, brokers, place, reason))
    except NotSetAside as error:
        leave(str(error), BAD_INPUT, error)
    if showing.wants_json(as_json=as_json, as_table=as_table):
        showing.emit_json(found)
    else:
        showing.console().print(f"{found['ledger']} {place} is set aside: {found['reason']}")
    showing.complain(_WHAT_NEXT)


async def _set_aside(settings: Settings, brokers: str | None, place: str, reason: str) -> dict[str, Any]:
    partition, offset = position(place)
    said = reason.strip()
    if not 0 < len(said) <= REASON_CHARACTERS_MAX:
        raise UsageError(f"expected a --reason of 1 to {REASON_CHARACTERS_MAX} characters, got {len(said)}")
    bootstrap = connect(settings, brokers)
    ledger = EVENTS.name(settings.installation)
    found = await bounds(bootstrap, ledger)
    if partition not in found:
        raise NotSetAside(f"expected a partition of {ledger} from 0 to {len(found) - 1}, got {partition}: {place}")
    begin, end = found[partition]
    # asked before the fence as well: it costs a worker that is at work its partition, and it has to start anew
    if not begin <= offset < end:
        records = f"an offset from {begin} to {end - 1}" if begin < end else "nothing: that partition is empty"
        raise NotSetAside(f"expected {records} in {ledger}/{partition}, got {offset}: there is no such record.")
    cut = (await find_cuts(bootstrap, settings.installation)).get(partition)  # also to be read before the fence
    asides = await read_set_asides(bootstrap, settings.installation)
    if (partition, offset) in asides:
        raise NotSetAside(f"{ledger} {place} is set aside already, because: {asides[partition, offset]}")
    if cut is not None and offset <= cut.offset:
        raise NotSetAside.committed(f"{ledger}/{partition}", offset, cut.offset)
    done = await commit_set_aside(engine_config(settings, bootstrap, len(found)), partition, offset, said)
    return {
        "schema": "parley.set-aside/1",
        "ledger": done.topic,
        "outputs": settings.outputs,
        "position": f"{done.partition}:{done.offset}",
        "reason": done.reason,
    }
