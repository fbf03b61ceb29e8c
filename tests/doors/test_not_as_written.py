"""Topics that are not as Parley wrote them: the doors say what stands there and what to do, and call nothing equal."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from aiokafka import AIOKafkaProducer

from streams.broker import BrokerAddress
from streams.doors import commanding
from streams.engine import ExitCode, cut_key
from streams.engine.set_asides import set_aside_prefix
from streams.topics import CUTS, EVENTS, MEASURES, partition_of
from streams.topics_on_kafka import ensure_topics
from tests.clock.world import promise
from tests.deleting import delete_topics
from tests.first_light.running import PARTITIONS, complete, parley, played_history, service, worker, write

PLACE = partition_of(b"us-china", PARTITIONS)
SOON = datetime(2027, 3, 1, tzinfo=UTC)


class Doors:
    """The command line at one installation."""

    def __init__(self, bootstrap: str, prefix: str, state: Path) -> None:
        self.bootstrap, self.prefix, self.state = bootstrap, prefix, state
        self.to = ("--brokers", bootstrap, "--prefix", prefix)

    async def ask(self, code: int, *words: str) -> CompletedProcess[bytes]:
        """Run a command that ends with this code, and without a traceback."""
        done = await asyncio.to_thread(parley, self.state, *words, *self.to)
        assert done.returncode == code, (done.stdout.decode(), done.stderr.decode())
        assert b"Traceback" not in done.stderr
        return done

    async def put(self, topic: str, key: bytes, value: bytes) -> None:
        """Write what only the worker may."""
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            await producer.send_and_wait(topic, key=key, value=value, partition=PLACE)

    async def fill(self) -> None:
        """Let a worker write all tables of the shipped history."""
        await write(self.bootstrap, self.prefix, played_history())
        async with worker(self.state, self.bootstrap, self.prefix):
            await complete(self.bootstrap, self.prefix)


@pytest.fixture
async def doors(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> Doors:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    return Doors(kafka.bootstrap, prefix, tmp_path)


@pytest.mark.kafka
async def test_a_cut_that_is_none_is_named_with_its_place(doors: Doors) -> None:
    await write(doors.bootstrap, doors.prefix, played_history()[:20])
    cuts, key = CUTS.name(doors.prefix), cut_key(EVENTS.name(doors.prefix), PLACE)
    await doors.put(cuts, key, b"{}")
    for words in (["fsck"], ["status"], ["tables", "us-china"], ["set-aside", f"{PLACE}:3", "--reason", "none"]):
        done = await doors.ask(commanding.BAD_INPUT, *words)
        assert f"{cuts}/{PLACE}, offset 0, key '{key.decode()}': expected a cut" in " ".join(
            done.stderr.decode().split()
        )
    async with service(doors.state, "worker", *doors.to) as working:
        assert await working.wait() == ExitCode.VERSION
    assert "expected a cut" in (doors.state / "worker.log").read_text("utf-8")


@pytest.mark.kafka
async def test_a_set_aside_that_is_none_stops_the_clock_for_a_person(doors: Doors) -> None:
    await write(doors.bootstrap, doors.prefix, [promise("d", SOON, "us-china")])
    await doors.put(CUTS.name(doors.prefix), set_aside_prefix(EVENTS.name(doors.prefix), PLACE) + b"0", b"[]")
    async with service(doors.state, "clock", *doors.to) as clock:
        assert await clock.wait() == ExitCode.VERSION
    assert "expected a set-aside" in (doors.state / "clock.log").read_text("utf-8")
    done = await doors.ask(commanding.BAD_INPUT, "state", "us-china")
    assert b"expected a set-aside" in done.stderr


@pytest.mark.kafka
async def test_where_nothing_was_written_nothing_is_called_equal(doors: Doors) -> None:
    assert json.loads((await doors.ask(0, "fsck")).stdout)["equal"] is True  # no events, no outputs
    await doors.fill()
    await doors.ask(0, "topics", "--outputs", "blue")
    for words in (["fsck", "--against", "blue"], ["fsck", "--outputs", "blue"]):
        done = await doors.ask(commanding.BAD_INPUT, *words)
        assert b"no worker has written to" in done.stderr
    await write(doors.bootstrap, doors.prefix, [promise("d", SOON, "us-china")])
    report = json.loads((await doors.ask(0, "fsck")).stdout)
    assert [one["behind"] for one in report["partitions"] if one["partition"] == PLACE] == [1]


@pytest.mark.kafka
async def test_a_ledger_that_was_made_anew_is_called_that(doors: Doors) -> None:
    await doors.fill()
    await delete_topics(doors.bootstrap, EVENTS.name(doors.prefix))
    await ensure_topics(doors.bootstrap, doors.prefix, PARTITIONS)
    await write(doors.bootstrap, doors.prefix, played_history())  # as many events, and yet another ledger
    done = await doors.ask(commanding.BAD_INPUT, "status")
    found = json.loads(done.stdout)
    assert (found["behind"], found["complete"], found["of_another_ledger"]) == (0, False, [PLACE])
    assert b"deleted and made anew" in done.stderr
    assert b"deleted and made anew" in (await doors.ask(commanding.BAD_INPUT, "fsck")).stderr


@pytest.mark.kafka
async def test_what_somebody_planted_does_not_reach_the_terminal_as_it_is(doors: Doors) -> None:
    await doors.fill()
    await doors.put(MEASURES.name(doors.prefix), b"us-china/\x1b[2J", b"\x1b[31mevil\x1b]0;title\x07")
    done = await doors.ask(commanding.DIFFERENT, "fsck", "--table")
    assert b"\x1b" not in done.stdout
    assert b"\\x1b[31mevil" in done.stdout
