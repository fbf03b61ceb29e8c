"""Faust's consumer mended: one message per partition and fetch, positions from the cut, no commits.

Every method here replaces one of Faust's own extension points; the fault it cures is named at the method.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any, cast

import uvloop
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT, ConsumerMessage, Message
from yarl import URL

from streams.engine.assignment import Assignment
from streams.engine.closing import stop_consumer
from streams.engine.faults import ExitCode, Fault
from streams.engine.halt import halt
from streams.engine.projection import Record
from streams.engine.refusing import refuse_unpacking

log = logging.getLogger(__name__)

_FETCH_TIMEOUT = 0.2
_FETCH_TIMEOUT_SHORT = 0.02
_FETCH_WAIT_MS_MAX = 20


class LedgerBatch(ConsumerMessage):
    """A message of Faust's that carries all records of one partition and fetch; its offset is that of the last."""

    records: Sequence[Record]


class Fetched(list[Record]):
    """Records of one partition: how many bytes the broker sent for them, and which node that was.

    Where a fetch is handed out in parts, the first of them has its bytes.
    """

    def __init__(self, records: Sequence[Record], size: int, served_by: int | None) -> None:
        super().__init__(records)
        self.size, self.served_by = size, served_by


class LedgerThread(driver.AIOKafkaConsumerThread):
    """The thread in which the aiokafka consumer lives."""

    async def on_start(self) -> None:
        """Start the consumer; what it fetches is unpacked only where that is bounded."""
        await super().on_start()
        self._origins = refuse_unpacking(self._consumer)
        self._hear_of_the_group()
        self._hear_of_tasks()

    async def _fetch_records(self, *args: Any, **kwargs: Any) -> dict[TP, Fetched]:  # noqa: ANN401  Faust's signature
        found = await super()._fetch_records(*args, **kwargs)
        return {tp: Fetched(records, *self._origins.take(tp)) for tp, records in found.items()}

    async def on_thread_stop(self) -> None:
        """Stop the consumer, whatever becomes of that.

        A fetch that waits because its broker is gone lets its own end out of aiokafka's `stop`. With Faust's method it
        ends the thread in the middle, and whoever told the worker to leave waits for ever.
        """
        await super(driver.AIOKafkaConsumerThread, self).on_thread_stop()
        if self._consumer is not None:
            try:
                await stop_consumer(self._consumer)
            except Exception:  # it leaves anyway, and the broker misses it within a session
                log.exception("the consumer could not be closed")

    def _hear_of_the_group(self) -> None:
        """Let what ends the membership in the group end the process.

        aiokafka tells it to whoever asks for records at that moment, and does nothing more until somebody has heard
        it. A worker that has no partitions asks for none.
        """
        coordinator = self._consumer._coordinator  # type: ignore[union-attr]  # noqa: SLF001  it has a group
        as_it_is = coordinator._push_error_to_user  # noqa: SLF001

        def out_of_the_group(error: Exception) -> Any:  # noqa: ANN401  something to wait for
            if not (self.should_stop or self.app.should_stop):
                halt(
                    Fault(
                        ExitCode.PRODUCER,
                        f"the broker does not let this worker into the group {coordinator.group_id}, or keep it there: "
                        f"{error!r}. Mend what it names, at the broker or in the settings, then start the worker anew.",
                    )
                )
            return as_it_is(error)

        coordinator._push_error_to_user = out_of_the_group  # noqa: SLF001

    def _hear_of_tasks(self) -> None:
        """Let the end of a task that aiokafka never begins again end the process.

        Nobody asks what became of them. With uvloop a write to a connection that was just reset raises RuntimeError,
        which they take for no fault of Kafka's (aiokafka issue 1038): nothing is fetched, or no new leader is found, by
        a worker that keeps its place in the group.
        """
        consumer = self._consumer
        tasks = {
            "fetches": consumer._fetcher._fetch_task,  # type: ignore[union-attr]  # noqa: SLF001  there is no other way
            "looks for leaders": consumer._client._sync_task,  # type: ignore[union-attr]  # noqa: SLF001
            "keeps its place in the group": consumer._coordinator._coordination_task,  # type: ignore[union-attr]  # noqa: SLF001
        }
        for does, task in tasks.items():
            task.add_done_callback(partial(self._ended, does))

    def _ended(self, does: str, task: asyncio.Task[None]) -> None:
        if not (self.should_stop or self.app.should_stop):
            why = "was cancelled" if task.cancelled() else f"ended with {task.exception()!r}"
            halt(
                Fault(
                    ExitCode.PRODUCER,
                    f"the part of the Kafka client that {does} {why}, and does not begin again. Nothing is lost: start "
                    "the worker again.",
                )
            )

    def _create_worker_consumer(self, transport: driver.Transport) -> Any:  # noqa: ANN401  aiokafka ships no types
        """Let idle fetches return soon.

        Faust asks the broker to hold them for 1.5 s, and as long as one is held for idle partitions, no other is
        sent to that broker for a busy one.
        """
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = _FETCH_WAIT_MS_MAX  # noqa: SLF001  aiokafka has no setter, Faust no setting
        return consumer


