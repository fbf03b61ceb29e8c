"""Nine bugs, planted in a tally worker: the suite must catch each of them."""

import os
from collections.abc import Callable, Mapping, Sequence

from aiokafka import AIOKafkaProducer

from streams.engine import Cut, EngineConfig, Outputs, Record, behind_fence, moves, protocol
from streams.engine.fence import FencedProducer
from streams.engine.projection import Entry, Headers
from streams.engine.torn import Settled
from tests.faults.kept_tally import KeptTally
from tests.faults.tally import Tally

Step = tuple[moves.State, tuple[moves.Command, ...]]


def no_fence() -> None:
    """Give every process transactional ids of its own: nobody fences anybody."""

    def transactional_id(config: EngineConfig, partition: int) -> str:
        return f"{config.name}.{config.group}.{partition}.{os.getpid()}"

    EngineConfig.transactional_id = transactional_id  # type: ignore[assignment]


def cut_read_before_fencing() -> None:
    """Read the cut first: what the predecessor commits before the fence stands is not seen."""
    step = protocol.step
    read: dict[moves.Terms, moves.CutRead] = {}

    def hasty(state: moves.State, event: moves.Event) -> Step:
        match event:
            case moves.Assigned():
                return step(state, event)[0], (moves.ReadCut(),)
            case moves.CutRead() if state.stage is moves.Stage.FENCING:
                read[state.terms] = event
                return state, (moves.Fence(),)
            case moves.Fenced():
                return step(step(state, event)[0], read[state.terms])
            case _:
                return step(state, event)

    async def knows_none(_producer: FencedProducer, *topics: str) -> dict[str, str | None]:
        """Ask nobody: the producer is not connected yet."""
        return dict.fromkeys(topics)

    async def looks_for_none(_producer: FencedProducer, _topics: object) -> None:
        """Ask nobody."""

    async def knows_no_id(_producer: FencedProducer, _topic: str, _said_by: object = None) -> None:
        """Ask nobody."""

    protocol.step = hasty

    async def hears_of_none(_producer: FencedProducer, _topics: object) -> dict[str, str]:
        """Ask nobody."""
        return {}

    FencedProducer.topic_ids = knows_none  # type: ignore[assignment]
    FencedProducer.agreed_ids = hears_of_none  # type: ignore[assignment]
    FencedProducer.topic_id = knows_no_id  # type: ignore[assignment]
    FencedProducer.look_for = looks_for_none  # type: ignore[assignment]


def outputs_outside_the_transaction() -> None:
    """Send outputs and rows as they are, commit the cut alone, and never look what is there already."""
    torn_transaction_overlooked()
    _outside_the_transaction(lambda topic: not topic.endswith(".cuts"))


def rows_outside_the_transaction() -> None:
    """Send rows as they are, and commit the other outputs with the cut: readers of changes see nothing of it."""
    _outside_the_transaction(lambda topic: topic.endswith((".rows", ".sums", ".deadlines")))


def _outside_the_transaction(outside: Callable[[str], bool]) -> None:
    begin = FencedProducer.__init__

    def beginning(fenced: FencedProducer, config: EngineConfig, partition: int) -> None:
        begin(fenced, config, partition)
        bootstraps[fenced] = config.bootstrap

    async def send(fenced: FencedProducer, entries: Mapping[str, Sequence[Entry]]) -> dict[str, int]:
        ends: dict[str, int] = {}
        loose = AIOKafkaProducer(bootstrap_servers=bootstraps[fenced], enable_idempotence=True)
        await loose.start()
        inner, fenced._producer = fenced._producer, loose  # noqa: SLF001 -- the place where the bug is planted
        for topic in entries:
            if outside(topic):
                ends[topic] = await fenced._send(topic, entries[topic])  # noqa: SLF001 -- as above
        fenced._producer = inner  # noqa: SLF001 -- as above
        await loose.stop()
        await inner.begin_transaction()
        for topic in entries:
            if not outside(topic):
                ends[topic] = await fenced._send(topic, entries[topic])  # noqa: SLF001 -- as above

        return ends

    bootstraps: dict[FencedProducer, str] = {}
    FencedProducer.__init__ = beginning  # type: ignore[assignment]
    FencedProducer.send = send  # type: ignore[assignment]


def torn_transaction_overlooked() -> None:
    """Take the last cut for the truth, whatever the cluster has made of its transaction."""

    def believing(cut: Cut | None, *_: object, **__: object) -> Settled:
        return Settled(cut, {})

    behind_fence.settle = believing  # type: ignore[attr-defined]


def cut_one_too_far() -> None:
    """Write a cut that covers one record more than the outputs do."""
    step = protocol.step

    def further(state: moves.State, event: moves.Event) -> Step:
        state, commands = step(state, event)
        return state, tuple(moves.Send(one.offset + 1) if isinstance(one, moves.Send) else one for one in commands)

    protocol.step = further


def no_hole_guard() -> None:
    """Take every record for the next one, whatever its offset."""
    step = protocol.step

    def believing(state: moves.State, event: moves.Event) -> Step:
        if isinstance(event, moves.Arrived):
            first = state.arrived + 1
            event = moves.Arrived(tuple(range(first, first + len(event.offsets))))
        return step(state, event)

    protocol.step = believing


def deaf_to_strikes() -> None:
    """Leave alerts to the clock process: the fold decides none."""
    project = Tally.project

    class WithoutAlerts:
        """Outputs that swallow alerts."""

        def __init__(self, outputs: Outputs, alerts: str) -> None:
            self._outputs = outputs
            self._alerts = alerts
            self.row = outputs.row

        def append(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = ()) -> None:
            """Append anything else."""
            if topic != self._alerts:
                self._outputs.append(topic, key, value, headers)

    def projecting(tally: Tally, records: Sequence[Record], outputs: Outputs) -> None:
        project(tally, records, WithoutAlerts(outputs, tally.places.alerts))

    Tally.project = projecting  # type: ignore[assignment]


def drawn_for_good() -> None:
    """Save an account as it was drawn, also when it has changed since."""

    def touch(tally: KeptTally, negotiation: str) -> None:
        tally._touched.setdefault(negotiation, None)  # noqa: SLF001 -- the place where the bug is planted

    KeptTally.touch = touch  # type: ignore[assignment]


PLANTED: Mapping[str, Callable[[], None]] = {
    plant.__name__: plant
    for plant in (
        no_fence,
        cut_read_before_fencing,
        outputs_outside_the_transaction,
        rows_outside_the_transaction,
        torn_transaction_overlooked,
        cut_one_too_far,
        no_hole_guard,
        deaf_to_strikes,
        drawn_for_good,
    )
}
