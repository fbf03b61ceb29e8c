"""What is on a ledger already: for each event id a digest of what it says, when it was recorded, and where it stands.

Some hundred bytes an event, whatever its length. It is read by the headers alone; only what would be refused is looked
at again, in full.
"""

from collections.abc import Callable, Collection, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from struct import Struct
from typing import Any, Final, Literal, NamedTuple

import orjson

from ledger.micros import micros
from schemas.codec import Undecodable, decode
from schemas.events import RETRY_VERSION, ClockStruck, Event, LedgerPlace
from schemas.ids import content, event_id
from schemas.positions import Position
from streams.projection import misplaced
from streams.reading import KafkaRecord, Reader, read_on, read_set_asides, read_to_end
from streams.topics import partition_of

_PACKED: Final = Struct("<16sqiq?")
Verdict = Literal["new", "there", "taken"]


class Known(NamedTuple):
    """One record of an event: what it says as a digest, when it was first recorded (in µs), and where it stands.

    `carried`: it was recorded on another ledger first, and says when. An offset of -1: it is under way.
    """

    digest: bytes
    recorded_us: int
    partition: int
    offset: int
    carried: bool


class Replacing(NamedTuple):
    """An event of the ledger that says which record it replaces: its id, and where it stands."""

    event: str
    partition: int
    offset: int


@dataclass(slots=True)
class KnownEvents:
    """The events of one ledger by id, and those that replace a record that could not be read, by its place.

    `aside` are the records that are set aside; they are passed over.
    """

    bootstrap: str
    topic: str
    partitions: int
    aside: Collection[tuple[int, int]] = ()
    replacing: dict[LedgerPlace, Replacing] = field(default_factory=dict)
    _packed: dict[bytes, bytes] = field(default_factory=dict)
    _next: dict[int, int] = field(default_factory=dict)

    async def read_on(self, reader: Reader, progress: Callable[[int], None] = lambda _: None) -> None:
        """Read the ids of what has come onto the ledger, up to where it ends now. Errors as in `read_to_end`."""
        async with aclosing(read_on(reader, start=dict(self._next), dense=True)) as arriving:
            async for records in arriving:
                for record in records:
                    self._note(record)
                self._next[records[-1].partition] = records[-1].offset + 1
                progress(len(records))

    def wrote(self, positions: Iterable[Position]) -> None:
        """Note where events stand that were judged new: they need not be read, unless others wrote between them."""
        for one in sorted(positions):
            if self._next.get(one.partition, 0) == one.offset:
                self._next[one.partition] = one.offset + 1

    def _note(self, record: KafkaRecord) -> None:
        """Note a record by its headers; what cannot be an event, or is set aside, is passed over."""
        name = next((value for key, value in record.headers if key == "ce_id"), None)
        if name is None or (record.partition, record.offset) in self.aside:
            return
        fields, key = _fields(record), record.key
        if fields is None or key is None or fields.get("negotiation") != key.decode("utf-8", "replace"):
            return
        if partition_of(key, self.partitions) != record.partition:
            return
        if "retry_of" in fields:
            self.note_replacing(record)
        self.add(_packed_id(name.decode("ascii", "replace")), _known(record, fields))

    def add(self, name: bytes, known: Known) -> None:
        """Note a record of an event."""
        self._packed[name] = self._packed.get(name, b"") + _PACKED.pack(*known)

    def note_replacing(self, record: KafkaRecord) -> None:
        """Note what a record replaces, if it is an event that says so; of several the first counts."""
        event = decode(record.value)
        if not isinstance(event, Undecodable) and event.retry_of is not None:
            found = Replacing(event_id(event), record.partition, record.offset)
            self.replacing.setdefault(event.retry_of, found)

    async def judge(self, event: Event) -> Verdict:
        """Say whether an event is new, is there already, or comes under an id that stands for something else.

        What was carried over from another ledger is taken as it stood there, with all that the fold has to say to it:
        a strike that came too early and again in time, or an id that stood for two things.
        """
        name = _packed_id(event_id(event))
        told = _digest(content(event))
        before = [Known(*one) for one in _PACKED.iter_unpack(self._packed.get(name, b""))]
        at = None if event.first_recorded_at is None else micros(event.first_recorded_at)
        verdict = _judged(event, told, at, before)
        if verdict == "taken" and not await self._stand(name, before):
            return await self.judge(event)
        if verdict == "new":
            self.add(name, Known(told, at or 0, -1, -1, at is not None))
        return verdict

    async def _stand(self, name: bytes, before: list[Known]) -> bool:
        """Read the records of an id in full and correct what is known of them; tell whether nothing had to be.

        A header may name the id of another event: such a record takes that of its own.
        """
        found = []
        for one in before:
            event = await self._read(one) if one.offset >= 0 else None
            if one.offset < 0:
                found.append(one)
            elif event is not None:
                own, read = _packed_id(event_id(event)), one._replace(digest=_digest(content(event)))
                if own == name:
                    found.append(read)
                else:
                    self.add(own, read)
        self._packed[name] = b"".join(_PACKED.pack(*one) for one in found)
        return found == before

    async def _read(self, known: Known) -> Event | None:
        place = {known.partition: known.offset}
        ends = {known.partition: known.offset + 1}
        reading = read_to_end(self.bootstrap, self.topic, partitions=place, start=place, ends=ends)
        async with aclosing(reading):
            record = (await anext(reading))[0]
        event = decode(record.value)
        return None if isinstance(event, Undecodable) or misplaced(event, record, self.partitions) else event


