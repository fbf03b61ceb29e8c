"""A Faust app that follows a ledger exactly, and the process that runs it."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, NoReturn

import faust
import uvloop
from faust.tables.manager import TableManager
from faust.types import StreamT

from streams.engine.assignment import Assignment
from streams.engine.collecting import collect_young
from streams.engine.config import FETCH_BYTES_MAX, PORT_NOTE, UNNAMED, EngineConfig
from streams.engine.consumer import LedgerBatch, LedgerTransport
from streams.engine.faults import ExitCode, Fault
from streams.engine.halt import halt
from streams.engine.progress import Progress
from streams.engine.projection import Projection
from streams.engine.status import StatusPort, listening

log = logging.getLogger(__name__)

_NEVER_S: Final = 10.0 * 365 * 86_400
_PORT_HINT: Final = "Name another status port, then start the worker again."


class PromptTables(TableManager):
    """Faust's table manager without its pause of a second before the consumer may subscribe; there are no tables."""

    async def on_start(self) -> None:
        """Go on at once."""
        await self._update_channels()
        await self.recovery.start()


def build_app(
    config: EngineConfig,
    projection_factory: Callable[[int], Projection],
    *,
    on_progress: Callable[[Progress], None] | None = None,
) -> faust.App:
    """Return a Faust app that projects the ledger; `projection_factory` is called with a partition number.

    `on_progress` is called whenever a partition has moved: batch folded or committed, cut reached.
    """
    app = faust.App(
        config.group,
        broker=f"kafka://{config.bootstrap.replace(',', ';kafka://')}",
        topic_partitions=config.partitions,
        # Raw bytes: what Faust cannot decode it drops and commits past, and documents typed `dict` crash the agent.
        key_serializer="raw",
        value_serializer="raw",
        store="memory://",
        TableManager=PromptTables,
        datadir=config.data_directory,
        # Faust makes topics as it needs them, with a count of partitions that rows then may not fit; its election of a
        # leader, which may give two or none, is one more topic.
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,  # `faust worker` takes no notice and opens 0.0.0.0:6066; `run` is not that command
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=config.instance_id,
        broker_client_id=config.instance_id or UNNAMED,  # the broker names its members by it
        stream_buffer_maxsize=16,
        stream_wait_empty=False,
        broker_max_poll_records=8_000,
        consumer_max_fetch_size=FETCH_BYTES_MAX,
        # Faust's minute is how long the partitions of a dead worker would wait.
        broker_session_timeout=config.session_timeout,
        broker_heartbeat_interval=config.session_timeout / 4,
        # A worker without partitions asks for no records; aiokafka takes it for one that hangs and leaves the group for
        # it, to the cost of all others, and never joins again. Whoever hangs is the watchdog's.
        broker_max_poll_interval=_NEVER_S,
        broker_rebalance_timeout=max(config.session_timeout, config.transaction_timeout) + 5,
        broker_request_timeout=config.request_timeout + 30,
        producer_request_timeout=config.request_timeout,
    )
    assignment = Assignment(app, config, projection_factory, on_progress or (lambda _: None))
    app.transport = LedgerTransport(app.conf.broker, app, config.ledger, assignment)
    # No acks: Faust commits past events that are still in work, and what it has not committed at a rebalance is done
    # again. Only the cut says what is done.
    ledger = app.topic(config.ledger, key_type=bytes, value_type=bytes, partitions=config.partitions, acks=False)

    @app.agent(ledger, name="follow-ledger", concurrency=1)
    async def follow_ledger(stream: StreamT[bytes]) -> None:
        # An exception that leaves an agent acknowledges its event. Nothing is projected here, and nothing leaves.
        try:
            async for event in stream.events():
                batch = event.message
                if isinstance(batch, LedgerBatch) and batch.generation_id is not None:
                    assignment.arrive(batch.generation_id, batch.partition, batch.records)
        except Exception as error:
            log.exception("the stream of the ledger failed")
            halt(Fault(ExitCode.PRODUCER, f"the stream of the ledger failed with {error!r}: start the worker again."))

    if config.status_port is not None:
        listens = listening(config.status_port, _PORT_HINT)

        @app.service
        class Status(StatusPort):
            """The status of this app."""

            def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401  Faust's own signature
                super().__init__(listens, assignment.status, note=config.instance_folder / PORT_NOTE, **kwargs)

    _follow_membership(app, assignment)
    return app


def _follow_membership(app: faust.App, assignment: Assignment) -> None:
    async def release(*_: object, **__: object) -> None:
        await assignment.release()

    async def leave(*_: object, **__: object) -> None:
        await assignment.leave()

    async def assigned(*sent: object, **_: object) -> None:
        if not any(sent[1:]):  # with none at all Faust sets no positions, so nothing else tells
            await assignment.take_over(app.consumer_generation_id, ())

    app.on_partitions_assigned.connect(assigned, weak=False)
    app.on_partitions_revoked.connect(release, weak=False)
    app.on_before_shutdown.connect(leave, weak=False)


class FailStopWorker(faust.Worker):
    """Faust's worker without its spinner, and a crash of any part of the frame ends the process at once."""

    def __init__(self, app: faust.App, **kwargs: Any) -> None:  # noqa: ANN401  Faust's own signature
        super().__init__(app, **kwargs)
        self.spinner = None  # when it ends it shows the cursor again, also in a file

    def _crash(self, reason: BaseException) -> None:
        if isinstance(reason, asyncio.CancelledError):  # how Faust restarts its fetcher
            super()._crash(reason)
            return
        log.error("the frame crashed", exc_info=reason)
        halt(Fault(ExitCode.PRODUCER, f"the frame crashed with {reason!r}. Nothing is lost: start the worker again."))


def run(app: faust.App) -> NoReturn:
    """Run the app as this process: uvloop, log level info, no web server.

    SIGTERM finishes the batch in flight and leaves the group with exit code 0; faults leave with those of `ExitCode`.
    """
    collect_young()
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = FailStopWorker(
        app,
        loglevel="info",  # with a higher one Faust sets the root logger to DEBUG, to feed its spinner
        loop=loop,
        redirect_stdouts=False,
        quiet=True,  # else it writes an empty line to standard output when it is told to leave while it starts
        override_logging=not logging.getLogger().handlers,  # whoever set logs up before decides about their form
    )
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        if end.code:
            halt(
                Fault(
                    ExitCode.PRODUCER, "the frame could not start or stop; the reason is above. Start the worker again."
                )
            )
        raise
