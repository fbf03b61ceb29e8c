"""A new start goes on from a snapshot, or folds from the ledger; what it commits is the same."""

import asyncio
import json
import logging
import signal
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streams.engine import ExitCode, Store
from streams.engine.moves import Origin
from streams.engine.progress import Recovery
from tests.engine.asking import ask, free_ports
from tests.engine.on_disk import NOTHING, flipped, saved_up_to
from tests.engine.trial import PATIENCE_S, Trial


def snapshot(trial: Trial, partition: int = 0) -> Path:
    """Return where instance "a" keeps its snapshot of a partition."""
    return trial.engine_config(instance_id="a").keeping(partition).path


async def until_saved(trial: Trial, partition: int, offset: int) -> None:
    """Wait until the snapshot of a partition, which a worker is writing, goes so far."""
    async with asyncio.timeout(PATIENCE_S):
        while saved_up_to(snapshot(trial, partition)) < offset:  # noqa: ASYNC110  another process writes it
            await asyncio.sleep(0.02)


@pytest.mark.kafka
async def test_after_kill_9_the_same_identity_folds_only_what_came_after_its_snapshot(trial: Trial) -> None:
    await trial.append(range(20_000))
    first = await trial.worker(instance_id="a", snapshot_work=0.0, snapshot_within=0.0, batch_max=500)
    await trial.until_done()
    ends = {n: cut.offset for n, cut in (await trial.cuts()).items()}
    for n, end in ends.items():
        await until_saved(trial, n, end - 1_500)
    assert await first.end(signal.SIGKILL) == -signal.SIGKILL
    await trial.append(range(20_000, 21_000))
    second = await trial.worker(instance_id="a")
    await trial.until_done()
    assert {n: end - second.resumed[n] < 1_500 for n, end in ends.items()} == dict.fromkeys(ends, True)
    assert await trial.verdict() == "exact"


@pytest.mark.kafka
async def test_what_a_start_had_to_fold_again_the_next_one_has_not(trial: Trial) -> None:
    seldom: dict[str, Any] = {"instance_id": "a", "snapshot_work": 3_600.0, "snapshot_within": 3_600.0}
    await trial.append(range(2_000))
    first = await trial.worker(**seldom)
    await trial.until_done()
    assert await first.end(signal.SIGKILL) == -signal.SIGKILL
    ends = {n: cut.offset for n, cut in (await trial.cuts()).items()}
    second = await trial.worker(**seldom)
    for n, end in ends.items():
        await until_saved(trial, n, end)
    assert second.resumed == dict.fromkeys(ends, NOTHING)
    assert await second.end(signal.SIGKILL) == -signal.SIGKILL
    third = await trial.worker(**seldom)
    await third.until_ready(trial.partitions)
    assert third.resumed == ends
    await trial.append(range(2_000, 3_000))
    await trial.until_done()
    assert await trial.verdict() == "exact"


@pytest.mark.kafka
async def test_a_partition_to_which_nothing_comes_any_more_saves_what_would_be_folded_again(trial: Trial) -> None:
    work: dict[str, Any] = {"project_seconds": 0.005, "snapshot_work": 5.0, "snapshot_within": 3_600.0}  # 1.2 s each
    await trial.append(range(1_000))
    await trial.worker(instance_id="a", **work)
    await trial.until_done()
    for n, cut in (await trial.cuts()).items():
        await until_saved(trial, n, cut.offset)


@pytest.mark.kafka
async def test_what_came_while_an_older_state_was_being_saved_is_saved_after_it(trial: Trial) -> None:
    await trial.append(range(1_000))
    await trial.worker(instance_id="a", save_seconds=0.5, snapshot_work=0.0, snapshot_within=0.0, batch_max=50)
    await trial.until_done()
    for n, cut in (await trial.cuts()).items():
        await until_saved(trial, n, cut.offset)


@pytest.mark.kafka
async def test_a_worker_that_is_told_to_leave_saves_its_state_first(trial: Trial) -> None:
    await trial.append(range(2_000))
    first = await trial.worker(instance_id="a", snapshot_within=3_600.0)
    await trial.until_done()
    assert await first.end(signal.SIGTERM) == 0
    second = await trial.worker(instance_id="a")
    await second.until_ready(trial.partitions)
    assert second.resumed == {n: cut.offset for n, cut in (await trial.cuts()).items()}
    await trial.append(range(2_000, 3_000))
    await trial.until_done()
    assert await trial.verdict() == "exact"


@pytest.mark.kafka
async def test_an_identity_with_an_empty_disk_folds_from_the_ledger(trial: Trial) -> None:
    await trial.append(range(2_000))
    first = await trial.worker(instance_id="a")
    await trial.until_done()
    assert await first.end(signal.SIGTERM) == 0
    await trial.append(range(2_000, 3_000))
    second = await trial.worker(instance_id="b")
    await trial.until_done()
    assert second.resumed == dict.fromkeys(range(trial.partitions), NOTHING)
    assert await trial.verdict() == "exact"


