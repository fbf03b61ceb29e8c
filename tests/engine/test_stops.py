"""A worker that cannot keep its promise leaves at once, with a code and a word on what to do."""

import asyncio
import signal
import socket
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from streams.broker import EmbeddedBroker
from streams.broker_properties import server_properties
from streams.engine import ExitCode
from tests.engine.observing import configure, until_logged, until_stopped
from tests.engine.trial import Trial

pytestmark = pytest.mark.kafka


async def test_a_hole_in_the_ledger_stops_the_worker_before_a_commit(trial: Trial) -> None:
    await trial.append_raw(b"1", b"2", transactional=True)
    await trial.append_raw(b"3")
    worker = await trial.worker()
    assert await worker.end() == ExitCode.HOLE
    assert "expected offset 2, got 3" in worker.tail()
    assert await trial.cuts() == {}


async def test_records_deleted_from_the_ledger_stop_the_worker(trial: Trial) -> None:
    await trial.append_raw(b"1", b"2", b"3")
    await trial.delete_records(0, 2)
    worker = await trial.worker()
    assert await worker.end() == ExitCode.HOLE
    assert "begins at offset 2, expected 0" in worker.tail()


async def test_a_projection_that_raises_stops_the_worker_before_a_commit(trial: Trial) -> None:
    await trial.append_raw(b"1", b"2")
    worker = await trial.worker()
    await trial.until_done()
    await trial.append_raw(b"not a number")
    assert await worker.end() == ExitCode.PROJECTION
    assert f"on {trial.ledger}/0 at offset 2; nothing of the batch" in worker.tail()
    assert "set_aside(config, 0, 2, reason)" in worker.tail()
    assert {n: cut.offset for n, cut in (await trial.cuts()).items()} == {0: 1}


async def test_a_projection_that_never_returns_stops_the_worker(trial: Trial) -> None:
    await trial.append_raw(b"hang")
    worker = await trial.worker(stall_timeout=3.0)
    assert await worker.end() == ExitCode.STALLED
    assert "has not moved for 3.0 s" in worker.tail()
    assert worker.cuts == dict.fromkeys(range(trial.partitions), -1)


async def test_whoever_watches_the_progress_and_raises_stops_the_worker(trial: Trial) -> None:
    await trial.append_raw(b"1")
    worker = await trial.worker(watcher_raises=True)
    assert await worker.end() == ExitCode.PRODUCER
    assert "failed with ValueError('this is not what was expected'), which is a fault of the program" in worker.tail()
    await trial.append_raw(b"2")
    await trial.worker()
    await trial.until_done()
    assert await trial.verdict() == "exact"


async def test_a_cut_of_another_fold_version_stops_the_worker(trial: Trial) -> None:
    await trial.append_raw(b"1")
    first = await trial.worker(version="1")
    await trial.until_done()
    assert await first.end(signal.SIGTERM) == 0
    second = await trial.worker(version="2")
    assert await second.end() == ExitCode.VERSION
    assert "written by fold version '1', this worker folds version '2'" in second.tail()


async def test_a_ledger_that_was_made_anew_stops_the_worker(trial: Trial) -> None:
    await trial.append_raw(b"1")
    first = await trial.worker()
    await trial.until_done()
    assert await first.end(signal.SIGTERM) == 0
    await trial.delete_topic("ledger")
    await trial.create_topics("ledger")
    await trial.append_raw(b"1", b"2")
    second = await trial.worker()
    assert await second.end() == ExitCode.LEDGER
    assert "deleted and made anew" in second.tail()


async def test_a_cut_that_cannot_be_read_stops_the_worker(trial: Trial) -> None:
    await trial.append_raw(b"1")
    await trial.append_raw(b"{}", topic="cuts", key=f"{trial.ledger}/0".encode())
    worker = await trial.worker()
    assert await worker.end() == ExitCode.VERSION
    assert "expected a cut with topic, topic_id" in worker.tail()


async def test_a_cut_that_nobody_unpacks_stops_the_worker_before_anything_is_doubled(trial: Trial) -> None:
    await trial.append(range(100))
    first = await trial.worker()
    await trial.until_done()
    await configure(trial, "cuts", {"compression.type": "gzip"})
    await trial.append(range(100, 200))
    await first.until_committed(200)
    assert await first.end(signal.SIGTERM) == 0
    await configure(trial, "cuts", {"compression.type": "producer"})
    second = await trial.worker()
    assert await second.end() == ExitCode.VERSION
    assert "expected a cut or a set-aside, got a batch that is compressed (gzip)" in second.tail()
    assert sum(map(len, (await trial.read("outputs")).values())) == 200


