"""Which records of the ledger nobody folds: a person has set them aside."""

from streams.engine import decode_set_aside, is_set_aside
from streams.reading.cuts import read_as
from streams.reading.records import open_reader
from streams.reading.table import read_table
from streams.topics import CUTS, EVENTS


async def read_set_asides(bootstrap: str, prefix: str) -> dict[tuple[int, int], str]:
    """Return partition and offset of each record of the ledger that is set aside now, with the reason given.

    Whoever folds the ledger leaves these out, as the worker does. Errors as in `read_to_end`; UnreadableCutError.
    """
    cuts, ledger = CUTS.name(prefix), EVENTS.name(prefix)
    rows = await read_table(bootstrap, cuts)
    asides = [read_as(decode_set_aside, cuts, key, row) for key, row in rows.items() if is_set_aside(key)]
    if not asides:
        return {}
    async with open_reader(bootstrap, ledger, "read_committed") as reader:
        topic_id = await reader.topic_id()
    here = [one for one in asides if one.topic == ledger and one.speaks_of(topic_id)]
    return {(one.partition, one.offset): one.reason for one in here}