def truncated(path: Path) -> None:
    """Cut the file in the middle."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def row_deleted(path: Path) -> None:
    """Delete a row."""
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM kept WHERE rowid = (SELECT min(rowid) FROM kept)")
    connection.close()


def rewritten(change: Callable[[Origin], Origin]) -> Callable[[Path], None]:
    """Return what makes a sound snapshot say that it is a fold of something else."""

    def rewrite(path: Path) -> None:
        store = Store(path, "1")
        assert store.origin is not None
        store.origin = change(store.origin)
        store.save(store.folded, {})
        store.close()

    return rewrite


def ahead(path: Path) -> None:
    """Make a sound snapshot say that it goes farther than the cut."""
    store = Store(path, "1")
    store.save(store.folded + 1_000, {})
    store.close()


OFFENCES: dict[str, Callable[[Path], None]] = {
    "a flipped byte": flipped,
    "truncated": truncated,
    "a row deleted": row_deleted,
    "another topic id": rewritten(lambda one: replace(one, topic_id="AAAAAAAAAAAAAAAAAAAAAA")),
    "other cuts": rewritten(lambda one: replace(one, cuts_id="AAAAAAAAAAAAAAAAAAAAAA")),
    "another fold version": rewritten(lambda one: replace(one, version="0")),
    "ahead of the cut": ahead,
}


@pytest.mark.kafka
@pytest.mark.parametrize("trial", [2], indirect=True)
@pytest.mark.parametrize("offence", OFFENCES)
async def test_a_damaged_or_foreign_snapshot_is_thrown_away_and_never_believed(trial: Trial, offence: str) -> None:
    await trial.append(range(500))
    first = await trial.worker(instance_id="a")
    await trial.until_done()
    assert await first.end(signal.SIGTERM) == 0
    OFFENCES[offence](snapshot(trial, 0))
    await trial.append(range(500, 1_000))
    second = await trial.worker(instance_id="a")
    await trial.until_done()
    assert (second.resumed[0], second.resumed[1] > NOTHING) == (NOTHING, True), "only the other one is believed"
    assert "thrown away" in second.log.read_text()
    assert await trial.verdict() == "exact"


@pytest.mark.kafka
@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_damage_that_shows_when_a_value_is_loaded_ends_the_worker_before_a_commit(trial: Trial) -> None:
    await trial.append(range(500), keys=5)
    first = await trial.worker(instance_id="a")
    await trial.until_done()
    assert await first.end(signal.SIGTERM) == 0
    with sqlite3.connect(snapshot(trial)) as connection:
        assert connection.execute("UPDATE kept SET value = '1 1' WHERE key = x'6b33'").rowcount == 1
    connection.close()
    await trial.append(range(500, 600), keys=5)
    second = await trial.worker(instance_id="a")
    assert await second.end() == ExitCode.SNAPSHOT
    assert "the value of b'k3' is not the one that was written" in second.tail()
    third = await trial.worker(instance_id="a")
    await trial.until_done()
    assert third.resumed == {0: NOTHING}
    assert await trial.verdict() == "exact"


@pytest.mark.kafka
@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_a_successor_does_without_the_snapshot_that_a_paused_process_holds(trial: Trial) -> None:
    await trial.append(range(10_000))
    zombie = await trial.worker(instance_id="a", batch_max=20)
    await zombie.until_committed(2_000)
    zombie.pause()
    successor = await trial.worker(instance_id="a")
    await trial.until_done()
    assert successor.resumed == {0: NOTHING}
    assert "no snapshot is kept" in successor.log.read_text()
    zombie.wake()
    assert await zombie.end() == ExitCode.PRODUCER
    await trial.append(range(10_000, 11_000))
    await trial.until_done()
    assert await trial.verdict() == "exact"


@pytest.mark.kafka
@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_a_worker_is_not_ready_until_it_has_folded_up_to_the_cut_and_shows_how_far_it_is(trial: Trial) -> None:
    await trial.append_raw(*(b"%d" % n for n in range(150)))
    first = await trial.worker(instance_id="a")
    await trial.until_done()
    assert await first.end(signal.SIGKILL) == -signal.SIGKILL
    (port,) = free_ports(1)
    second = await trial.worker(instance_id="b", status_port=port, slice_max=1, batch_max=1, fold_seconds=0.02)
    seen: set[tuple[int, bool]] = set()
    async with asyncio.timeout(PATIENCE_S):
        while (answer := await ask(port, "/readyz"))[0] != 200:
            status = json.loads((await ask(port, "/status"))[1] or "[]")
            seen |= {(one["folded"] * 2 // one["cut"], one["ready"]) for one in status if one["cut"] > NOTHING}
            await asyncio.sleep(0.05)
    assert answer == (200, "ready\n")
    assert seen >= {(0, False), (1, False)}, "the first and the second half, and not ready"
    assert " of 150 records up to the cut" in second.log.read_text()


def test_a_recovery_tells_every_two_seconds_and_at_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    times = iter([0.0, 0.5, 2.0, 3.9, 4.1, 5.0])
    recovery = Recovery("ledger/0", 99, 1_099, now=lambda: next(times))
    for folded in (199, 499, 699, 799, 1_099):
        recovery.at(folded)
    assert [record.message for record in caplog.records] == [
        "ledger/0: cut at offset 1099, state up to 99: 1000 records to fold",
        "ledger/0: folded 400 of 1000 records up to the cut, 200 a second",
        "ledger/0: folded 700 of 1000 records up to the cut, 171 a second",
        "ledger/0: folded 1000 of 1000 records up to the cut, 200 a second",
    ]
