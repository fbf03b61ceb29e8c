"""What `up` and `broker` tell a program that starts them: a line of JSON for each part, with its address."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from streams.broker_ports import HOST
from streams.doors.readiness import asked
from streams.topics_on_kafka import topics_found
from tests.first_light.running import PATIENCE_S, environment

pytestmark = pytest.mark.kafka


@asynccontextmanager
async def running(state: Path, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command whose standard output is a pipe; it is gone afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streams.doors.starting", *words, env=environment(state), cwd=state,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.communicate(), PATIENCE_S)


async def told(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """Return the next line that it tells."""
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
    found: dict[str, Any] = json.loads(line)
    return found


async def test_up_tells_a_program_each_part_and_when_everything_is_ready(tmp_path: Path) -> None:
    async with running(tmp_path, "up", "--json") as process:
        broker, topics, worker, clock, ready = [await told(process) for _ in range(5)]
        assert topics == {"part": "topics", "state": "there", "prefix": "parley", "count": 10, "created": 10}
        assert ready == {"part": "all", "state": "ready"}
        assert [one.pop("log") for one in (broker, worker, clock) if one.pop("process")] == [
            str(tmp_path / "broker" / "broker.log"),
            *(str(tmp_path / "up" / "parley" / f"{name}.log") for name in ("worker", "clock")),
        ]
        assert {name for one in (broker, worker, clock) for name in one} == {"part", "state", "bootstrap", "readyz"}
        assert len(await topics_found(broker["bootstrap"], "parley")) == 10
        for one in (worker, clock):
            address, _, path = one["readyz"].removeprefix("http://").partition("/")
            host, _, port = address.partition(":")
            assert (host, path) == (HOST, "readyz")
            assert (await asked(int(port), "/readyz"))[0]
        process.terminate()
        rest, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    stopped = [json.loads(line) for line in rest.splitlines()]
    assert stopped == [{"part": name, "state": "stopped"} for name in ("clock", "worker", "broker")]
    assert process.returncode == 0


async def test_a_broker_tells_a_program_where_it_is(tmp_path: Path) -> None:
    async with running(tmp_path, "broker", "--json") as process:
        broker = await told(process)
        assert (broker["part"], broker["state"]) == ("broker", "started")
        assert set(broker) == {"part", "state", "process", "bootstrap", "log"}
        assert await topics_found(broker["bootstrap"], "parley") == ()
        process.terminate()
        rest, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert rest == b""
    assert process.returncode == 0
