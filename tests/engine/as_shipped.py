"""Faust as it is shipped, to show what is cured: `python -m tests.engine.as_shipped CONFIG.json`.

Each agent is what its documentation teaches. The configuration names the agent, and settings of Faust's that differ.
"""

import asyncio
import json
import logging
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faust
from faust.types import EventT, StreamT, TopicT

from tests.engine.slow import slow_seek

Fields = dict[str, Any]


def ledger(app: faust.App, fields: Fields, value_type: type = bytes, **kind: Any) -> TopicT:  # noqa: ANN401
    """Return the topic that is followed."""
    return app.topic(fields["ledger"], key_type=bytes, value_type=value_type, partitions=fields["partitions"], **kind)


def outputs(app: faust.App, fields: Fields) -> TopicT:
    """Return the topic of what is sent."""
    return app.topic(fields["output_topic"], key_type=bytes, value_type=bytes, partitions=fields["partitions"])


def tally(app: faust.App, fields: Fields) -> None:
    """Sum per key, one output and one row an event. It may take its time, and stop itself before a value."""
    sums = app.Table("sums", default=int, partitions=fields.get("table_partitions", fields["partitions"]))
    sent = outputs(app, fields)
    stop_before = fields.get("stop_before", "").encode() or None
    event_seconds = fields.get("event_seconds", 0.0)

    @app.agent(ledger(app, fields))
    async def tally(stream: StreamT[bytes]) -> None:
        async for event in stream.events():
            key = (event.key or b"").decode()
            total = sums[key] + int(event.value)
            if event_seconds:
                await asyncio.sleep(event_seconds)
            if event.value == stop_before:
                os.kill(os.getpid(), signal.SIGSTOP)
            sums[key] = total
            _sent_later = await sent.send(key=event.key, value=b"%d" % total, partition=event.message.partition)


def decoding(app: faust.App, fields: Fields) -> None:
    """Send each number that Faust has decoded."""
    sent = outputs(app, fields)

    @app.agent(ledger(app, fields, int, value_serializer="json"))
    async def decoding(stream: StreamT[int]) -> None:
        async for number in stream:
            _sent_later = await sent.send(key=b"raw", value=b"%d" % number, partition=0)


def dicts(app: faust.App, fields: Fields) -> None:
    """Send the number of fields of each document."""
    sent = outputs(app, fields)

    @app.agent(ledger(app, fields, dict, value_serializer="json"))
    async def dicts(stream: StreamT[dict[str, object]]) -> None:
        async for document in stream:
            _sent_later = await sent.send(key=b"raw", value=b"%d" % len(document), partition=0)


def hanging(app: faust.App, fields: Fields) -> None:
    """Send each event, two at a time; the event `hang` is never done."""
    sent = outputs(app, fields)

    @app.agent(ledger(app, fields), concurrency=2)
    async def hanging(stream: StreamT[bytes]) -> None:
        async for event in stream.events():
            if event.value == b"hang":
                await asyncio.Event().wait()
            _sent_later = await sent.send(key=event.key, value=event.value, partition=event.message.partition)


def taking(app: faust.App, fields: Fields) -> None:
    """Send the sum of each three numbers."""
    sent = outputs(app, fields)

    @app.agent(ledger(app, fields))
    async def taking(stream: StreamT[bytes]) -> None:
        async for numbers in stream.take(3, within=3600.0):
            _sent_later = await sent.send(key=b"raw", value=b"%d" % sum(map(int, numbers)), partition=0)


def mutating(app: faust.App, fields: Fields) -> None:
    """Append each event to its key's list in the table, and send how long the list is."""
    lists = app.Table("lists", default=list, partitions=fields["partitions"])
    sent = outputs(app, fields)

    @app.agent(ledger(app, fields))
    async def mutating(stream: StreamT[bytes]) -> None:
        async for event in stream.events():
            key = (event.key or b"").decode()
            if key not in lists:
                lists[key] = []
            lists[key].append(event.value.decode())
            _sent_later = await sent.send(key=event.key, value=b"%d" % len(lists[key]), partition=0)


def replaying(app: faust.App, fields: Fields) -> None:
    """Sum per key, and send how many rows of the partition this process has read back so far."""
    read_back = Counter[int]()

    async def count(event: EventT[bytes]) -> None:
        read_back[event.message.partition] += 1

    sums = app.Table("sums", default=int, partitions=fields["partitions"], on_changelog_event=count)
    sent = outputs(app, fields)

    @app.agent(ledger(app, fields))
    async def replaying(stream: StreamT[bytes]) -> None:
        async for event in stream.events():
            partition = event.message.partition
            sums[(event.key or b"").decode()] += int(event.value)
            _sent_later = await sent.send(key=event.key, value=b"%d" % read_back[partition], partition=partition)


def ticking(app: faust.App, fields: Fields) -> None:
    """Write the table from a timer, and send what came of it."""
    ticks = app.Table("ticks", default=int, partitions=fields["partitions"])
    sent = outputs(app, fields)

    @app.timer(0.2)  # type: ignore[untyped-decorator]
    async def tick() -> None:
        try:
            ticks["all"] += 1
        except Exception as error:  # noqa: BLE001  whatever comes is what is shown
            _sent_later = await sent.send(key=b"raw", value=repr(error).encode(), partition=0)


def levels(app: faust.App, fields: Fields) -> None:
    """Send the level of the root logger for each event."""
    sent = outputs(app, fields)

    @app.agent(ledger(app, fields))
    async def levels(stream: StreamT[bytes]) -> None:
        async for event in stream.events():
            level = logging.getLogger().getEffectiveLevel()
            _sent_later = await sent.send(key=event.key, value=b"%d" % level, partition=0)


AGENTS: dict[str, Callable[[faust.App, Fields], None]] = {
    agent.__name__: agent for agent in (tally, decoding, dicts, hanging, taking, mutating, replaying, ticking, levels)
}


def main() -> None:
    """Run a plain Faust worker with one agent; with a `command`, as `faust` on the command line does."""
    fields = json.loads(Path(sys.argv[1]).read_text())
    sys.stdout = sys.stderr
    settings = {
        "broker": f"kafka://{fields['bootstrap']}",
        "topic_partitions": fields["partitions"],
        "key_serializer": "raw",
        "value_serializer": "raw",
        "store": "memory://",
        "datadir": fields["data_directory"],
        "web_enabled": False,
        "consumer_auto_offset_reset": "earliest",
        **fields.get("settings", {}),
    }
    app = faust.App(fields["group"], **settings)
    slow_seek(app, fields.get("seek_seconds", 0.0))
    AGENTS[fields.get("agent", "tally")](app, fields)
    if "command" in fields:
        sys.argv = ["faust", *fields["command"]]
        app.main()
    faust.Worker(app, loglevel="info", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
