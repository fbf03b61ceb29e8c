"""What this machine could do at best: plain aiokafka on the same ledger, without a frame and without Parley.

`python -m streams.bench.plain SETTINGS.json`; samples go to standard output. The fenced pipeline does the work of the
tally and writes the bytes that the engine writes, one transaction a fetch.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.producer import sender

from schemas.codec import decode
from streams.bench.sampling import Teller
from streams.bench.tally import Tally
from streams.engine import Cut
from streams.engine.collecting import collect_young
from streams.engine.config import FETCH_BYTES_MAX

Work = Literal["consume", "orjson", "decode", "fenced"]
_FETCH_WAIT_MS_MAX: Final = 20  # as the engine does
_BATCH_BYTES_MAX: Final = 1 << 19
_RECORDS_MAX: Final = 8_000
_TELL_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class PlainSettings:
    """What a ceiling needs to know: what to do, where the ledger is, and the topics of the fenced pipeline."""

    work: Work
    bootstrap: str
    ledger: str
    partitions: int
    outputs: str
    rows: str
    cuts: str
    transactional_id: str
    goes_on: bool = False


def main() -> None:
    """Do the work to the end of the ledger, or until told to stop where it goes on."""
    settings = PlainSettings(**json.loads(Path(sys.argv[1]).read_text("utf-8")))
    collect_young()  # as the engine does
    uvloop.run(_run(settings))


async def _run(settings: PlainSettings) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES_MAX,
        fetch_max_wait_ms=_FETCH_WAIT_MS_MAX,
    )
    await consumer.start()
    try:
        places = [TopicPartition(settings.ledger, n) for n in range(settings.partitions)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = {place.partition: end for place, end in (await consumer.end_offsets(places)).items() if end}
        if settings.work == "fenced":
            await _pipe(settings, consumer, ends)
        else:
            await _read(consumer, ends, _WORK[settings.work])
    finally:
        await consumer.stop()


async def _read(consumer: Any, ends: Mapping[int, int], work: Callable[[bytes], object]) -> None:  # noqa: ANN401 -- aiokafka ships no types
    """Read to the end; what is done with each value has no effect but its cost."""
    teller = Teller(every_s=_TELL_EVERY_S)
    done: dict[int, int] = {}
    teller.tell(done)
    while done != ends:
        fetched = await consumer.getmany(timeout_ms=200, max_records=_RECORDS_MAX)
        for place, records in fetched.items():
            for record in records:
                work(record.value)
            done[place.partition] = records[-1].offset + 1
        teller.tell(done, at_once=done == ends)


class _Pipeline:
    """The tally, one transaction for all that a fetch brought."""

    def __init__(self, settings: PlainSettings) -> None:
        self._settings = settings
        self._tallies: dict[int, Tally] = {}
        self._counts: dict[int, int] = {}
        sender.BACKOFF_OVERRIDE = 0.002  # as the engine does
        self._producer = AIOKafkaProducer(
            bootstrap_servers=settings.bootstrap,
            acks="all",
            transactional_id=settings.transactional_id,
            linger_ms=0,
            max_batch_size=_BATCH_BYTES_MAX,
        )
        self.sent_bytes = 0

    async def start(self) -> None:
        await self._producer.start()

    async def stop(self) -> None:
        await self._producer.stop()

    async def take(self, fetched: Mapping[Any, Sequence[Any]]) -> None:
        """Tally what was fetched, and commit what that brings about with the cuts."""
        written = [(place.partition, *self._tally(place.partition, records)) for place, records in fetched.items()]
        async with self._producer.transaction():
            sends = []
            for partition, outputs, rows, offset in written:
                self._counts[partition] = self._counts.get(partition, 0) + len(outputs)
                counts = ((self._settings.outputs, self._counts[partition]),)
                cut = Cut(self._settings.ledger, None, partition, offset, "tally-1", counts)
                sends.append(self._send(self._settings.outputs, partition, outputs))
                sends.append(self._send(self._settings.rows, partition, list(rows.items())))
                sends.append(self._send(self._settings.cuts, partition, [(cut.key, cut.encode())]))
            await asyncio.gather(*sends)

    def _tally(
        self, partition: int, records: Sequence[Any]
    ) -> tuple[list[tuple[bytes, bytes]], dict[bytes, bytes], int]:
        tally = self._tallies.setdefault(partition, Tally())
        outputs: list[tuple[bytes, bytes]] = []
        rows: dict[bytes, bytes] = {}
        for record in records:
            row = tally.take(partition, record.offset, record.key, record.value)
            outputs.append((record.key, row))
            rows[record.key] = row
        return outputs, rows, records[-1].offset

    async def _send(self, topic: str, partition: int, entries: Sequence[tuple[bytes, bytes]]) -> None:
        acknowledged = []
        batch = self._producer.create_batch()
        for key, value in entries:
            if batch.append(key=key, value=value, timestamp=None) is None:
                self.sent_bytes += batch.size()
                acknowledged.append(await self._producer.send_batch(batch, topic, partition=partition))
                batch = self._producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
        self.sent_bytes += batch.size()
        acknowledged.append(await self._producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*acknowledged)


async def _pipe(settings: PlainSettings, consumer: Any, ends: Mapping[int, int]) -> None:  # noqa: ANN401 -- aiokafka ships no types
    pipeline, done, stopping = _Pipeline(settings), dict[int, int](), asyncio.Event()
    teller = Teller(every_s=_TELL_EVERY_S if settings.goes_on else 0.0)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await pipeline.start()
    try:
        teller.tell(done)
        while not stopping.is_set() and (settings.goes_on or done != ends):
            fetched = await consumer.getmany(timeout_ms=200, max_records=_RECORDS_MAX)
            if fetched:
                await pipeline.take(fetched)
                done |= {place.partition: records[-1].offset + 1 for place, records in fetched.items()}
                teller.tell(done, pipeline.sent_bytes)
    finally:
        await pipeline.stop()


_WORK: Final[Mapping[str, Callable[[bytes], object]]] = {"consume": len, "orjson": orjson.loads, "decode": decode}


if __name__ == "__main__":
    main()