async def test_a_transaction_that_the_fence_did_not_end_stops_the_worker(trial: Trial) -> None:
    await trial.append_raw(b"1")
    first = await trial.worker()
    await trial.until_done()
    assert await first.end(signal.SIGTERM) == 0
    await trial.append_raw(b"2")
    async with AIOKafkaProducer(bootstrap_servers=trial.bootstrap, transactional_id=f"{trial.prefix}.other") as other:
        await other.begin_transaction()
        await other.send_and_wait(f"{trial.prefix}.cuts", b"", key=b"not ours", partition=0)
        second = await trial.worker()
        assert await second.end() == ExitCode.PRODUCER
        assert f"{trial.prefix}.cuts/0: a transaction that begins at offset" in second.tail()
        await other.abort_transaction()
    await trial.worker()
    await trial.until_done()
    assert await trial.verdict() == "exact"


async def test_a_broker_that_is_not_there_stops_the_worker(trial: Trial) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        worker = await trial.worker(bootstrap=f"127.0.0.1:{nobody.getsockname()[1]}")
        assert await worker.end() == ExitCode.PRODUCER


async def test_a_broker_that_does_not_let_it_into_the_group_stops_the_worker(trial: Trial) -> None:
    worker = await trial.worker(session_timeout=86_400.0, request_timeout=86_401.0)  # longer than any broker allows
    assert await worker.end() == ExitCode.PRODUCER
    assert f"into the group {trial.prefix}.tally, or keep it there: InvalidSessionTimeoutError" in worker.tail()


async def test_a_worker_that_gets_no_place_in_its_group_does_not_wait_for_ever(trial: Trial) -> None:
    worker = await trial.worker("tests.engine.outcast", request_timeout=7.0)
    assert await worker.end() == ExitCode.PRODUCER
    assert "expected a place in the group within 7.0 s" in worker.tail()


@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_a_batch_that_is_not_done_in_time_when_it_is_told_to_leave_is_left_to_the_next_start(
    trial: Trial,
) -> None:
    await trial.append(range(100))
    worker = await trial.worker(stop_before="0", project_seconds=0.1, slice_max=1, transaction_timeout=2.0)
    await until_stopped(worker)  # in the middle of the only batch, which goes on for 10 s
    worker.process.send_signal(signal.SIGTERM)
    worker.wake()
    assert await worker.end() == ExitCode.PRODUCER
    assert "the batch in flight did not finish within 2.0 s of a rebalance or shutdown" in worker.tail()
    assert await trial.cuts() == {}
    await trial.worker()
    await trial.until_done()
    assert await trial.verdict() == "exact"


async def test_a_take_over_that_does_not_come_to_its_end_stops_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    too_many_copies = "transaction.state.log.replication.factor=3\n"  # so that nobody keeps what a fence needs
    broker = EmbeddedBroker(tmp_path / "broker")
    with monkeypatch.context() as told:
        told.setattr("streams.broker.server_properties", lambda **where: server_properties(**where) + too_many_copies)
        address = await asyncio.to_thread(broker.start)
    trial = Trial(address.bootstrap, "unfenced", tmp_path, 1)
    try:
        await trial.create_topics()
        await trial.append(range(10))
        worker = await trial.worker(request_timeout=7.0)
        assert await worker.end() == ExitCode.PRODUCER
        assert "expected to take over partitions [0] within 7.0 s" in worker.tail()
        await asyncio.to_thread(broker.stop)
        await asyncio.to_thread(broker.start)
        await trial.worker()
        await trial.until_done()
        assert await trial.verdict() == "exact"
    finally:
        await trial.close()
        await asyncio.to_thread(broker.stop)


async def test_a_status_port_that_is_taken_is_named(trial: Trial) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        worker = await trial.worker(status_port=port)
        assert await worker.end() == ExitCode.PRODUCER
    assert f"exit 75: port {port} on 127.0.0.1 is taken by another program. Name another status port" in worker.tail()
    assert "Subscription" not in worker.log.read_text("utf-8")  # it took nobody's partitions
    assert "Traceback" not in worker.tail()


async def test_a_worker_whose_broker_is_gone_leaves_when_it_is_told_to(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path / "broker")
    address = await asyncio.to_thread(broker.start)
    trial = Trial(address.bootstrap, "gone", tmp_path)
    try:
        await trial.create_topics()
        worker = await trial.worker()
        await trial.append(range(10))
        await trial.until_done()
        await asyncio.to_thread(broker.stop)
        await until_logged(worker, "Failed fetch messages")  # after each of them the next one waits
        assert await worker.end(signal.SIGTERM) == 0
    finally:
        await trial.close()
        await asyncio.to_thread(broker.stop)
