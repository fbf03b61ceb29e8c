"""Whoever reads an answer may go away before its end, as `head` does: that is neither a fault nor a difference."""

import asyncio
import subprocess
import sys
from pathlib import Path

from streams.broker import BrokerAddress
from streams.doors.commanding import READER_GONE
from tests.clock.running import soon
from tests.clock.world import promise
from tests.first_light.running import PATIENCE_S, complete, environment, parley, worker, write


def unread(state: Path, *words: str) -> tuple[int, str]:
    """Run a command whose reader is gone when it begins to answer; give its exit code and what it complains of."""
    with subprocess.Popen(
        [sys.executable, "-m", "streams.doors.cli", *words],
        env=environment(state), cwd=state, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, said = process.communicate(timeout=PATIENCE_S)
        return process.returncode, said


async def test_a_reader_who_goes_away_ends_a_command_quietly(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> None:
    to = ("--brokers", kafka.bootstrap, "--prefix", prefix)
    await write(kafka.bootstrap, prefix, [promise("d", soon(60))])
    async with worker(tmp_path, kafka.bootstrap, prefix):
        await complete(kafka.bootstrap, prefix)
    read = await asyncio.to_thread(parley, tmp_path, "watch", "--since", "0", "--no-follow", *to)
    assert (read.returncode, read.stdout != b"") == (0, True)
    ended = [
        await asyncio.to_thread(unread, tmp_path, *words, *to)
        for words in (("export",), ("watch", "--since", "0"), ("tables", "n"), ("tables", "n", "--table"))
    ]
    assert ended == [(READER_GONE, "")] * 4