def _judged(event: Event, told: bytes, at: int | None, before: list[Known]) -> Verdict:
    if not before:
        return "new"
    same = any(one.digest == told for one in before)
    if at is None:
        return "there" if same else "taken"
    at_once = [one for one in before if one.recorded_us == at]
    if at_once:
        return "there" if any(one.digest == told for one in at_once) else "taken"
    all_carried = all(one.carried for one in before)
    if same:
        return "new" if isinstance(event, ClockStruck) and all_carried else "there"
    return "new" if all_carried else "taken"


async def read_known(reader: Reader, prefix: str, *, progress: Callable[[int], None] = lambda _: None) -> KnownEvents:
    """Read the ids of a ledger up to where it ends now. Errors as in `read_to_end`; UnreadableCutError."""
    aside = await read_set_asides(reader.bootstrap, prefix)
    known = KnownEvents(reader.bootstrap, reader.topic, len(reader.partitions), aside)
    await known.read_on(reader, progress)
    return known


def _fields(record: KafkaRecord) -> dict[str, Any] | None:
    try:
        fields = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError:
        return None
    return fields if isinstance(fields, dict) else None


def _known(record: KafkaRecord, fields: dict[str, Any]) -> Known:
    """Digest a record without reading it as an event; the doors write canonical bytes."""
    data = record.value or b""
    carried, retried = "first_recorded_at" in fields, "retry_of" in fields
    at = record.timestamp * 1000
    if carried:
        try:
            at = micros(datetime.fromisoformat(str(fields["first_recorded_at"])))
        except (ValueError, TypeError):
            carried = False  # then it is no event, which shows when it is read in full
    if carried or retried:
        told = {key: value for key, value in fields.items() if key not in {"first_recorded_at", "retry_of"}}
        if retried and told.get("version") == RETRY_VERSION:
            del told["version"]
        with suppress(orjson.JSONEncodeError):  # nested deeper than it writes, though it has read it: no event
            data = orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
    return Known(_digest(data), at, record.partition, record.offset, carried)


def _digest(data: bytes) -> bytes:
    return sha256(data).digest()[:16]


def _packed_id(name: str) -> bytes:
    try:
        return bytes.fromhex(name)
    except ValueError:
        return name.encode()
