"""`parley status`: how far the worker is."""

from typing import Any, Final

import typer
from aiokafka.errors import GroupAuthorizationFailedError

from streams.broker_reaching import BrokerUnreachable
from streams.doors import showing
from streams.doors.commanding import BAD_INPUT, AsJson, AsTable, Brokers, Outputs, Prefix, answered, app, settings_with
from streams.doors.connecting import connect
from streams.doors.dead_letters.decisions import read_decisions
from streams.doors.dead_letters.ledgers import ledger_id
from streams.doors.dead_letters.telling import listed
from streams.doors.kafka import find_cuts
from streams.doors.readiness import described, recoveries
from streams.membership import Membership, membership
from streams.reading import bounds, read_set_asides
from streams.settings import Settings
from streams.topics import EVENTS
from streams.worker import worker_folder, worker_group

_ANOTHER_LEDGER: Final = (
    "the ledger was deleted and made anew, or has lost its end, since these tables were written; a worker stops there "
    "with exit code 76. Restore the ledger; or, if it was meant, delete the derived topics and let a worker begin anew."
)
_BEGINNING_GONE: Final = (
    "the first records of the ledger are gone, so nobody can fold it: a worker stops there with exit code 70. Restore "
    "the ledger from an export, and set its retention to unlimited."
)


@app.command(epilog="Example: $ parley status")
def status(
    brokers: Brokers = None,
    prefix: Prefix = None,
    outputs: Outputs = None,
    as_json: AsJson = False,
    as_table: AsTable = False,
) -> None:
    """Say which workers there are, how far they are behind, and how many dead letters wait for a person.

    Whether a worker has recovered is told of those of this machine that have a --status-port, as with `parley up`.
    """
    settings = settings_with(prefix, outputs)
    found = answered(lambda: _look(settings, connect(settings, brokers)))
    if showing.wants_json(as_json=as_json, as_table=as_table):
        showing.emit_json(found)
    else:
        _show(found)
    if found["strange_dead_letters"]:
        showing.complain(f"{found['strange_dead_letters']} dead letters were written by no worker: `parley fsck`.")
    if found["of_another_ledger"]:
        showing.complain(_ANOTHER_LEDGER)
    if found["beginning_gone"]:
        showing.complain(_BEGINNING_GONE)
    if found["of_another_ledger"] or found["beginning_gone"]:
        raise typer.Exit(BAD_INPUT)


def _show(found: dict[str, Any]) -> None:
    out = showing.console()
    out.print(showing.plain_table(f"{found['ledger']} on {found['brokers']}", found["partitions"]))
    out.print(_said(found))
    out.print(_attended(found))
    if found["dead_letters"]["open"]:
        out.print(f"{found['dead_letters']['open']} dead letters are open: `parley dead-letters list --state open`.")


def _said(found: dict[str, Any]) -> str:
    if found["of_another_ledger"]:
        return f"The tables of partitions {', '.join(map(str, found['of_another_ledger']))} are of another ledger."
    if found["beginning_gone"]:
        return f"The beginning of partitions {', '.join(map(str, found['beginning_gone']))} is gone."
    if found["complete"]:
        return "The tables are complete."
    left = "1 event is" if found["behind"] == 1 else f"{found['behind']} events are"
    return f"{left} not in the tables yet."


def _attended(found: dict[str, Any]) -> str:
    if found["workers"] is None:
        return "Who folds is not known: this broker does not tell you of the group of the workers."
    if not found["workers"]:
        return "No worker runs: `parley worker`, or `parley up` for everything."
    if found["rebalancing"]:
        return "The workers are sharing out the partitions anew."
    told = [f"{one['worker']} ({', '.join(map(str, one['partitions'])) or 'none'})" for one in found["workers"]]
    folding = [
        f" {one['worker']} has folded {one['folded']:,} of {one['to_fold']:,} events again; nothing new before that."
        for one in found["workers"]
        if one["ready"] is False
    ]
    return f"Workers, with their partitions: {', '.join(told)}.{''.join(folding)}"


async def _look(settings: Settings, bootstrap: str) -> dict[str, Any]:
    ledger = EVENTS.name(settings.installation)
    cuts = await find_cuts(bootstrap, settings.installation)
    found = await bounds(bootstrap, ledger)  # after the cuts: a worker that goes on is not ahead of its ledger
    aside = await read_set_asides(bootstrap, settings.installation)
    _, decisions = await read_decisions(bootstrap, settings.installation)
    dead = await listed(bootstrap, settings.installation, decisions, limit=0)
    lines: list[dict[str, Any]] = []
    for partition, (_, end) in sorted(found.items()):
        cut = cuts.get(partition)
        at = cut.offset if cut is not None else -1
        lines.append(
            {
                "partition": partition,
                "events": end,
                "cut": at,
                "behind": end - 1 - at,
                "version": cut.version if cut is not None else None,
                "set_aside": sum(one == partition for one, _ in aside),
                "open_dead_letters": dead.open_of[partition],
            }
        )
    topic_id = await ledger_id(bootstrap, settings.installation)
    members = await _members(bootstrap, settings)
    recovering = await recoveries(worker_folder(settings))
    another = [
        one
        for one, cut in sorted(cuts.items())
        if one not in found or cut.offset >= found[one][1] or not cut.speaks_of(topic_id)
    ]
    gone = [one for one, (begin, _) in sorted(found.items()) if begin > 0]
    behind = sum(line["behind"] for line in lines)
    return {
        "schema": "parley.status/1",
        "brokers": bootstrap,
        "prefix": settings.prefix,
        "outputs": settings.outputs,
        "ledger": ledger,
        "partitions": lines,
        "workers": None
        if members is None
        else [
            described({"worker": one.name, "host": one.host, "partitions": list(one.partitions)}, recovering)
            for one in members.members
        ],
        "rebalancing": members is not None and members.rebalancing,
        "behind": behind,
        "complete": not another and not gone and all(line["behind"] == 0 for line in lines),
        "of_another_ledger": another,
        "beginning_gone": gone,
        "dead_letters": dead.counts,
        "strange_dead_letters": dead.strange,
    }


async def _members(bootstrap: str, settings: Settings) -> Membership | None:
    try:
        return await membership(bootstrap, worker_group(settings), EVENTS.name(settings.installation))
    except (GroupAuthorizationFailedError, BrokerUnreachable):  # all else that is told is known by now
        return None
