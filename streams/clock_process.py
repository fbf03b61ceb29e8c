"""The clock process: follows the ledger live and posts what its partitions want struck.

One loop: take what arrived, strike what is due, ten times a second while nothing arrives. It never sleeps towards a
wake, so a machine that was suspended or whose clock was set oversleeps none.
"""

import asyncio
import logging
import signal
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from schemas.cloudevents import headers
from schemas.codec import encode
from schemas.events import ClockStruck
from streams.broker_reaching import BrokerUnreachable
from streams.broker_time import BrokerTime
from streams.clock import PartitionClock, Refused
from streams.engine import DamagedSnapshotError, ExitCode, Fault, UnreadableCutError
from streams.engine.config import Keeping
from streams.engine.cut import may_be_one
from streams.engine.halt import halt
from streams.engine.held import FEW, Held, Turns
from streams.engine.moves import Origin
from streams.engine.status import StatusPort, listening
from streams.now import now
from streams.producing import Append, AppendFailed, LedgerWriter
from streams.projection import fold_version
from streams.reading import HoleInTopic, KafkaRecord, RecordsGone, StrangeBatch, end_positions, follow, read_set_asides
from streams.settings import Settings
from streams.topics import EVENTS
from streams.topics_on_kafka import topics_found
from streams.worker import leads

log = logging.getLogger(__name__)

_LOOK_S: Final = 60.0
_TELL_S: Final = 2.0


@dataclass(slots=True)
class _Look:
    """What a look at the ledger from outside has shown: where it ends, which topic it is, what is set aside."""

    ends: Mapping[int, int]
    topic_id: str | None
    aside: frozenset[tuple[int, int]]
    at: float = field(default_factory=time.monotonic)

    def aside_in(self, partition: int) -> frozenset[int]:
        """Return the offsets in a partition that are set aside."""
        return frozenset(offset for one, offset in self.aside if one == partition)


