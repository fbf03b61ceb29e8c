"""What stands on the output topics of a place."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from streams.bench.faults import BenchFailed
from streams.bench.place import Place
from streams.engine import Cut, decode_cut, is_set_aside
from streams.reading import read_as, read_table, read_to_end
from streams.topics import ALERTS, CHANGES, CUTS, DEAD_LETTERS, TABLES


@dataclass(frozen=True, slots=True)
class Written:
    """Records that were appended to the output topics, and rows of all tables."""

    changes: int
    alerts: int
    dead_letters: int
    rows: int


async def written_on(beside: Place, ends: Mapping[int, int]) -> Written:
    """Return what stands on the output topics, once it agrees with the cuts, and the cuts with the ledger's ends.

    BenchFailed when they do not.
    """
    cuts = await cuts_of(beside)
    reached = {cut.partition: cut.offset + 1 for cut in cuts}
    if reached != {partition: end for partition, end in ends.items() if end}:
        raise BenchFailed(f"{beside.prefix}: expected cuts up to {dict(ends)}, got {reached}")
    told = Counter[str]()
    for cut in cuts:
        told.update(dict(cut.counts))
    changes, alerts, dead_letters = [
        await _counted(beside.bootstrap, beside.topic(topic), told) for topic in (CHANGES, ALERTS, DEAD_LETTERS)
    ]
    return Written(changes, alerts, dead_letters, await rows_of(beside))


async def cuts_of(here: Place) -> list[Cut]:
    """Return the cut of each partition that has one; UnreadableCutError says where one stands that is none."""
    topic = here.topic(CUTS)
    table = await read_table(here.bootstrap, topic)
    return [read_as(decode_cut, topic, key, row) for key, row in table.items() if not is_set_aside(key)]


async def rows_of(here: Place) -> int:
    """Count the keys that the tables hold."""
    count = 0
    for topic in TABLES:
        keys: set[bytes] = set()
        async for records in read_to_end(here.bootstrap, here.topic(topic), isolation="read_committed"):
            for record in records:
                if record.key is not None:
                    (keys.discard if record.value is None else keys.add)(record.key)
        count += len(keys)
    return count


async def _counted(bootstrap: str, topic: str, told: Mapping[str, int]) -> int:
    found = sum([len(records) async for records in read_to_end(bootstrap, topic, isolation="read_committed")])
    if found != told.get(topic, 0):
        raise BenchFailed(f"the cuts tell of {told.get(topic, 0)} records on {topic}, there are {found}")
    return found
