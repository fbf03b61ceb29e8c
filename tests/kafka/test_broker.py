"""The embedded broker: starting, finding, stopping, and what survives."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path

import pytest

from schemas.positions import Position
from streams.broker import (
    BrokerAddress,
    BrokerAlreadyRuns,
    BrokerError,
    EmbeddedBroker,
    RunningBroker,
    running_broker,
    stop_running,
)
from streams.broker_readiness import cluster_at
from streams.doors.commanding import UNREACHABLE
from streams.producing import Append, LedgerWriter
from streams.reading import read_to_end
from streams.settings import Settings
from streams.topics_on_kafka import ensure_topics, topics_found
from tests.first_light.running import environment

pytestmark = pytest.mark.kafka

STARTER = """
import sys, time
from pathlib import Path
from streams.broker import EmbeddedBroker
broker = EmbeddedBroker(Path(sys.argv[1]))
print(broker.start().port, broker.pid, flush=True)
time.sleep(600)
"""


def wait_until(condition: Callable[[], bool], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.02)


def accepts(address: BrokerAddress) -> bool:
    with socket.socket() as one:
        return one.connect_ex((address.host, address.port)) == 0


def settings_of(tmp_path: Path) -> Settings:
    return Settings(state_directory=tmp_path)


def test_a_broker_is_found_while_it_runs_and_not_after(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert running_broker(settings) is None
    broker = EmbeddedBroker(settings.broker_directory)
    with broker as address:
        assert accepts(address)
        assert running_broker(settings) == address
        assert asyncio.run(topics_found(address.bootstrap, "parley")) == ()
        assert broker.start() == address  # it runs already
    assert running_broker(settings) is None
    assert not accepts(address)
    moved = settings.broker_directory.rename(tmp_path / "moved")
    with EmbeddedBroker(moved) as elsewhere:
        assert elsewhere == address  # whoever knew the old one finds it
    with pytest.raises(BrokerError, match="was not started"):
        _ = broker.pid


@pytest.mark.parametrize("lasting", [False, True])
def test_a_broker_that_lasts_has_the_second_compiler(tmp_path: Path, *, lasting: bool) -> None:
    broker = EmbeddedBroker(tmp_path, lasting=lasting)
    with broker:
        words = Path(f"/proc/{broker.pid}/cmdline").read_bytes().split(b"\0")
    assert (b"-XX:TieredStopAtLevel=1" not in words) == lasting


def test_a_second_start_says_where_the_first_one_runs(tmp_path: Path) -> None:
    first = EmbeddedBroker(tmp_path)
    with first as address:
        with pytest.raises(BrokerAlreadyRuns) as refusal:
            EmbeddedBroker(tmp_path).start()
        assert refusal.value.running == RunningBroker(address, first.pid)
        assert str(refusal.value) == (
            f"A broker for {tmp_path} already runs at {address.bootstrap} (process {first.pid}); every command finds it"
            f" by itself. To stop it: kill {first.pid}"
        )
        assert accepts(address)


async def write(bootstrap: str, topic: str, count: int) -> list[Position]:
    async with LedgerWriter(bootstrap, topic) as writer:
        return await writer.append_all(
            [Append(b"k%d" % i, b"value %d" % i, [("ce_id", b"%d" % i)], i % 2) for i in range(count)]
        )


async def contents(bootstrap: str, topic: str) -> set[tuple[Position, bytes | None, bytes | None]]:
    return {
        (Position(record.topic, record.partition, record.offset), record.key, record.value)
        async for records in read_to_end(bootstrap, topic, dense=True)
        for record in records
    }


def test_what_was_acknowledged_survives_kill_9_at_the_same_place_and_address(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path)
    try:
        address = broker.start()
        report = asyncio.run(ensure_topics(address.bootstrap, "parley", 2))
        positions = asyncio.run(write(address.bootstrap, "parley.events.v1", 1000))
        os.kill(broker.pid, signal.SIGKILL)
        wait_until(lambda: broker.exit_code is not None)
        assert broker.exit_code == 128 + signal.SIGKILL
        assert broker.start() == address
        again = asyncio.run(ensure_topics(address.bootstrap, "parley", 2))
        assert again.created == ()
        assert [topic.topic_id for topic in again.topics] == [topic.topic_id for topic in report.topics]
        assert asyncio.run(contents(address.bootstrap, "parley.events.v1")) == {
            (position, b"k%d" % i, b"value %d" % i) for i, position in enumerate(positions)
        }
    finally:
        broker.stop()


def test_it_ends_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    starter = subprocess.Popen([sys.executable, "-c", STARTER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert starter.stdout is not None
        port, _ = map(int, starter.stdout.readline().split())
        address = BrokerAddress("127.0.0.1", port)
        assert accepts(address)
    finally:
        starter.kill()
        starter.communicate()
    wait_until(lambda: not accepts(address))
    with EmbeddedBroker(tmp_path) as successor:  # nobody holds the folder any more
        assert successor == address


DIED = "parley: Kafka has ended with exit code 137; what it acknowledged is kept. Start it again. Its log: {log}\n"


@pytest.mark.parametrize(
    ("ending", "code", "says"), [(signal.SIGKILL, UNREACHABLE, DIED), (signal.SIGTERM, 0, "")], ids=["killed", "told"]
)
def test_the_command_that_runs_it_leaves_when_it_has_ended(
    tmp_path: Path, ending: signal.Signals, code: int, says: str
) -> None:
    command = subprocess.Popen(
        [sys.executable, "-m", "streams.doors.starting", "broker"],
        env=environment(tmp_path) | {"COLUMNS": "400"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert command.stdout is not None
        address = running_broker(settings_of(tmp_path)) if command.stdout.readline() else None
        running = json.loads((settings_of(tmp_path).broker_directory / "broker.json").read_bytes())
        assert address == BrokerAddress(running["host"], running["port"])
        os.kill(running["pid"], ending)
        _, said = command.communicate(timeout=60)
    finally:
        command.kill()
        command.communicate()
    log = settings_of(tmp_path).broker_directory / "broker.log"
    assert (command.returncode, said) == (code, says.format(log=log))


def test_a_broker_on_its_own_outlives_whoever_started_it_until_it_is_stopped(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    alone = STARTER.replace("(Path(sys.argv[1]))", "(Path(sys.argv[1]), die_with_parent=False)")
    starter = subprocess.Popen(
        [sys.executable, "-c", alone, str(settings.broker_directory)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert starter.stdout is not None
        port, pid = map(int, starter.stdout.readline().split())
        starter.kill()
        starter.communicate()
        expected = RunningBroker(BrokerAddress("127.0.0.1", port), pid)
        assert running_broker(settings) == expected.address
        assert accepts(expected.address)
    finally:
        stopped = stop_running(settings.broker_directory)
    assert stopped == expected
    assert running_broker(settings) is None
    assert stop_running(settings.broker_directory) is None


def test_a_taken_port_is_refused_with_the_port_in_the_message(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(BrokerError) as refusal:
            EmbeddedBroker(tmp_path, port=port).start()
    assert str(refusal.value) == (
        f"Port {port} on 127.0.0.1 is taken by another program. Name another one, or none to get a free one."
    )


def test_a_folder_that_cannot_be_used_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BrokerError, match=r"cannot use the folder .*/file/broker: Not a directory\. Choose another"):
        EmbeddedBroker(tmp_path / "file" / "broker").start()


def test_a_broker_that_listens_and_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.broker.cluster_at", lambda *_: Future())
    monkeypatch.setattr("streams.broker._START_S", 5)
    broker = EmbeddedBroker(tmp_path)
    with pytest.raises(BrokerError, match=rf"did not answer at .* within 5 s\. Its log: {tmp_path}/broker\.log"):
        broker.start()
    assert broker.exit_code is None  # it was stopped


def test_an_answer_that_is_none_of_kafka_is_told_and_not_waited_for() -> None:
    def serve(server: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the test is over
            while True:
                client, _ = server.accept()
                with client:
                    number = client.recv(4096)[8:12]  # of the question, so that this is its answer
                    client.sendall((44).to_bytes(4, "big") + number + b"\xff" * 40)
                    client.recv(4096)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        answer = cluster_at(f"127.0.0.1:{server.getsockname()[1]}", 10)
        assert wait([answer], 30).not_done == set()
        assert answer.exception() is not None
        server.shutdown(socket.SHUT_RDWR)


def test_a_broker_that_cannot_start_says_why_and_leaves_the_folder_free(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path):
        pass
    properties = tmp_path / "kafka" / "meta.properties"
    properties.write_text(properties.read_text().replace("node.id=1", "node.id=7"))
    with pytest.raises(BrokerError, match=rf"ended with code 1: .*node id.*Its log: {tmp_path}/broker\.log"):
        EmbeddedBroker(tmp_path).start()
    assert stop_running(tmp_path) is None