class ClockProcess:
    """The clocks of all partitions of one ledger, each with its own estimate of its broker's time.

    `fast_by` sets this machine's clock as the process sees it ahead, for tests of a clock that is wrong.
    """

    def __init__(
        self, settings: Settings, bootstrap: str, partitions: int, *, fast_by: timedelta = timedelta(0)
    ) -> None:
        self._bootstrap = bootstrap
        self._prefix = settings.installation
        self._topic = EVENTS.name(settings.installation)
        self._version = fold_version(leads(settings))
        clock = partial(PartitionClock, prefix=settings.installation, partitions=partitions, leads=leads(settings))
        turns = Turns()
        self._held = [
            Held(_keeping(settings, n), lambda: clock(time=BrokerTime(wall=lambda: now() + fast_by)), turns)
            for n in range(partitions)
        ]
        self._reached: list[int] = []
        self._stopping = False
        self._ready = False
        self._told_at = time.monotonic()

    def stop(self) -> None:
        """Leave once what is under way is acknowledged."""
        self._stopping = True

    @property
    def _clocks(self) -> list[PartitionClock]:
        return [held.state for held in self._held]

    def status(self) -> tuple[bool, list[dict[str, Any]]]:
        """Whether the ledger has been read to its end, and what each partition waits for."""
        return self._ready, [self._status(number, clock) for number, clock in enumerate(self._clocks)]

    async def run(self) -> None:
        """Strike until told to stop. HoleInTopic, RecordsGone, AppendFailed, BrokerUnreachable; or it halts."""
        look = await self._look()
        await asyncio.gather(*(self._bring_back(n, held, look) for n, held in enumerate(self._held)))
        self._take_in(look, look)
        start = {n: clock.next_offset for n, clock in enumerate(self._clocks)}
        kept, total = sum(start.values()), sum(look.ends.values())
        rest = ", the others are in the snapshot" if kept else ""
        log.info("folding %d of %d events of %s%s", total - kept, total, self._topic, rest)
        looking: asyncio.Task[_Look] | None = None
        batches = follow(self._bootstrap, self._topic, start=start, isolation="read_uncommitted", dense=True)
        async with LedgerWriter(self._bootstrap, self._topic) as writer, aclosing(batches):
            async for records in batches:
                if self._stopping:
                    break
                if records:
                    self._read(records)
                elif self._ready:
                    self._rest()
                if self._ready or self._caught_up(look):
                    await self._strike(writer)
                if looking is None and time.monotonic() - look.at > _LOOK_S:
                    looking = asyncio.create_task(self._look())
                elif looking is not None and looking.done():
                    self._take_in(looking.result(), look)
                    look, looking = looking.result(), None

        if looking is not None:
            looking.cancel()
        await asyncio.gather(*(held.save(held.state.next_offset - 1) for held in self._held))
        await asyncio.gather(*(held.close() for held in self._held))

    def throw_away_damaged(self) -> str:
        """Throw away snapshots that were found to be damaged; return what became of them, "" if there were none."""
        return " ".join(held.discard() for held in self._held if held.damaged)

    async def _bring_back(self, partition: int, held: Held[PartitionClock], look: _Look) -> None:
        """Go on from the snapshot of a partition, if it is one of this ledger without what is set aside by now."""
        origin = Origin(self._topic, look.topic_id, partition, self._version)
        await held.open()
        aside = {offset for offset in look.aside_in(partition) if offset <= held.folded}
        of_this = held.origin == origin and held.folded < look.ends[partition]
        if of_this and _attached(held, origin) and held.state.aside == aside:
            return
        if held.folded >= 0:
            await held.renew()
        held.begin(origin)

    def _read(self, records: Sequence[KafkaRecord]) -> None:
        first, last = records[0], records[-1]
        held = self._held[first.partition]
        begun = time.perf_counter()
        try:
            refused = held.state.read(records)
        except Exception as error:
            if held.damaged:
                raise
            log.exception("the fold raised")
            place = f"{self._topic}/{first.partition} between offsets {first.offset} and {last.offset}"
            halt(
                Fault(
                    ExitCode.PROJECTION,
                    f"the fold raised {error!r} on {place}. The worker's log names the record.",
                )
            )
        held.worked(time.perf_counter() - begun)
        held.save_if_due(last.offset, live=self._ready and len(records) <= FEW)
        if refused:
            self._tell_refused(first.partition, refused)

    def _rest(self) -> None:
        """Save what came of late, for nothing has come since."""
        for held in self._held:
            held.save_if_due(held.state.next_offset - 1, idle=True)

    def _tell_refused(self, partition: int, refused: Sequence[Refused]) -> None:
        log.warning(
            "partition %d: the ledger refused %d strikes, first %s at %s, %.3f s early by the broker's clock, "
            "which is taken to be %.3f s ahead of this machine's from now on; they will be struck again",
            partition,
            len(refused),
            refused[0].strike.negotiation,
            refused[0].strike.at.isoformat(),
            refused[0].early_by.total_seconds(),
            self._clocks[partition].time.ahead_of_machine.total_seconds(),
        )

    def _caught_up(self, look: _Look) -> bool:
        done = sum(min(clock.next_offset, look.ends[n]) for n, clock in enumerate(self._clocks))
        total = sum(look.ends.values())
        self._ready = done == total
        if self._ready:
            for held in self._held:
                held.recovered()
                held.save_if_due(held.state.next_offset - 1)
            waiting = sum(len(clock.wakes.asked) for clock in self._clocks)
            soonest = min((found[1] for clock in self._clocks if (found := clock.wakes.soonest())), default=None)
            first = soonest.isoformat() if soonest is not None else "none"
            log.info("the ledger is folded; %d negotiations wait for a strike, the first at %s", waiting, first)
        elif time.monotonic() - self._told_at > _TELL_S:
            self._told_at = time.monotonic()
            log.info("folded %d of %d events", done, total)
        return self._ready

    async def _strike(self, writer: LedgerWriter) -> None:
        """Post what is due in all partitions, side by side."""
        due = [(partition, strike) for partition, clock in enumerate(self._clocks) for strike in clock.strikes()]
        if not due:
            return
        sent_at = self._clocks[0].time.since_start()
        positions = await writer.append_all([_append(strike, partition) for partition, strike in due])
        for (partition, strike), position in zip(due, positions, strict=True):
            self._clocks[partition].sent(strike, position.offset, sent_at)
        partition, strike = due[0]
        late = (self._clocks[partition].time.now() - strike.at).total_seconds()
        log.info(
            "struck %d, first %s at %s, %.3f s after it", len(due), strike.negotiation, strike.at.isoformat(), late
        )

    async def _look(self) -> _Look:
        """Look at the ledger from outside."""
        ends = await end_positions(self._bootstrap, self._topic)
        found = await topics_found(self._bootstrap, self._prefix)
        topic_id = next((one.topic_id for one in found if one.name == self._topic), None)
        return _Look(ends, topic_id, frozenset(await read_set_asides(self._bootstrap, self._prefix)))

    def _take_in(self, look: _Look, before: _Look) -> None:
        """Leave out what is set aside; halt if the ledger is another one, or if reading it has come to a stop."""
        if not may_be_one(before.topic_id, look.topic_id):
            halt(Fault(ExitCode.LEDGER, f"{self._topic} was made anew ({before.topic_id} → {look.topic_id}): {_ANEW}"))
        look.topic_id = look.topic_id or before.topic_id  # a node may not have heard of the topic yet
        reached = [clock.next_offset for clock in self._clocks]
        still = self._stands_still(reached, before)
        self._reached = reached
        for n, clock in enumerate(self._clocks):
            place = f"{self._topic}/{n}"
            if n in still:
                reason = f"{place} has events that did not arrive within {_LOOK_S:g} s. Nothing is lost: start anew."
                halt(Fault(ExitCode.STALLED, reason))
            aside = look.aside_in(n)
            if any(offset < clock.next_offset for offset in aside ^ clock.aside):
                reason = f"{place}: what was folded is set aside now, or the other way about: start the clock again."
                halt(Fault(ExitCode.PRODUCER, reason))
            clock.aside = aside

    def _stands_still(self, reached: Sequence[int], before: _Look) -> Collection[int]:
        """Return the partitions of which nothing has come since the look before, though there was something then.

        While the ledger is folded they have their turns one after the other.
        """
        if not self._ready and reached != self._reached:
            return ()
        known = enumerate(zip(reached, self._reached, strict=True))
        return [n for n, (now_at, was_at) in known if now_at == was_at and now_at < before.ends[n]]

    def _status(self, number: int, clock: PartitionClock) -> dict[str, Any]:
        soonest = clock.wakes.soonest()
        return {
            "partition": number,
            "folded": clock.next_offset - 1,
            "waiting": len(clock.wakes.asked),
            "next": None if soonest is None else {"negotiation": soonest[0], "at": soonest[1].isoformat()},
            "broker_ahead_s": round(clock.time.ahead_of_machine.total_seconds(), 3),
        }


