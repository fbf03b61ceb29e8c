"""A trial in memory, for the judge: its ledger, its history, and the outputs that the worker's own fold makes of it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from streams.engine import Cut, Record
from streams.engine.projection import Headers
from tests.faults.events import Author, Draft, event_value
from tests.faults.history import Operation, written
from tests.faults.judge import Verdict, judge
from tests.faults.places import APPENDED, TABLES, Contents, Places
from tests.faults.poison import Poisoner
from tests.faults.tally import Places as TallyPlaces
from tests.faults.tally import Tally
from tests.faults.trial import Trial

PARTITIONS = 4
NOW_MS = 1_800_000_000_000


@dataclass(frozen=True)
class Kept:
    """A record as it stands on a topic."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int = NOW_MS
    headers: Headers = ()


@dataclass
class Collected:
    """The outputs of a fold; of a row only the last value."""

    appended: dict[str, list[Record]] = field(default_factory=lambda: {name: [] for name in APPENDED})
    rows: dict[tuple[str, bytes], bytes | None] = field(default_factory=dict)

    def append(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = ()) -> None:
        """Append one record."""
        self.appended[topic].append(Kept(0, len(self.appended[topic]), key, value, headers=headers))

    def row(self, table: str, key: bytes, value: bytes | None) -> None:
        """Set a row, or end it (None)."""
        self.rows[table, key] = value


@dataclass(frozen=True, slots=True)
class PlacesInMemory(Places):
    """The topics of a trial; `aborted` never counted, and `compacted` is what a compaction will leave."""

    bootstrap: str = "in memory"
    prefix: str = "faults"
    partitions: int = PARTITIONS
    topics: dict[str, Contents] = field(default_factory=dict)
    aborted: dict[str, Contents] = field(default_factory=dict)
    compacted: dict[str, Contents] = field(default_factory=dict)

    async def read(self, topic: str, *, committed: bool = True) -> Contents:
        """Return what a topic holds now by partition, in order."""
        found: Contents = {n: list(self.topics.get(topic, {}).get(n, ())) for n in range(self.partitions)}
        if not committed:
            for n, records in self.aborted.get(topic, {}).items():
                found[n] = sorted((*found[n], *records), key=lambda one: one.offset)
        return found

    async def compact(self, topic: str) -> Contents:
        """Leave what a compaction leaves, and return it."""
        self.topics[topic] = self.compacted[topic]
        return await self.read(topic)


def drafted(count: int, partition: int) -> list[Draft]:
    """Write a partition: events, every third one twice, some with other content, and poison between them."""
    author, poisoner = Author("a", 7, PARTITIONS), Poisoner("p", 7, PARTITIONS)
    drafts: list[Draft] = []
    while len(drafts) < count:
        draft = author.draft(NOW_MS + len(drafts) * 60_000) if len(drafts) % 5 else poisoner.draft(NOW_MS)
        if draft.partition != partition:
            continue
        drafts.append(draft)
        if len(drafts) % 3 == 0:
            drafts.append(draft)
        if len(drafts) % 7 == 0:
            drafts.append(replace(draft, value=draft.value.replace(b'"type"', b' "type"')))
    return drafts


def stood(drafts: Sequence[Draft]) -> list[Kept]:
    """Return records as they stand on the ledger, a minute apart."""
    return [Kept(one.partition, n, one.key, one.value, NOW_MS + n * 60_000) for n, one in enumerate(drafts)]


def told(count: int, partition: int) -> list[Kept]:
    """Return a partition as it stands on the ledger."""
    return stood(drafted(count, partition))