class LedgerConsumer(driver.Consumer):
    """Follows the ledger topic for an `Assignment`."""

    transport: "LedgerTransport"

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Faust's own signature
        super().__init__(*args, **kwargs)
        self._fetching = asyncio.Lock()

    async def on_start(self) -> None:
        """Start; from now on a place in the group is expected."""
        await super().on_start()
        self.transport.assignment.expect()

    def _new_consumer_thread(self) -> LedgerThread:
        return LedgerThread(self, loop=self.loop, thread_loop=uvloop.new_event_loop(), beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:  # noqa: ASYNC109  Faust's signature
        """Yield one message per partition and fetch, also where the ledger has gone back.

        Faust remembers what it has read, and drops without a word what lies before it: a ledger that lost its end, or
        was made anew and is shorter, would be followed in silence until it is as long again. The protocol looks at
        every offset itself.

        Per record, Faust's conductor, stream, acknowledgement and commit cost 180-340 microseconds; per batch,
        nothing. Records that were fetched before a rebalance are dropped only if positions are set again after it:
        Faust drops what was fetched between a seek and the resumption of the flow, and commits past it.
        """
        if not self.flow_active:
            await self.wait(self.can_resume_flow)  # type: ignore[arg-type]  # mode accepts any event
        generation = self.app.consumer_generation_id
        assignment = self.transport.assignment
        ledger = self.transport.ledger
        assigned = {tp.partition for tp in self._get_active_partitions() if tp.topic == ledger}
        readable = assigned & assignment.with_room(generation)
        if not readable:
            await assignment.wait_for_room(min(timeout, _FETCH_TIMEOUT))
            return
        async with self._fetching:
            if not self._flows(generation):
                return
            wait = _FETCH_TIMEOUT if readable == assigned else _FETCH_TIMEOUT_SHORT
            found = await self._getmany({TP(ledger, n) for n in readable}, timeout=wait)
        fetched = cast("dict[TP, Fetched]", found)  # as the thread makes it
        for tp, records in fetched.items():
            if not self._flows(generation):
                return
            if records:
                self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
                assignment.fetched(tp.partition, records[-1].offset, records.size, records.served_by)
                self._read_offset.pop(tp, None)
                yield tp, self._to_batch(tp, records, generation)

    def _flows(self, generation: int) -> bool:
        return self.flow_active and not self.should_stop and self.app.consumer_generation_id == generation

    def _to_batch(self, tp: TP, records: Sequence[Record], generation: int) -> LedgerBatch:
        last = records[-1]
        batch = LedgerBatch(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000,
            0,
            None,
            last.key,
            last.value,
            None,
            tp=TP(tp.topic, tp.partition),
            generation_id=generation,
        )
        batch.records = records
        return batch

    async def perform_seek(self) -> None:
        """Take the assigned partitions over and set their positions, before the flow starts.

        Faust seeks to group offsets, which may lie before or after what the outputs hold; here the cut alone decides.
        """
        generation = self.app.consumer_generation_id
        ledger = self.transport.ledger
        assigned = {tp.partition for tp in self.assignment() if tp.topic == ledger}
        assignment = self.transport.assignment
        starts = await assignment.take_over(generation, assigned)
        async with self._fetching:
            if self.app.consumer_generation_id != generation:
                return
            await self.seek_wait({TP(ledger, n): offset for n, offset in starts.items()})
        assignment.flow(generation, starts)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Leave progress to the watchdog: Faust's check expects commits and logs errors without an end."""


class LedgerTransport(driver.Transport):
    """Makes ledger consumers; everything else is Faust's own."""

    Consumer = LedgerConsumer

    def __init__(self, url: list[URL], app: AppT, ledger: str, assignment: Assignment) -> None:
        super().__init__(url=url, app=app)
        self.ledger = ledger
        self.assignment = assignment