def _keeping(settings: Settings, partition: int) -> Keeping:
    folder = settings.state_directory / f"clock{settings.installation.removeprefix(settings.prefix)}"
    return Keeping(folder / f"{quote(settings.installation, safe='')}.{partition}.snapshot")


def _attached(held: Held[PartitionClock], origin: Origin) -> bool:
    """Let a clock begin with its snapshot; tell whether that is what was written."""
    try:
        held.begin(origin)
    except DamagedSnapshotError as error:
        log.warning("%s", error)
        return False
    return True


_PORT_HINT: Final = "Name another one with --status-port, then start the clock again."
_ANEW: Final = "nothing that was folded belongs to it. Look at the worker first, then start the clock again."


def _append(strike: ClockStruck, partition: int) -> Append:
    return Append(strike.negotiation.encode(), encode(strike), headers(strike), partition)


async def keep_time(clock: ClockProcess, status_port: int | None = None) -> None:
    """Run a clock as this process until SIGTERM or SIGINT, or until a fault halts it with the fault's exit code.

    BrokerUnreachable when there is no Kafka, or none any more.
    """
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, clock.stop)
    port = StatusPort(listening(status_port, _PORT_HINT), clock.status) if status_port is not None else None
    if port is not None:
        await port.start()
    try:
        await clock.run()
    except BrokerUnreachable:
        raise
    except Exception as error:  # noqa: BLE001 -- each ends the process, with words and a code of its own
        halt(_fault(error, clock))
    finally:
        if port is not None:
            await port.stop()
    log.info("told to stop; what was struck is on the ledger")


def _fault(error: Exception, clock: ClockProcess) -> Fault:
    match error:
        case HoleInTopic():
            return Fault(ExitCode.HOLE, str(error))
        case RecordsGone():
            return Fault(ExitCode.LEDGER, f"{error} The ledger was made anew or cut off: look at the worker first.")
        case AppendFailed():
            return Fault(ExitCode.PRODUCER, f"{error} Start the clock again: what is there is not struck twice.")
        case UnreadableCutError() | StrangeBatch():  # what is set aside stands there too
            return Fault(ExitCode.VERSION, str(error))
        case _:
            log.error("the clock failed", exc_info=error)
            if thrown_away := clock.throw_away_damaged():
                return Fault(ExitCode.SNAPSHOT, f"{error}. {thrown_away} Start the clock again.")
            why = f"the clock failed with {error!r}. Nothing is lost: start the clock again."
            return Fault(ExitCode.PRODUCER, why)
