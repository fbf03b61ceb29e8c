"""A worker of the tally that commits nothing before the record at offset `LAST` of its only partition has arrived.

It says on stderr what has arrived, so that records can be appended one after the other. `python -m
tests.engine.holding CONFIG.json`
"""

import asyncio
import sys
from collections.abc import Sequence
from typing import Final

from streams.engine import Record
from streams.engine.fence import FencedProducer
from streams.engine.partition import LedgerPartition
from tests.engine.tally import main

LAST: Final = 9
_arrive, _commit = LedgerPartition.arrive, FencedProducer.commit
_all_there = asyncio.Event()


def _arriving(partition: LedgerPartition, records: Sequence[Record]) -> None:
    _arrive(partition, records)
    sys.stderr.write(f"arrived: {partition.arrived}\n")
    sys.stderr.flush()
    if partition.arrived >= LAST:
        _all_there.set()


async def _committing(producer: FencedProducer) -> None:
    await _all_there.wait()
    await _commit(producer)


if __name__ == "__main__":
    LedgerPartition.arrive = _arriving  # type: ignore[assignment,method-assign]
    FencedProducer.commit = _committing  # type: ignore[assignment,method-assign]
    main()
