"""One assigned ledger partition: performs what the protocol commands and feeds back what happened."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Final, assert_never

from faust.types import AppT

from streams.engine import moves, protocol
from streams.engine.behind_fence import OpenTransactionError, read_behind_fence
from streams.engine.config import EngineConfig
from streams.engine.cut import Cut, UnreadableCutError
from streams.engine.faults import ExitCode, Fault, projection_raised
from streams.engine.fence import FencedProducer, MissingPartitionError, OutputTooLongError
from streams.engine.halt import StopPoint, halt
from streams.engine.held import FEW, Held
from streams.engine.outputs import BatchOutputs, RowTable
from streams.engine.progress import Progress, Recovery
from streams.engine.projection import Projection, Record
from streams.engine.snapshots import DamagedSnapshotError
from streams.engine.topic_ids import SharedQuestion
from streams.engine.torn import StrangeOutputsError, Trail
from streams.engine.waiting import Pace, Taken, Waiting

log = logging.getLogger(__name__)

_QUIET_S: Final = 0.1
"""A partition to which nothing came for so long has nothing to do; under load most batches end with nothing waiting."""


class LedgerPartition:
    """Follows one ledger partition from assignment to release.

    `arrive` and `leave` come from the frame, everything else happens in its own task, one command after the other.
    """

    def __init__(
        self,
        app: AppT,
        config: EngineConfig,
        partition: int,
        held: Held[Projection],
        *,
        served_by: Callable[[], int | None],
        ledger_ids: defaultdict[int | None, SharedQuestion],
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._config = config
        self._partition = partition
        self._held = held
        self._served_by = served_by
        self._ledger_ids = ledger_ids
        self._on_progress = on_progress
        self._terms = moves.Terms(config.ledger, partition, held.state.version, config.batch_max)
        self._state = moves.State(self._terms)
        self._outputs = BatchOutputs(
            {name: RowTable(app, name, topic, config.partitions) for name, topic in config.tables.items()},
            config.outputs,
        )
        self._trail = Trail(self._terms.place, {})
        self._pace = Pace(config.slice_max, config.slice_within)
        self._waiting = Waiting(self._pace)
        self._taken = Taken([])
        self._commands: asyncio.Queue[moves.Command] = asyncio.Queue()
        self._producer = FencedProducer(config, partition)
        self._stop_point = StopPoint(config.stop_at)
        self._topic_id: str | None = None
        self._cuts_id: str | None = None
        self._output_ids: tuple[tuple[str, str], ...] = ()
        self._counts: dict[str, int] = {}
        self._ready = False
        self._recovery: Recovery | None = None
        self._resumed = -1
        self._seek: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._released = asyncio.Event()
        self._told: Progress | None = None
        self._steps = 0
        self._quiet = False
        self._until_quiet: asyncio.TimerHandle | None = None
        self._task = asyncio.create_task(self._follow(), name=f"{config.ledger}/{partition}")

    @property
    def progress(self) -> Progress:
        """How far the partition is."""
        state, sent_bytes = self._state, self._producer.sent_bytes
        return Progress(self._partition, state.folded, state.cut, self._ready, sent_bytes, self._resumed)

    @property
    def arrived(self) -> int:
        """Offset of the last record that came from the ledger, -1 before the first."""
        return self._state.arrived

    @property
    def pulse(self) -> int | None:
        """A number that changes with every step; None while there is nothing to do."""
        idle = self._state.stage in (moves.Stage.WAITING, moves.Stage.CLOSED)
        return None if idle else self._steps

    async def start_offset(self) -> int | None:
        """Return the offset from which the ledger is to flow, once the fence stands and the cut is read.

        None: the partition was released before it came to that.
        """
        return await asyncio.shield(self._seek)

    def arrive(self, records: Sequence[Record]) -> None:
        """Take records from the ledger; they are folded or projected in their turn."""
        self._stir()
        self._waiting.add(records)
        self._feed(moves.Arrived(tuple([record.offset for record in records])))

    async def leave(self) -> Held[Projection]:
        """Finish the batch in flight, release the partition and return the state for a later assignment."""
        self._stir()
        self._feed(moves.Revoked())
        await self._released.wait()
        return self._held

    def _feed(self, event: moves.Event) -> None:
        self._steps += 1
        self._state, commands = protocol.step(self._state, event)
        for command in commands:
            if isinstance(command, moves.Exit):
                halt(command.fault)
            self._commands.put_nowait(command)

    async def _follow(self) -> None:
        try:
            await self._perform_all()
        except Exception as error:  # of what is around the commands: nobody waits for this task
            log.exception("%s failed", self._terms.place)
            halt(
                Fault(
                    ExitCode.PRODUCER,
                    f"{self._terms.place}: what follows it failed with {error!r}, which is a fault of the program. "
                    "Nothing is lost: start the worker again.",
                )
            )

    async def _perform_all(self) -> None:
        await self._held.open()
        self._feed(moves.Assigned(self._held.folded, self._held.origin))
        while not self._released.is_set():
            command = await self._commands.get()
            try:
                event = await self._perform(command)
            except UnreadableCutError as error:
                event = moves.Failed(Fault(ExitCode.VERSION, f"{error}. Was the topic written by something else?"))
            except Exception as error:
                log.exception("%s failed", self._terms.place)
                event = moves.Failed(self._fault(command, error))
            if event is not None:
                self._feed(event)
            self._tell()

    def _fault(self, command: moves.Command, error: Exception) -> Fault:
        place = self._terms.place
        if self._held.damaged:
            return Fault(
                ExitCode.SNAPSHOT,
                f"{place}: {error}. Nothing that rests on it is committed. {self._held.discard()} Start the worker "
                "again: it folds from the ledger.",
            )
        if isinstance(command, moves.Fold | moves.Project):
            at = self._taken.at.offset if self._taken.at is not None else None
            hint = self._config.set_aside_hint if isinstance(command, moves.Project) else None
            return projection_raised(error, place, (command.first, command.last), at, hint)
        if isinstance(error, OutputTooLongError):
            return Fault(
                ExitCode.PROJECTION,
                f"{place}: {error}. Nothing of the batch is committed, and a new start ends here too: mend the "
                "projection, or let the topic take more, then start the worker again.",
            )
        if isinstance(error, StrangeOutputsError | MissingPartitionError):
            return Fault(
                ExitCode.LEDGER,
                f"{error}. Nothing of the batch is committed, and a new start ends here too: give this worker derived "
                "topics of its own, which it folds from the ledger.",
            )
        if isinstance(error, OpenTransactionError):
            return Fault(
                ExitCode.PRODUCER,
                f"{error}. Start the worker again; if it stays so, ask `kafka-transactions.sh find-hanging`.",
            )
        return Fault(
            ExitCode.PRODUCER,
            f"{place}: {type(command).__name__} failed with {error!r}; another worker may own the partition now, the "
            "broker is in trouble, or it has forgotten the transactional id of a partition that was quiet for days "
            "(`transactional.id.expiration.ms`). Nothing is lost: start the worker again.",
        )

    async def _perform(self, command: moves.Command) -> moves.Event | None:  # noqa: C901, PLR0912  a case per command
        match command:
            case moves.Fence():
                return await self._fence()
            case moves.ReadCut():
                return await self._read_cut()
            case moves.Renew():
                await self._held.renew()
            case moves.Seek(offset):
                self._resume(offset)
            case moves.Fold(first, last, aside):
                return await self._fold(first, last, aside)
            case moves.Project(first, last, aside):
                return await self._project(first, last, aside)
            case moves.Send(offset):
                return await self._send(offset)
            case moves.Commit():
                return await self._commit()
            case moves.Ready():
                self._ready = True
                if self._resumed < self._state.cut:
                    self._held.recovered()
            case moves.Save(offset, last):
                await self._save(offset, last=last)
            case moves.Release():
                await self._release()
            case moves.Exit():
                raise AssertionError("an exit is never queued")
            case _:
                assert_never(command)
        return None

    async def _fence(self) -> moves.Event:
        await self._producer.raise_fence()
        self._stop_point.pass_by("after_fence")
        return moves.Fenced()

    async def _read_cut(self) -> moves.Event:
        outputs = (*self._config.outputs, *self._config.tables.values())
        await self._producer.look_for(outputs)
        asked = self._producer.topic_ids(self._config.ledger, self._config.cuts)
        ids, agreed = await asyncio.gather(asked, self._producer.agreed_ids(outputs))
        self._topic_id, self._cuts_id = ids[self._config.ledger], ids[self._config.cuts]
        behind = await read_behind_fence(self._config, self._partition, {**ids, **agreed})
        read, self._trail = behind.read, behind.trail
        known = {} if read.cut is None else dict(read.cut.output_ids)
        self._output_ids = tuple(
            sorted((topic, found) for topic, found in (known | agreed).items() if topic in outputs)
        )
        self._counts = {} if read.cut is None else dict(read.cut.counts)
        if read.cut is not None and behind.back:
            spans, previous = self._trail.spans({}, {}), read.cut.offset
            cut = replace(read.cut, previous=previous, spans=spans, output_ids=self._output_ids)
            await self._producer.send({self._config.cuts: [(cut.key, cut.encode(), ())]})
            await self._producer.commit()
        self._stop_point.pass_by("after_cut_read")
        return replace(read, cuts_id=self._cuts_id)

    def _resume(self, offset: int) -> None:
        self._resumed = self._held.folded = offset - 1
        self._held.begin(self._terms.origin(self._topic_id, self._cuts_id))
        self._recovery = Recovery(self._terms.place, self._resumed, self._state.cut)
        self._seek.set_result(offset)

    async def _fold(self, first: int, last: int, aside: Sequence[int]) -> moves.Event:
        for taken in self._waiting.take(last - first + 1, aside):
            begun = perf_counter()
            if not taken.aside:
                self._taken = taken
                self._held.state.fold(taken)
            if self._recovery is not None:
                self._recovery.at(taken[-1].offset)
            await self._give_way(len(taken), begun)
        self._stop_point.pass_by("after_fold")
        return moves.Folded()

    async def _project(self, first: int, last: int, aside: Sequence[int]) -> moves.Event:
        projection = self._held.state
        for taken in self._waiting.take(last - first + 1, aside):
            begun = perf_counter()
            self._taken = taken
            if taken.aside:
                for record in taken:
                    projection.set_aside(record, self._outputs)
            else:
                projection.project(taken, self._outputs)
            await self._give_way(len(taken), begun)
        self._stop_point.pass_by("after_project")
        return moves.Projected()

    async def _give_way(self, records: int, begun: float) -> None:
        seconds = perf_counter() - begun
        self._pace.took(records, seconds)
        self._held.worked(seconds)
        self._steps += 1
        await asyncio.sleep(0)

    async def _send(self, offset: int) -> moves.Event:
        if self._held.damaged:
            raise DamagedSnapshotError("the projection went on with a damaged value")
        appended, rows = self._outputs.drain()
        for topic, entries in appended.items():
            self._counts[topic] = self._counts.get(topic, 0) + len(entries)
        left, spans = self._trail.left_to_send(appended), self._trail.spans(appended, rows)
        cut = Cut(
            self._config.ledger,
            self._topic_id,
            self._partition,
            offset,
            self._terms.version,
            tuple(sorted(self._counts.items())),
            self._state.cut,
            spans,
            self._output_ids,
        )
        # What a batch holds was fetched before this asks who has served it, and that knows what it serves: it came from
        # the ledger that the answer speaks of. Another broker may be cut off, and know the last one still.
        served_by = self._served_by()
        ends, found = await asyncio.gather(
            self._producer.send({**left, **rows, self._config.cuts: [(cut.key, cut.encode(), ())]}),
            self._ledger_ids[served_by].ask(lambda: self._producer.topic_id(self._config.ledger, served_by)),
        )
        if found != self._topic_id:
            return moves.Failed(self._replaced(found))
        self._trail.sent(spans, ends)
        self._stop_point.pass_by("after_send_before_commit")
        return moves.Sent()

    def _replaced(self, found: str | None) -> Fault:
        return Fault(
            ExitCode.LEDGER,
            f"{self._config.ledger}/{self._partition} had topic id {self._topic_id} and has {found} now: the ledger "
            "was deleted under this worker. Give the new ledger new derived topics, or restore the old one.",
        )

    async def _commit(self) -> moves.Event:
        await self._producer.commit()
        self._stop_point.pass_by("after_commit")
        return moves.Committed()

    async def _save(self, offset: int, *, last: bool) -> None:
        self._held.folded = offset
        if last:
            await self._held.save(offset)
            return
        few = self._state.arrived - offset <= max(self._pace.size, FEW)
        live = self._ready and few and not self._quiet
        self._held.save_if_due(offset, idle=self._quiet, live=live)
        # also when a save of what was before is still under way: nothing else asks for the next one
        if self._state.arrived <= offset and (not self._quiet or self._held.lags(offset)):
            self._until_quiet = asyncio.get_running_loop().call_later(_QUIET_S, self._rest, offset)

    def _rest(self, offset: int) -> None:
        """Save once more, for nothing came since the state stood at `offset`, so it stands there still."""
        self._quiet = True
        self._commands.put_nowait(moves.Save(offset, last=False))

    def _stir(self) -> None:
        """Note that there is something to do; what `_rest` has asked for by then is done before it."""
        self._quiet = False
        if self._until_quiet is not None:
            self._until_quiet.cancel()

    async def _release(self) -> None:
        await self._producer.stop()
        if not self._seek.done():
            self._seek.set_result(None)
        self._released.set()

    def _tell(self) -> None:
        progress = self.progress
        if progress != self._told:
            self._told = progress
            self._on_progress(progress)
