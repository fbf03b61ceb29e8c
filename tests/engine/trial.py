"""One trial on a real broker: its topics, its workers in processes of their own, and a plain judge of what they wrote.

The judge shares no code with the tally that the workers run: it reads the ledger back and counts for itself.
"""

import asyncio
import json
import os
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.engine import Cut, EngineConfig, Refused, decode_cut, is_set_aside, set_aside
from streams.engine.refusing import refuse_unpacking
from streams.guard import die_with_parent
from tests.deleting import delete_records, delete_topics

ROOT = Path(__file__).parents[2]
PATIENCE_S = 40.0

Written = dict[int, list[tuple[bytes, bytes]]]


class Worker:
    """A worker process; its progress lines come out of `lines`."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self.log = log
        self.cuts: dict[int, int] = {}
        self.ready: set[int] = set()
        self.resumed: dict[int, int] = {}
        self._changed = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            progress = json.loads(line)
            async with self._changed:
                self.cuts[progress["partition"]] = progress["cut"]
                self.resumed[progress["partition"]] = progress["resumed"]
                if progress["ready"]:
                    self.ready.add(progress["partition"])
                self._changed.notify_all()

    async def until_ready(self, partitions: int) -> None:
        """Wait until this worker has reached the cut on that many partitions."""
        await self._until(lambda: len(self.ready) >= partitions, f"{partitions} partitions ready")

    async def until_committed(self, records: int) -> None:
        """Wait until this worker has committed that many records over all its partitions."""
        await self._until(lambda: sum(c + 1 for c in self.cuts.values()) >= records, f"{records} records committed")

    async def _until(self, holds: Any, what: str) -> None:  # noqa: ANN401  a predicate
        async def wait() -> None:
            async with self._changed:
                await self._changed.wait_for(holds)

        try:
            await asyncio.wait_for(wait(), PATIENCE_S)
        except TimeoutError:
            raise AssertionError(f"expected {what} within {PATIENCE_S} s, got {self.cuts}\n{self.tail()}") from None

    async def end(self, signal_number: int | None = None) -> int:
        """Send a signal (None: nothing), wait for the end, and return the exit code."""
        if signal_number is not None:
            self.process.send_signal(signal_number)
        try:
            code = await asyncio.wait_for(self.process.wait(), PATIENCE_S)
        except TimeoutError:
            raise AssertionError(f"expected the worker to end within {PATIENCE_S} s\n{self.tail()}") from None
        await self._reading
        return code

    def pause(self) -> None:
        """Stop the process without a word; to the broker it looks dead after the session time-out."""
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let a paused process go on."""
        self.process.send_signal(signal.SIGCONT)

    def tail(self) -> str:
        """Return the last lines of the log."""
        return "\n".join(self.log.read_text().splitlines()[-30:])


