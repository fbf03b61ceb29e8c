"""The demonstration as a process: what it starts ends with it."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from tests.clock.running import until
from tests.first_light.running import PATIENCE_S, service

pytestmark = pytest.mark.kafka


def descendants(pid: int) -> dict[int, str]:
    """Return the processes that a process has started, and those that these started, with their command lines."""
    parents: dict[int, int] = {}
    commands: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            parents[int(folder.name)] = int((folder / "stat").read_text("utf-8").rpartition(")")[2].split()[1])
            commands[int(folder.name)] = (folder / "cmdline").read_text("utf-8").replace("\0", " ")
    found = {child for child, parent in parents.items() if parent == pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return {child: commands[child] for child in found}


def started(pid: int, words: str) -> int:
    """Return which of these processes has such words on its command line; the guard before it has them too."""
    return next(
        one for one, command in descendants(pid).items() if f" {words} " in command and "guard.py" not in command
    )


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the demonstration a folder for what is temporary that nothing else uses."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def said(state: Path) -> str:
    return (state / "demo.log").read_text("utf-8")


def held(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def until_said(state: Path, words: str) -> None:
    async def come() -> bool:
        return words in said(state)

    await until(come)


@pytest.mark.usefixtures("temporary")
async def test_a_demonstration_that_is_killed_leaves_neither_worker_nor_kafka_behind(tmp_path: Path) -> None:
    async with service(tmp_path, "demo", "--speed", "1") as demo:
        await until_said(tmp_path, "\n")
        processes = await asyncio.to_thread(descendants, demo.pid)
        assert any(" worker --brokers " in command for command in processes.values())
        assert any(" kafka.Kafka " in command for command in processes.values())
        os.kill(demo.pid, signal.SIGKILL)

        async def gone() -> bool:
            return not any(os.path.exists(f"/proc/{pid}") for pid in processes)  # noqa: ASYNC240, PTH110 -- in memory

        await until(gone)


async def test_a_worker_that_dies_during_the_replay_is_told_of_at_once(tmp_path: Path, temporary: Path) -> None:
    async with service(tmp_path, "demo", "--speed", "1") as demo:  # a replay of many minutes
        await until_said(tmp_path, "\n")
        os.kill(await asyncio.to_thread(started, demo.pid, "worker --brokers"), signal.SIGKILL)
        assert await asyncio.wait_for(demo.wait(), PATIENCE_S) == 4
    _, failed, told = said(tmp_path).partition("parley: The worker has ended by itself, with exit code 137.\n")
    assert failed
    heading, first, *_ = told.splitlines()
    assert heading == "The last lines of the worker's log:"
    assert first
    assert "Traceback" not in said(tmp_path)
    assert not held(temporary)


async def test_a_worker_that_dies_while_the_tables_are_asked_is_told_of(tmp_path: Path, temporary: Path) -> None:
    async with service(tmp_path, "demo") as demo:
        await until_said(tmp_path, "Still up.")
        os.kill(await asyncio.to_thread(started, demo.pid, "worker --brokers"), signal.SIGTERM)
        assert await asyncio.wait_for(demo.wait(), PATIENCE_S) == 4
    assert "parley: The worker has ended by itself, with exit code 0.\nThe last lines of" in said(tmp_path)
    assert not held(temporary)


async def test_a_kafka_that_dies_during_the_replay_is_told_of_in_words(tmp_path: Path, temporary: Path) -> None:
    async with service(tmp_path, "demo", "--speed", "1") as demo:
        await until_said(tmp_path, "\n")
        os.kill(await asyncio.to_thread(started, demo.pid, "kafka.Kafka"), signal.SIGKILL)
        assert await asyncio.wait_for(demo.wait(), PATIENCE_S) == 4
    assert "\nparley: Kafka has ended by itself, with exit code 137.\n" in said(tmp_path)
    assert "Traceback" not in said(tmp_path)
    assert "never retrieved" not in said(tmp_path)
    assert not held(temporary)


async def test_a_demonstration_keeps_nothing_however_it_is_ended(tmp_path: Path, temporary: Path) -> None:
    async with service(tmp_path, "demo") as demo:
        await until_said(tmp_path, "Still up.")
        (folder,) = held(temporary)
        assert (folder / "state" / "worker").is_dir()
        demo.terminate()
        assert await asyncio.wait_for(demo.wait(), PATIENCE_S) == 0
    assert not held(temporary)
    assert not (tmp_path / "worker").exists()
