"""A ledger, a broker's clock and machines whose own clocks are wrong, simulated: the clock's code is the real one."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ledger.history import Negotiation, Outcome
from schemas.changes import Alert
from schemas.codec import decode, encode
from schemas.events import ClockStruck, DeadlineChanged, Event
from schemas.ids import event_id
from schemas.positions import Recorded
from schemas.provenance import Document, Source
from schemas.times import When
from streams.broker_time import BrokerTime
from streams.clock import PartitionClock
from streams.projection import recorded

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEADS = ("1h", "2h")
NO_TIME, MOMENT = timedelta(0), timedelta(milliseconds=20)


def seconds(count: float) -> timedelta:
    """Give a time span."""
    return timedelta(seconds=count)


def promise(
    name: str, due: datetime, negotiation: str = "n", *, act: str = "P1", stage: str = "set"
) -> DeadlineChanged:
    """Report that something is due at an instant, as announced long before."""
    return DeadlineChanged(
        negotiation=negotiation,
        act=act,
        stage="set" if stage == "set" else "met",
        deadline=name,
        kind="promise",
        announced=When(at=BEGIN - timedelta(days=1), zone="UTC"),
        source=Source(name="Wire", grade="wire", own_id=f"{negotiation}/{name}/{act}"),
        document=Document(kind="official-statement", issuer="SY"),
        due=When(at=due, zone="UTC") if stage == "set" else None,
    )


@dataclass(frozen=True, slots=True)
class Stamped:
    """One record of the simulated ledger, with the broker's stamp."""

    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(slots=True)
class Broker:
    """One partition of a ledger and the broker's clock."""

    now: datetime = BEGIN
    log: list[Stamped] = field(default_factory=list)

    def append(self, event: Event) -> int:
        """Append an event; the broker stamps it. Return its offset."""
        stamp = int(self.now.timestamp() * 1000)
        self.log.append(Stamped(0, len(self.log), stamp, event.negotiation.encode(), encode(event)))
        return len(self.log) - 1

    def events(self) -> list[Recorded]:
        """Return the log as the fold takes it."""
        found = []
        for one in self.log:
            event = decode(one.value)
            assert not isinstance(event, tuple)
            found.append(recorded(one, event))  # type: ignore[arg-type]  # what was encoded here decodes
        return found

    def outcomes(self) -> list[tuple[Recorded, Outcome]]:
        """Fold the log as a worker does."""
        folds: dict[str, Negotiation] = {}
        return [
            (one, folds.setdefault(one.event.negotiation, Negotiation(one.event.negotiation, LEADS)).evolve(one))
            for one in self.events()
        ]

    def alerts(self) -> list[tuple[Alert, datetime]]:
        """Return the alerts with the broker's time at which each was decided."""
        return [
            (alert, one.recorded_at) for one, outcome in self.outcomes() for alert in outcome.alerts if one.recorded_at
        ]

    def early_strikes(self) -> int:
        """Count the strikes that the fold refused."""
        return sum(
            change["after"].get("code") == "early_strike"
            for _, outcome in self.outcomes()
            for change in outcome.changes
        )

    def strikes(self) -> dict[str, int]:
        """Count the records of each strike, by id."""
        counts: dict[str, int] = {}
        for one in self.events():
            if isinstance(one.event, ClockStruck):
                counts[event_id(one.event)] = counts.get(event_id(one.event), 0) + 1
        return counts


class Machine:
    """A machine that runs a clock; its own clocks are off, and it reads and writes with a delay."""

    def __init__(self, broker: Broker, fast_by: timedelta = NO_TIME, delay: timedelta = MOMENT) -> None:
        self.broker = broker
        self.fast_by = fast_by
        self.delay = delay
        self.lost = timedelta(0)  # of the time since its start: a virtual machine that stood still
        self.start()

    def start(self) -> None:
        """Start the clock, as after kill -9: nothing of the one before is left."""
        time = BrokerTime(lambda: self.broker.now + self.fast_by, lambda: self.broker.now - BEGIN - self.lost)
        self.clock = PartitionClock(prefix="p", partitions=1, leads=LEADS, time=time)

    def look(self) -> None:
        """Go once around the clock's loop: read what there is, strike what is due."""
        if new := self.broker.log[self.clock.next_offset :]:
            self.clock.read(new)
        sent_at = self.clock.time.since_start()
        strikes = self.clock.strikes()
        self.broker.now += self.delay
        for strike in strikes:
            self.clock.sent(strike, self.broker.append(strike), sent_at)
        self.broker.now += self.delay
