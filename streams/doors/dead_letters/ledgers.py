"""Which ledger dead letters speak of: a topic of one name may be another ledger than it was."""

from collections.abc import Mapping

from streams.doors.kafka import find_cuts
from streams.engine import Cut
from streams.reading.records import open_reader
from streams.topics import EVENTS


async def ledger_of(bootstrap: str, prefix: str) -> str:
    """Return the broker's id of the ledger topic; its name where the broker tells none."""
    return await ledger_id(bootstrap, prefix) or EVENTS.name(prefix)


async def ledger_id(bootstrap: str, prefix: str) -> str | None:
    """Return the broker's id of the ledger topic; None where the broker tells none."""
    async with open_reader(bootstrap, EVENTS.name(prefix), "read_uncommitted") as reader:
        return await reader.topic_id()


async def of_another_ledger(bootstrap: str, prefix: str) -> frozenset[int]:
    """Return the partitions whose dead letters speak of a ledger that was deleted and made anew.

    A dead letter names no ledger, but it was committed with a cut that does; and no worker goes on behind a cut that
    names another ledger than the one that is there, so all of a partition's dead letters speak of that ledger.
    """
    return speaking_of_another(await find_cuts(bootstrap, prefix), await ledger_id(bootstrap, prefix))


def speaking_of_another(cuts: Mapping[int, Cut], topic_id: str | None) -> frozenset[int]:
    """Return the partitions whose cut speaks of another ledger than the one with this topic id."""
    return frozenset(partition for partition, cut in cuts.items() if not cut.speaks_of(topic_id))
