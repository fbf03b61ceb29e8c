"""`parley up`: one command brings everything up, keeps it up, and takes everything down with it."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import orjson
import pytest

from schemas.codec import encode
from schemas.events import Event
from streams.broker import BrokerAddress, EmbeddedBroker
from streams.client import Parley
from streams.cores import set_apart
from streams.doors.appending import Appended
from streams.engine import ExitCode
from streams.producing import LedgerWriter
from streams.settings import Settings
from streams.topics import EVENTS, partition_of
from streams.topics_on_kafka import ensure_topics
from tests.clock.running import soon, until
from tests.clock.world import promise
from tests.first_light.running import PARTITIONS, PATIENCE_S, USUAL, environment

pytestmark = pytest.mark.kafka
UP = "Everything is up. Ctrl-C stops it."


class Told:
    """A command that runs, and what it has told so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self.told: list[str] = []

    async def until(self, beginning: str) -> str:
        """Read on until a line begins so, and return that line."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := (await self.process.stdout.readline()).decode().rstrip("\n"):
                self.lines.append(line)
                self.told.append(line)
                if line.startswith(beginning):
                    return line
        raise AssertionError(self.lines)

    def processes(self) -> dict[str, int]:
        """Return the process of each part as it was told last."""
        return {line.split()[0]: process_of(line) for line in self.lines if " process " in line}

    async def started(self, *names: str) -> dict[str, int]:
        """Read on until each of these parts has been started anew; return all that were."""
        self.lines.clear()
        while not self.processes().keys() >= set(names):
            await self.until("")
        return self.processes()

    async def end(self, by: signal.Signals | None = None) -> int:
        """End it, or wait until it ends, and read what is left."""
        if by is not None:
            self.process.send_signal(by)
        rest, _ = await asyncio.wait_for(self.process.communicate(), PATIENCE_S)
        self.lines += rest.decode().splitlines()
        return self.process.returncode or 0


@asynccontextmanager
async def told(
    state: Path, *words: str, given: bytes | None = None, settings: Mapping[str, str] = USUAL
) -> AsyncIterator[Told]:
    """Run a command; it is gone afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streams.doors.starting", *words,
        env=environment(state, settings), cwd=state,
        stdin=asyncio.subprocess.DEVNULL if given is None else asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    if given is not None and process.stdin is not None:
        process.stdin.write(given)
        process.stdin.close()
    try:
        yield Told(process)
    finally:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.communicate(), PATIENCE_S)


def process_of(line: str) -> int:
    found = re.search(r"\bprocess (\d+)", line)
    assert found is not None, line
    return int(found[1])


def runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def append(up: Told, event: Event) -> None:
    """Append a report that is due soon: in this process, since a command would take long to start on a busy machine."""
    (broker,) = [line for line in up.told if line.startswith("broker  process")][-1:]
    found = re.search(r"Kafka on ([\d.:]+)", broker)
    assert found is not None
    assert await Parley(found[1], prefix="parley").append([event]) == Appended(accepted=1)


async def test_a_report_becomes_an_alert_and_whatever_is_killed_comes_back(tmp_path: Path) -> None:
    async with told(tmp_path, "up") as up:
        await up.until(UP)
        assert [line.split()[0] for line in up.lines] == ["broker", "topics", "worker", "clock", "Everything"]
        processes = up.processes()
        async with told(tmp_path, "watch", "n", "--kind", "alerts", "--since", "0", "--json") as watching:
            await append(up, promise("first", soon(3)))
            first = orjson.loads(await watching.until('{"acts"'))
            os.kill(processes["worker"], signal.SIGKILL)
            os.kill(processes["clock"], signal.SIGKILL)
            again = await up.started("worker", "clock")
            await append(up, promise("second", soon(3)))
            second = orjson.loads(await watching.until('{"acts"'))
        async with told(tmp_path, "up") as other:
            assert await other.end() == 0
        said = "".join(other.lines)  # the folder of a test may be longer than what is left of the line
        assert said == f"parley up runs already; its logs are in {tmp_path / 'up' / 'parley'}."
        assert await up.end(signal.SIGTERM) == 0
    assert (first["deadline"], second["deadline"]) == ("first", "second")
    assert [line for line in up.lines if line.endswith("stopped")] == [
        "clock   stopped",
        "worker  stopped",
        "broker  stopped",
    ]
    assert {process for process in (*processes.values(), *again.values()) if runs(process)} == set()