def sound_ledger(count: int) -> tuple[Contents, list[Operation]]:
    """Return a ledger and the history of its appends; the last partition is empty.

    The first of two repeats was never acknowledged. One event has a newer major version, one of unknown outcome is
    not there, and one was refused.
    """
    ledger: Contents = {n: [] for n in range(PARTITIONS)}
    appends: list[Operation] = []
    for n in range(PARTITIONS - 1):
        drafts = drafted(count, n)
        key = next(one.key for one in drafts if one.author == "a")
        value = event_value(f"newer-{n}", key.decode(), {"type": "addition", "number": 1}, version="2.0")
        drafts.append(Draft("newer", n, key, value, n))
        ledger[n] = list(stood(drafts))
        for offset, one in enumerate(drafts):
            repeated = offset + 1 < len(drafts) and drafts[offset + 1] == one
            appends.append(appended(one, "unknown") if repeated else appended(one, "acked", offset))
    nowhere, refused = (Draft(name, 0, b"n0", name.encode(), 0) for name in ("nowhere", "refused"))
    return ledger, [*appends, appended(nowhere, "unknown"), appended(refused, "refused")]


def appended(draft: Draft, outcome: str, offset: int | None = None) -> Operation:
    return {
        "at_ms": NOW_MS, "op": "append", "producer": draft.author, "author": draft.author, "number": draft.number,
        "key": written(draft.key), "value": written(draft.value), "partition": draft.partition, "outcome": outcome,
        "offset": offset,
    }  # fmt: skip


def fold(trial: Trial, places: PlacesInMemory, outputs: str, *, up_to: int | None = None) -> None:
    """Write a set of outputs as the worker does, with a cut for every record, up to that many of each partition."""
    for name in (*APPENDED, *TABLES, "cuts"):
        places.topics[f"{outputs}.{name}"] = {n: [] for n in range(places.partitions)}
    for n, records in places.topics[places.ledger].items():
        tally = Tally(TallyPlaces(*APPENDED), places.partitions, majors=trial.majors)
        counts: Counter[str] = Counter()
        for record in records[:up_to]:
            collected = Collected()
            tally.project([record], collected)
            for name in APPENDED:
                for one in collected.appended[name]:
                    put(places, f"{outputs}.{name}", Kept(n, 0, one.key, one.value, headers=one.headers))
                    counts[f"{outputs}.{name}"] += 1
            for (table, key), value in collected.rows.items():
                put(places, f"{outputs}.{table}", Kept(n, 0, key, value))
            cut = Cut(places.ledger, None, n, record.offset, "1", tuple(sorted(counts.items())))
            put(places, f"{outputs}.cuts", Kept(n, 0, cut.key, cut.encode(), record.timestamp))
    for name in TABLES:
        places.compacted[f"{outputs}.{name}"] = {
            n: list(_last(found)) for n, found in places.topics[f"{outputs}.{name}"].items()
        }


def put(places: PlacesInMemory, topic: str, record: Record) -> None:
    """Append a record to its partition of a topic."""
    there = places.topics[topic][record.partition]
    there.append(Kept(record.partition, len(there), record.key, record.value, record.timestamp, record.headers))


def _last(records: Sequence[Record]) -> Iterator[Record]:
    by_key: dict[bytes | None, list[Record]] = defaultdict(list)
    for record in records:
        by_key[record.key].append(record)
    return (found[-1] for found in by_key.values())


@dataclass(frozen=True)
class World:
    """A trial that has been played; its ledger may be spoilt before its outputs are written, these afterwards."""

    trial: Trial
    places: PlacesInMemory

    @property
    def operations(self) -> list[Operation]:
        """Its history."""
        return self.trial.history.operations

    @property
    def ledger(self) -> Contents:
        """Its ledger."""
        return self.places.topics[self.places.ledger]

    def write(self, *, up_to: int | None = None) -> None:
        """Write every set of outputs."""
        for outputs in (self.trial.outputs, *self.trial.replays):
            fold(self.trial, self.places, outputs, up_to=up_to)

    async def judged(self) -> Verdict:
        """Return the verdict."""
        verdict = Verdict(self.trial.folder)
        await judge(self.trial, verdict)
        return verdict
