"""The ledger and its tables on Kafka, read as events and rows."""

from dataclasses import dataclass, field

from schemas.codec import Undecodable, decode
from schemas.positions import Recorded
from streams.engine import Cut, decode_cut, is_set_aside
from streams.projection import misplaced, recorded
from streams.reading import end_positions, read_set_asides, read_table, read_to_end
from streams.topics import CUTS, EVENTS, TABLES, partition_of


@dataclass(slots=True)
class Ledger:
    """What a ledger holds: the events, and how many records are none (they are dead letters)."""

    events: list[Recorded] = field(default_factory=list)
    unreadable: int = 0


async def read_ledger(bootstrap: str, prefix: str, negotiation: str | None = None) -> Ledger:
    """Read the ledger up to where it ends now; of one negotiation, only its partition."""
    topic = EVENTS.name(prefix)
    count = len(await end_positions(bootstrap, topic))
    aside = await read_set_asides(bootstrap, prefix)
    chosen = None if negotiation is None else [partition_of(negotiation.encode(), count)]
    found = Ledger()
    async for records in read_to_end(bootstrap, topic, partitions=chosen, dense=True):
        for record in records:
            if (record.partition, record.offset) in aside:
                found.unreadable += 1
                continue
            event = decode(record.value)
            if isinstance(event, Undecodable) or misplaced(event, record, count) is not None:
                found.unreadable += 1
            elif negotiation is None or event.negotiation == negotiation:
                found.events.append(recorded(record, event))
    found.events.sort(key=lambda one: (one.partition, one.offset))
    return found


async def read_ids(bootstrap: str, prefix: str) -> dict[str, bytes]:
    """Return the ids on the ledger with the bytes they stand for, by the headers alone."""
    known: dict[str, bytes] = {}
    async for records in read_to_end(bootstrap, EVENTS.name(prefix), dense=True):
        for record in records:
            name = next((value for key, value in record.headers if key == "ce_id"), None)
            if name is not None:
                known.setdefault(name.decode("ascii", "replace"), record.value or b"")
    return known


async def read_rows(bootstrap: str, prefix: str, negotiation: str) -> dict[str, dict[str, bytes]]:
    """Return the rows that the worker wrote for a negotiation, by table and entity, byte for byte."""
    start = f"{negotiation}/".encode()
    tables: dict[str, dict[str, bytes]] = {}
    for topic in TABLES:
        rows = await read_table(bootstrap, topic.name(prefix))
        name = topic.suffix.split(".")[0]
        tables[name] = {
            key[len(start) :].decode(): row.value for key, row in sorted(rows.items()) if key.startswith(start)
        }
    return tables


async def find_cuts(bootstrap: str, prefix: str) -> dict[int, Cut]:
    """Return the last committed cut of each ledger partition that has one."""
    rows = await read_table(bootstrap, CUTS.name(prefix))
    cuts = [decode_cut(row.value) for key, row in rows.items() if not is_set_aside(key)]
    return {cut.partition: cut for cut in cuts if cut.topic == EVENTS.name(prefix)}


async def read_cuts(bootstrap: str, prefix: str) -> dict[int, int]:
    """Return the offset up to which each partition's outputs are complete; -1 where there are none yet."""
    cuts = await find_cuts(bootstrap, prefix)
    ends = await end_positions(bootstrap, EVENTS.name(prefix))
    return {partition: cuts[partition].offset if partition in cuts else -1 for partition in sorted(ends)}
