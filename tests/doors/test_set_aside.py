"""`parley set-aside`: a person gets the worker past a record that makes the fold raise, and past no other."""

import asyncio
import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from schemas.cloudevents import headers
from schemas.codec import encode
from streams.broker import BrokerAddress
from streams.engine import ExitCode
from streams.producing import LedgerWriter
from streams.reading import read_set_asides, read_to_end
from streams.topics import DEAD_LETTERS, EVENTS, partition_of
from tests.first_light.running import PARTITIONS, PATIENCE_S, complete, parley, played_history, worker, write


async def command(state: Path, kafka: BrokerAddress, prefix: str, *words: str) -> CompletedProcess[bytes]:
    where = ("--brokers", kafka.bootstrap, "--prefix", prefix)
    return await asyncio.to_thread(parley, state, *words, *where)


async def test_a_worker_that_a_record_stops_goes_on_once_it_is_set_aside(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    history = played_history()[:40]
    await write(kafka.bootstrap, prefix, history[:20])
    key = history[20].negotiation.encode()
    partition = partition_of(key, PARTITIONS)
    later = json.dumps({**json.loads(encode(history[20])), "version": "2.0"}).encode()
    async with LedgerWriter(kafka.bootstrap, EVENTS.name(prefix)) as writer:
        poison = await writer.append(key, later, headers(history[20]), partition=partition)
    await write(kafka.bootstrap, prefix, history[21:])
    async with worker(tmp_path, kafka.bootstrap, prefix) as stopped:
        assert await asyncio.wait_for(stopped.wait(), PATIENCE_S) == ExitCode.PROJECTION
    place = f"{partition}:{poison.offset}"
    assert f"parley set-aside {place}" in (tmp_path / "worker.log").read_text()

    done = await command(tmp_path, kafka, prefix, "set-aside", place, "--reason", "not to be installed")
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout) == {
        "schema": "parley.set-aside/1",
        "ledger": EVENTS.name(prefix),
        "outputs": "",
        "position": place,
        "reason": "not to be installed",
    }
    assert "Start the worker again" in done.stderr.decode()

    async with worker(tmp_path, kafka.bootstrap, prefix):
        await complete(kafka.bootstrap, prefix)
    checked = await command(tmp_path, kafka, prefix, "fsck")
    assert checked.returncode == 0, checked.stdout.decode()
    dead = [one async for records in read_to_end(kafka.bootstrap, DEAD_LETTERS.name(prefix)) for one in records]
    assert [(dict(one.headers)["parley_code"], one.value) for one in dead] == [(b"set_aside", later)]
    letter = json.loads((await command(tmp_path, kafka, prefix, "dead-letters", "show", place)).stdout)
    assert letter["set_aside_because"] == "not to be installed"
    told = await command(tmp_path, kafka, prefix, "dead-letters", "show", place, "--table")
    assert "set aside because: not to be installed" in told.stdout.decode()
    status = json.loads((await command(tmp_path, kafka, prefix, "status")).stdout)
    assert [one["set_aside"] for one in status["partitions"]] == [int(n == partition) for n in range(PARTITIONS)]
    exported = await command(tmp_path, kafka, prefix, "export")
    assert len(exported.stdout.splitlines()) == len(history) - 1

    again = await command(tmp_path, kafka, prefix, "set-aside", place, "--reason", "again")
    assert (again.returncode, again.stdout) == (3, b"")
    assert "is set aside already, because: not to be installed" in " ".join(again.stderr.decode().split())
    before = await command(tmp_path, kafka, prefix, "set-aside", f"{partition}:0", "--reason", "too late")
    assert (before.returncode, before.stdout) == (3, b"")
    assert "behind the cut, which is at" in " ".join(before.stderr.decode().split())


async def test_what_is_no_record_is_not_set_aside(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> None:
    history = played_history()[:3]
    await write(kafka.bootstrap, prefix, history)
    partition = partition_of(history[0].negotiation.encode(), PARTITIONS)
    malformed = "expected a position PARTITION:OFFSET such as 2:1841, got"
    for place, code, complaint in (
        (f"{partition}:{len(history)}", 3, "there is no such record"),
        ("4:0", 3, "from 0 to 3, got 4"),
        ("2", 2, malformed),
        ("2:1:0", 2, malformed),
        ("2:\N{ARABIC-INDIC DIGIT ONE}", 2, malformed),
    ):
        done = await command(tmp_path, kafka, prefix, "set-aside", place, "--reason", "to see")
        assert (done.returncode, done.stdout) == (code, b"")
        assert complaint in " ".join(done.stderr.decode().split())
    assert await read_set_asides(kafka.bootstrap, prefix) == {}


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1_001])
async def test_a_set_aside_has_a_reason_of_reasonable_length(
    kafka: BrokerAddress, prefix: str, tmp_path: Path, reason: str
) -> None:
    done = await command(tmp_path, kafka, prefix, "set-aside", "0:0", "--reason", reason)
    assert (done.returncode, done.stdout) == (2, b"")
    assert "expected a --reason of 1 to 1000 characters" in " ".join(done.stderr.decode().split())


async def test_what_cannot_be_set_aside_disturbs_no_worker(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> None:
    history = played_history()[:3]
    await write(kafka.bootstrap, prefix, history)
    partition = partition_of(history[0].negotiation.encode(), PARTITIONS)
    async with worker(tmp_path, kafka.bootstrap, prefix) as working:
        await complete(kafka.bootstrap, prefix)
        for place, complaint in (
            (f"{partition}:{len(history)}", "there is no such record"),
            (f"{(partition + 1) % PARTITIONS}:0", "that partition is empty"),
            (f"{partition}:1", f"behind the cut, which is at {len(history) - 1}, got 1: its outputs are committed"),
        ):
            refused = await command(tmp_path, kafka, prefix, "set-aside", place, "--reason", "none")
            assert (refused.returncode, refused.stdout) == (3, b"")
            assert complaint in " ".join(refused.stderr.decode().split())
        await write(kafka.bootstrap, prefix, played_history()[3:6])
        await complete(kafka.bootstrap, prefix)  # as it does not once its partition is taken from it
        assert working.returncode is None


async def test_a_reason_once_given_stays(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> None:
    history = played_history()[:3]
    await write(kafka.bootstrap, prefix, history)
    place = f"{partition_of(history[0].negotiation.encode(), PARTITIONS)}:1"
    assert (await command(tmp_path, kafka, prefix, "set-aside", place, "--reason", "the first")).returncode == 0
    again = await command(tmp_path, kafka, prefix, "set-aside", place, "--reason", "the second")
    assert (again.returncode, again.stdout) == (3, b"")
    assert "is set aside already, because: the first" in " ".join(again.stderr.decode().split())
    assert list((await read_set_asides(kafka.bootstrap, prefix)).values()) == ["the first"]
