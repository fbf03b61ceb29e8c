"""`parley clock`: strikes on the ledger when the state asks for it."""

from datetime import timedelta
from typing import Annotated

import typer

from streams.doors.commanding import Brokers, Prefix, answered, app, settings_with
from streams.doors.connecting import connect, connect_with_topics
from streams.logs import set_up_logs
from streams.reading import end_positions
from streams.topics import EVENTS


@app.command(epilog="Example: $ parley clock --status-port 8081")
def clock(
    brokers: Brokers = None,
    prefix: Prefix = None,
    status_port: Annotated[
        int | None, typer.Option("--status-port", help="Serve /readyz and /status here.", min=0, max=65535)
    ] = None,
    fast_by: Annotated[float, typer.Option("--fast-by", hidden=True)] = 0.0,
) -> None:
    """Post a strike to the ledger at each instant that a negotiation asks for, until told to stop."""
    from streams.clock_process import ClockProcess, keep_time  # noqa: PLC0415 -- brings what no other command needs

    settings = settings_with(prefix)
    set_up_logs(settings.log_format, kafka_client=True)

    async def keep() -> None:
        # a clock without a ledger is one with a misspelt prefix: it makes none
        await end_positions(connect(settings, brokers), EVENTS.name(settings.installation))
        bootstrap, topics = await connect_with_topics(settings, brokers)
        process = ClockProcess(settings, bootstrap, topics.topics[0].partitions, fast_by=timedelta(seconds=fast_by))
        await keep_time(process, status_port)

    answered(keep, until_told=True)
