"""What must not be unpacked, or cannot be taken apart, is passed with a word, at once and in little memory."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka.record.memory_records import MemoryRecords

from streams.engine import Refused
from streams.engine.refusing import Batches
from streams.reading import StrangeBatch, read_to_end
from tests.engine.batches import append_batch, compacted, gzip_bomb, gzipped, many_records_zipped, plain, zstd_bomb
from tests.engine.observing import peak_bytes
from tests.engine.trial import Trial, Worker

one_partition = pytest.mark.parametrize("trial", [1], indirect=True)

_MIB = 1 << 20
BATCHES: dict[str, tuple[Callable[[], bytes], int]] = {
    "gzip": (lambda: gzipped([b"1", b"2", b"3"]), 3),
    "a gzip bomb": (lambda: gzip_bomb(900 * _MIB), 1),
    "a zstd bomb": (lambda: zstd_bomb(1024 * _MIB), 1),
    "a name of a header that is no UTF-8": (lambda: plain([b"1", b"2"], [(b"\xff\xfe", b"x")]), 2),
}


def cpu_seconds(worker: Worker) -> float:
    """Return the time that a worker has computed."""
    fields = Path(f"/proc/{worker.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@one_partition
@pytest.mark.parametrize("kind", BATCHES)
async def test_a_batch_that_must_not_be_unpacked_is_passed_at_once_and_costs_no_memory(trial: Trial, kind: str) -> None:
    build, count = BATCHES[kind]
    await trial.append(range(10))
    worker = await trial.worker()
    await trial.until_done()
    memory, computed = peak_bytes(worker), cpu_seconds(worker)
    assert await append_batch(trial.bootstrap, trial.ledger, build(), count) == 10
    await trial.append(range(10, 20))
    await trial.until_done()
    assert peak_bytes(worker) - memory < 16 * _MIB
    assert cpu_seconds(worker) - computed < 0.5, "to unpack one of these takes longer"
    outputs = (await trial.read("outputs"))[0]
    assert outputs[10][1] == b"10 to %d refused" % (9 + count)
    assert await trial.verdict() == "exact"


@one_partition
async def test_what_waits_is_bounded_in_bytes_too(trial: Trial) -> None:
    worker = await trial.worker(waiting_bytes_max=4 * _MIB, batch_max=2, project_seconds=0.02)
    await trial.append(range(1))
    await trial.until_done()
    memory = peak_bytes(worker)
    await trial.append_raw(*(b"%-900000d" % n for n in range(100)))
    await trial.until_done()
    assert peak_bytes(worker) - memory < 40 * _MIB
    assert await trial.verdict() == "exact"


@one_partition
async def test_a_batch_of_very_many_records_is_passed_with_one_word(trial: Trial) -> None:
    count = 200_000
    await append_batch(trial.bootstrap, trial.ledger, many_records_zipped(count), count)
    worker = await trial.worker()
    await trial.append(range(10))
    await trial.until_done()
    outputs = (await trial.read("outputs"))[0]
    assert (len(outputs), outputs[0][1]) == (11, b"0 to 199999 refused")
    assert peak_bytes(worker) < 300 * _MIB
    assert await trial.verdict() == "exact"


@one_partition
async def test_readers_of_the_ledger_get_no_bytes_and_the_reason(trial: Trial) -> None:
    await append_batch(trial.bootstrap, trial.ledger, gzip_bomb(900 * _MIB))
    await trial.append([1])
    read = [one async for records in read_to_end(trial.bootstrap, trial.ledger, dense=True) for one in records]
    assert [(one.offset, one.value) for one in read] == [(0, b""), (1, b"1")]
    assert isinstance(read[0].value, Refused)
    assert read[0].value.reason == "a batch that is compressed (gzip): it was not unpacked"


@one_partition
async def test_elsewhere_such_a_batch_is_a_fault(trial: Trial) -> None:
    await append_batch(trial.bootstrap, f"{trial.prefix}.outputs", gzipped([b"1"]))
    with pytest.raises(StrangeBatch, match=r"outputs/0 at offset 0: a batch that is compressed \(gzip\)"):
        [one async for one in read_to_end(trial.bootstrap, f"{trial.prefix}.outputs")]


def test_what_compaction_has_left_of_a_batch_is_given_as_it_is() -> None:
    whole = MemoryRecords(compacted([b"1", b"2"], span=5))
    assert [(one.offset, one.value) for one in Batches(whole).next_batch()] == [(0, b"1"), (1, b"2")]