async def test_the_worker_can_have_a_core_to_itself_also_after_a_new_start(tmp_path: Path) -> None:
    cores = set_apart()
    async with told(tmp_path, "up", "--own-core") as up:
        if cores is None:
            assert await up.end() == 2
            assert "--own-core needs Linux and two processor cores or more" in "".join(up.lines)
            return
        await up.until(UP)
        before = up.processes()
        os.kill(before["worker"], signal.SIGKILL)
        processes = {**before, **await up.started("worker")}
        found = {name: all_cores_of(process) for name, process in processes.items()}
        assert await up.end(signal.SIGTERM) == 0
    assert found == {"broker": cores.others, "worker": cores.own, "clock": cores.others}


def all_cores_of(process: int) -> frozenset[int]:
    """Return the cores on which any thread of a process may run."""
    found: set[int] = set()
    for one in Path(f"/proc/{process}/task").iterdir():
        with suppress(ProcessLookupError):  # that thread has ended
            found |= os.sched_getaffinity(int(one.name))
    return frozenset(found)


async def test_when_kafka_is_killed_everything_comes_back_and_nobody_is_left_without_a_warning(tmp_path: Path) -> None:
    async with told(tmp_path, "up") as up:
        await up.until(UP)
        await append(up, promise("d", soon(3)))
        os.kill(up.processes()["broker"], signal.SIGKILL)
        await up.started("broker")
        async with told(tmp_path, "watch", "n", "--kind", "alerts", "--since", "0", "--json") as watching:
            alert = orjson.loads(await watching.until('{"acts"'))
        assert await up.end(signal.SIGTERM) == 0
    assert (alert["deadline"], alert["lead"]) == ("d", "1h")


async def test_when_it_is_killed_itself_everything_ends(tmp_path: Path) -> None:
    async with told(tmp_path, "up") as up:
        await up.until(UP)
        processes = up.processes().values()
        assert [runs(process) for process in processes] == [True] * 3
        await up.end(signal.SIGKILL)

        async def gone() -> bool:
            return not any(runs(process) for process in processes)

        await until(gone)


async def test_an_end_that_no_new_start_mends_ends_everything_and_says_why(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    newer = encode(promise("d", soon(1))).replace(b'"type"', b'"version":"2.0","type"')
    async with told(tmp_path, "up", "--brokers", kafka.bootstrap, "--prefix", prefix) as up:
        await up.until(UP)
        assert up.lines[0] == f"broker  the one at {kafka.bootstrap}"
        async with LedgerWriter(kafka.bootstrap, EVENTS.name(prefix)) as writer:
            await writer.append(b"n", newer, (), partition=partition_of(b"n", PARTITIONS))
        assert await up.end() == ExitCode.PROJECTION
    said = "\n".join(up.lines)
    assert ("ended with exit code 71" in said, "upgrade me" in said) == (True, True), said
    assert said.endswith("The runbook says what each exit code means.")


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
async def test_it_can_be_stopped_while_kafka_is_fetched_from_where_nothing_comes(
    by: signal.Signals, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mirror:
        mirror.settimeout(0)
        url = f"http://127.0.0.1:{mirror.getsockname()[1]}"
        async with told(tmp_path, "up", settings={"maven_repository": url, "cache_directory": f"{tmp_path}/c"}) as up:
            asked, _ = await asyncio.wait_for(asyncio.get_running_loop().sock_accept(mirror), PATIENCE_S)
            with asked:
                up.process.send_signal(by)
                async with asyncio.timeout(15):  # the requests themselves give up after 20 s
                    assert await up.end() == 0
    assert up.lines == ["broker  stopped"]


async def test_it_can_be_stopped_while_kafka_starts(tmp_path: Path) -> None:
    broker = EmbeddedBroker(Settings(state_directory=tmp_path).broker_directory)

    async def spawned() -> bool:
        return broker.log.exists()

    async with told(tmp_path, "up") as up:
        await until(spawned)
        assert await up.end(signal.SIGTERM) == 0
    assert up.lines[-1] == "broker  stopped"
    assert [line for line in up.lines if line.startswith("parley:")] == []
    with broker:  # nobody holds the folder any more
        pass


async def test_it_can_be_stopped_while_it_looks_for_the_topics(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(0)
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        async with told(tmp_path, "up", "--brokers", address) as up:
            asked, _ = await asyncio.wait_for(asyncio.get_running_loop().sock_accept(silent), PATIENCE_S)
            with asked:
                assert await up.end(signal.SIGTERM) == 0
    assert up.lines == [f"broker  the one at {address}"]
