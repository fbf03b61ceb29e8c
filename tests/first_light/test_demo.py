"""The demonstration as a process: what it starts ends with it."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from tests.clock.running import until
from tests.first_light.running import service

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


async def test_a_demonstration_that_is_killed_leaves_neither_worker_nor_kafka_behind(tmp_path: Path) -> None:
    async with service(tmp_path, "demo", "--speed", "1") as demo:

        async def shows() -> bool:
            return b"\n" in (tmp_path / "demo.log").read_bytes()

        await until(shows)
        started = await asyncio.to_thread(descendants, demo.pid)
        assert any(" worker --brokers " in command for command in started.values())
        assert any(" kafka.Kafka " in command for command in started.values())
        os.kill(demo.pid, signal.SIGKILL)

        async def gone() -> bool:
            return not any(os.path.exists(f"/proc/{pid}") for pid in started)  # noqa: ASYNC240, PTH110 -- in memory

        await until(gone)
