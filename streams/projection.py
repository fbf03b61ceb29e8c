"""Parley's projection of one ledger partition: bytes in; changes, alerts, rows and dead letters out."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from ledger.cabinet import Cabinet, Store
from ledger.history import LEADS, Negotiation, Outcome
from ledger.keeping import LAYOUT, KeptNegotiation
from schemas.changes import FOLD_VERSION
from schemas.codec import Undecodable, decode
from schemas.encoding import canonical_json
from schemas.events import Event
from schemas.ids import event_id
from schemas.positions import Recorded
from streams.engine import Outputs, Record, Refused
from streams.topics import ALERTS, CHANGES, DEAD_LETTERS, partition_of


class UpgradeNeeded(Exception):  # noqa: N818 -- the state of this installation, not a fault of the event
    """The ledger holds an event of a major version that this Parley cannot read: nothing of it may be guessed."""

    @classmethod
    def at(cls, record: Record, fault: Undecodable) -> "UpgradeNeeded":
        """Say where it stands."""
        return cls(f"partition {record.partition}, offset {record.offset}: {fault.reason}")


def fold_version(leads: tuple[str, ...]) -> str:
    """Return the version that a fold with these lead times writes into its cuts."""
    return FOLD_VERSION if leads == LEADS else f"{FOLD_VERSION}+{','.join(leads)}"


class LedgerProjection:
    """The fold of one partition: one `Negotiation` per key.

    Lead times decide which alerts there are, so others than the usual ones are part of the version.
    """

    def __init__(self, *, prefix: str, partitions: int, leads: tuple[str, ...] = LEADS) -> None:
        self.version = fold_version(leads)
        self.layout = LAYOUT
        self._partitions = partitions
        self._leads = leads
        self._changes = CHANGES.name(prefix)
        self._alerts = ALERTS.name(prefix)
        self._dead_letters = DEAD_LETTERS.name(prefix)
        self._cabinet = Cabinet()
        self._kept: dict[str, KeptNegotiation] = {}
        self._touched: dict[str, None] = {}

    def attach(self, store: Store) -> None:
        """Go on from what was saved in a store; called once, before anything is folded."""
        self._cabinet = Cabinet(store)

    def draw(self) -> Iterator[None]:
        """Make bytes of what has changed, ahead of `changed`, a part with each step."""
        return self._cabinet.draw()

    def changed(self) -> Mapping[bytes, bytes | None]:
        """Return what is to be saved since the last call, None for what is to be removed."""
        found: dict[str, bytes | None] = dict(self._cabinet.changed())
        for name in self._touched:
            found.update(self._kept[name].changed())
        self._touched.clear()
        return {key.encode(): data for key, data in found.items()}

    def negotiation(self, name: str) -> Negotiation | None:
        """Return the state of a negotiation, None where nothing was folded of it since the start."""
        kept = self._kept.get(name)
        return None if kept is None else kept.negotiation

    def fold(self, records: Sequence[Record]) -> None:
        """Fold records whose outputs are committed."""
        self._outcomes(records)

    def project(self, records: Sequence[Record], outputs: Outputs) -> None:
        """Fold records and append what they bring about."""
        for record, outcome in zip(records, self._outcomes(records), strict=True):
            if isinstance(outcome, Undecodable):
                self._bury(record, outcome, outputs)
                continue
            key = record.key or b""  # the negotiation: what has another key is misplaced
            for change in outcome.changes:
                outputs.append(self._changes, key, canonical_json(change))
            for alert in outcome.alerts:
                outputs.append(self._alerts, key, canonical_json(alert))
            for (table, entity), row in outcome.rows.items():
                encoded = canonical_json(row) if row is not None else None
                outputs.row(table, b"%b/%b" % (key, entity.encode()), encoded)

    def set_aside(self, record: Record, outputs: Outputs) -> None:
        """Pass a record that a person has set aside: a dead letter says so."""
        headers = dead_letter_headers(record, "set_aside", "a person has set this record aside: it was not folded")
        outputs.append(self._dead_letters, record.key, record.value, headers)

    def _bury(self, record: Record, fault: Undecodable, outputs: Outputs) -> None:
        refused = record.value
        if not isinstance(refused, Refused):
            headers = dead_letter_headers(record, fault.code, fault.reason, fault.pointer)
            outputs.append(self._dead_letters, record.key, record.value, headers)
        elif record.offset == refused.first:  # one for all of them: a batch may hold any number
            reason = f"offsets {refused.first} to {refused.last}: {refused.reason}. Append through Parley"
            outputs.append(self._dead_letters, None, None, dead_letter_headers(record, "refused_batch", reason))

    def _outcomes(self, records: Sequence[Record]) -> list[Outcome | Undecodable]:
        # One step for all records after the other: what a step works with stays in the processor's caches meanwhile.
        read = [self._read(record) for record in records]
        return [
            event if isinstance(event, Undecodable) else self._evolve(recorded(record, event))
            for record, event in zip(records, read, strict=True)
        ]

    def _read(self, record: Record) -> Event | Undecodable:
        event = decode(record.value)
        if isinstance(event, Undecodable):
            if event.code == "unknown_major":
                raise UpgradeNeeded.at(record, event)
            return event
        return misplaced(event, record, self._partitions) or event

    def _evolve(self, told: Recorded) -> Outcome:
        name = told.event.negotiation
        self._touched[name] = None
        kept = self._kept.get(name)
        if kept is None:
            kept = self._kept[name] = KeptNegotiation.begun(name, self._leads, self._cabinet)
        return kept.negotiation.evolve(told)


def recorded(record: Record, event: Event) -> Recorded:
    """Return an event with what the log knows of it."""
    at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    return Recorded(event, event_id(event), record.partition, record.offset, at, record.value or b"")


def misplaced(event: Event, record: Record, partitions: int) -> Undecodable | None:
    """Say what is wrong with where an event stands: its key is its negotiation, its partition that of the key."""
    key = event.negotiation.encode()
    if record.key != key:
        shown = repr(record.key[:80] if record.key is not None else None)
        return Undecodable("invalid_value", f"expected the key {event.negotiation!r}, got {shown}", "/negotiation")
    expected = partition_of(key, partitions)
    if record.partition != expected:
        reason = f"expected partition {expected} (murmur2 of the key), got {record.partition}"
        return Undecodable("invalid_value", reason, "/negotiation")
    return None


def dead_letter_headers(record: Record, code: str, reason: str, pointer: str = "") -> list[tuple[str, bytes]]:
    """Return the headers of a dead letter: the original ones, then the position and what is wrong."""
    return [
        *record.headers,
        ("parley_position", f"{record.partition}:{record.offset}".encode()),
        ("parley_code", code.encode()),
        ("parley_reason", reason.encode()[:1000]),
        ("parley_pointer", pointer.encode()[:1000]),
    ]