@dataclass
class Trial:
    """Topics with a prefix of their own on a broker, and the workers on them."""

    bootstrap: str
    prefix: str
    directory: Path
    partitions: int = 4
    workers: list[Worker] = field(default_factory=list)
    aside: dict[int, list[int]] = field(default_factory=dict)

    @property
    def ledger(self) -> str:
        return f"{self.prefix}.ledger"

    def config(self, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  settings of several types
        """Return the settings of a worker, as `tests.engine.tally` reads them."""
        return {
            "name": self.prefix,
            "bootstrap": self.bootstrap,
            "ledger": self.ledger,
            "cuts": f"{self.prefix}.cuts",
            "tables": {"sums": f"{self.prefix}.rows"},
            "outputs": [f"{self.prefix}.outputs"],
            "partitions": self.partitions,
            "group": f"{self.prefix}.tally",
            "session_timeout": 6.0,
            "data_directory": str(self.directory / "faust"),
            "version": "1",
            "output_topic": f"{self.prefix}.outputs",
            **changes,
        }

    def engine_config(self, **changes: Any) -> EngineConfig:  # noqa: ANN401  as `config`
        """Return the settings of a worker, as the engine has them."""
        fields = self.config(**changes)
        del fields["version"], fields["output_topic"]
        return EngineConfig(**fields)

    async def create_topics(self, *names: str, partitions: int | None = None) -> None:
        """Create the ledger, the outputs, the rows and the cuts, or only those named; with other partitions if told."""
        policies = {"ledger": "delete", "outputs": "delete", "rows": "compact", "cuts": "compact"}
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            created = await admin.create_topics(
                [
                    NewTopic(
                        f"{self.prefix}.{name}",
                        partitions or self.partitions,
                        1,
                        topic_configs={"cleanup.policy": policies[name], "retention.ms": "-1"},
                    )
                    for name in names or policies
                ]
            )
        finally:
            await admin.close()
        assert [error for _, error, _ in created.topic_errors] == [0] * len(created.topic_errors), created

    async def delete_topic(self, name: str) -> None:
        """Delete one of the topics and wait until the broker has forgotten it."""
        await delete_topics(self.bootstrap, f"{self.prefix}.{name}")

    async def delete_records(self, partition: int, before: int, *, topic: str = "ledger") -> None:
        """Delete the records of a partition, of the ledger unless another is named, before an offset."""
        await delete_records(self.bootstrap, f"{self.prefix}.{topic}", partition, before)

    async def append(self, numbers: Iterable[int], *, keys: int = 50) -> None:
        """Append one event per number; the key follows from the number, the partition from the key."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, enable_idempotence=True, linger_ms=5)
        await producer.start()
        try:
            sent = [
                await producer.send(
                    self.ledger, key=b"k%d" % (n % keys), value=b"%d" % n, partition=n % keys % self.partitions
                )
                for n in numbers
            ]
            await asyncio.gather(*sent)
        finally:
            await producer.stop()

    async def append_raw(
        self, *values: bytes, topic: str = "ledger", key: bytes = b"raw", transactional: bool = False
    ) -> None:
        """Append these values to partition 0 of a topic, as they are; in one transaction if asked for."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, transactional_id=f"{self.prefix}.raw" if transactional else None
        )
        await producer.start()
        try:
            if transactional:
                await producer.begin_transaction()
            for value in values:
                sent = await producer.send_and_wait(f"{self.prefix}.{topic}", key=key, value=value, partition=0)
            if transactional:
                await producer.commit_transaction()
                async with asyncio.timeout(PATIENCE_S):
                    while (await self._ends(topic))[0] < sent.offset + 2:  # noqa: ASYNC110  the broker writes the marker
                        await asyncio.sleep(0.02)
        finally:
            await producer.stop()

    async def set_aside(self, partition: int, offset: int) -> None:
        """Set a record of the ledger aside, and judge the outputs accordingly."""
        await set_aside(self.engine_config(), partition, offset, "tested")
        self.aside.setdefault(partition, []).append(offset)

    async def until_written(self, name: str, count: int) -> None:
        """Wait until a read_committed reader has seen that many records of a topic."""
        async with asyncio.timeout(PATIENCE_S), self._reader(name) as reader:
            for _ in range(count):
                await reader.getone()

    async def until_key(self, name: str, key: bytes) -> None:
        """Wait until a read_committed reader has seen a record of that key."""
        async with asyncio.timeout(PATIENCE_S), self._reader(name) as reader:
            while (await reader.getone()).key != key:
                pass

    async def committed(self, group: str) -> int | None:
        """Return the offset that a group has committed for partition 0 of the ledger."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, group_id=group, enable_auto_commit=False)
        await consumer.start()
        try:
            offset: int | None = await consumer.committed(TopicPartition(self.ledger, 0))
            return offset
        finally:
            await consumer.stop()

    async def worker(
        self,
        module: str = "tests.engine.tally",
        **changes: Any,  # noqa: ANN401  settings of several types
    ) -> Worker:
        """Start a worker process, a tally unless another module is named, with these changes to the settings."""
        number = len(self.workers)
        settings = self.directory / f"worker-{number}.json"
        settings.write_text(json.dumps(self.config(**changes)))
        log = self.directory / f"worker-{number}.log"
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                str(settings),
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                preexec_fn=die_with_parent,
            )
        worker = Worker(process, log)
        self.workers.append(worker)
        return worker

    async def until_done(self) -> None:
        """Wait until the committed cuts cover the ledger."""
        ends = await self._ends("ledger")
        wanted = {n: end - 1 for n, end in ends.items() if end}
        seen: dict[int, int] = {}
        try:
            async with asyncio.timeout(PATIENCE_S), self._reader("cuts") as reader:
                while seen != wanted:
                    record = await reader.getone()
                    if not is_set_aside(record.key):
                        cut = decode_cut(record.value)
                        seen[cut.partition] = cut.offset
        except TimeoutError:
            logs = "\n\n".join(worker.tail() for worker in self.workers)
            raise AssertionError(f"expected cuts {wanted} within {PATIENCE_S} s, got {seen}\n{logs}") from None

    async def cuts(self) -> dict[int, Cut]:
        """Return the last committed cut of each partition."""
        written = await self.read("cuts")
        cuts = {n: [value for key, value in records if not is_set_aside(key)] for n, records in written.items()}
        return {n: decode_cut(values[-1]) for n, values in cuts.items() if values}

    async def read(self, name: str) -> Written:
        """Return what a read_committed reader sees of a topic now: keys and values by partition, in order."""
        ends = await self._ends(name)
        written: Written = {n: [] for n in ends}
        async with self._reader(name) as reader:
            for n, end in ends.items():
                place = TopicPartition(f"{self.prefix}.{name}", n)
                async with asyncio.timeout(PATIENCE_S):
                    while await reader.position(place) < end:
                        for record in (await reader.getmany(place, timeout_ms=50)).get(place, ()):
                            written[n].append((record.key, record.value))
        return written

    async def _ends(self, name: str) -> Mapping[int, int]:
        places = [TopicPartition(f"{self.prefix}.{name}", n) for n in range(self.partitions)]
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap)
        await consumer.start()
        try:
            return {place.partition: end for place, end in (await consumer.end_offsets(places)).items()}
        finally:
            await consumer.stop()

    @asynccontextmanager
    async def _reader(self, name: str) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
        )
        await consumer.start()
        refuse_unpacking(consumer)  # a judge with a gigabyte in its memory judges no more
        try:
            places = [TopicPartition(f"{self.prefix}.{name}", n) for n in range(self.partitions)]
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            yield consumer
        finally:
            await consumer.stop()

    async def verdict(self) -> str:
        """Return "exact" if outputs, rows and cuts are those of the ledger, else the first difference."""
        ledger = await self.read("ledger")
        outputs, rows, cuts = await self.read("outputs"), await self.read("rows"), await self.cuts()
        for n, records in ledger.items():
            expected = reference(records, self.aside.get(n, ()))
            if outputs[n] != expected:
                return f"partition {n}: {difference(expected, outputs[n])}"
            if dict(rows[n]) != dict(one for one in expected if not one[1].endswith((b"aside", b"refused"))):
                return f"partition {n}: rows differ"
            counted = (cuts[n].offset, dict(cuts[n].counts)) if n in cuts else (-1, {})
            if records and counted != (len(records) - 1, {f"{self.prefix}.outputs": len(expected)}):
                return f"partition {n}: the cut says {counted}"
        return "exact"

    async def close(self) -> None:
        """End every worker that is still there."""
        for worker in self.workers:
            if worker.process.returncode is None:
                await worker.end(signal.SIGKILL)


def reference(ledger: Sequence[tuple[bytes, bytes]], aside: Collection[int] = ()) -> list[tuple[bytes, bytes]]:
    """Return the outputs that a ledger partition must have: a second, plain implementation of the tally."""
    seen: dict[bytes, list[int]] = defaultdict(list)
    expected = []
    for offset, (key, value) in enumerate(ledger):
        if offset in aside:
            expected.append((key, b"%d set aside" % offset))
            continue
        if isinstance(value, Refused):
            if offset == value.first:
                expected.append((key, b"%d to %d refused" % (offset, value.last)))
            continue
        seen[key].append(int(value))
        expected.append((key, f"{offset} {len(seen[key])} {sum(seen[key])}".encode()))
    return expected


def difference(expected: Sequence[object], found: Sequence[object]) -> str:
    """Return where two sequences part."""
    for i, (a, b) in enumerate(zip(expected, found, strict=False)):
        if a != b:
            return f"output {i}: expected {a!r}, found {b!r}"
    return f"expected {len(expected)} outputs, found {len(found)}"
