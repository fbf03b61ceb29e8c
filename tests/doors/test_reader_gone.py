"""Whoever reads an answer may go away before its end, as `head` does: that is neither a fault nor a difference."""

import asyncio
import io
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from streams.broker import BrokerAddress
from streams.doors import cli
from streams.doors.commanding import READER_GONE
from streams.doors.watching import Notice
from tests.clock.running import soon
from tests.clock.world import promise
from tests.first_light.running import PATIENCE_S, complete, environment, parley, worker, write


def unread(state: Path, *words: str) -> tuple[int, str]:
    """Run a command whose reader is gone when it begins to answer; give its exit code and what it complains of."""
    with subprocess.Popen(
        [sys.executable, "-m", "streams.doors.starting", *words],
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
        for words in (
            ("export",),
            ("watch", "--since", "0"),
            ("watch", "--since", "0", "--no-follow"),
            ("tables", "n"),
            ("tables", "n", "--table"),
        )
    ]
    assert ended == [(READER_GONE, "")] * 5


class Gone(io.BytesIO):
    """An output whose reader has gone away."""

    def __init__(self) -> None:
        super().__init__()
        self.buffer = self

    def flush(self) -> None:
        raise BrokenPipeError


def test_what_a_watcher_reads_is_closed_where_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks: list[asyncio.Task[Any] | None] = []

    async def endless(*_: object, **__: object) -> AsyncGenerator[Notice, None]:
        tasks.append(asyncio.current_task())
        try:
            while True:
                yield Notice(is_alert=False, negotiation="n", sequence=[0, 0, 0], document={}, value=b"{}")
        finally:
            tasks.append(asyncio.current_task())

    monkeypatch.setattr(cli, "watch_notices", endless)
    with monkeypatch.context() as written_to:
        written_to.setattr(sys, "stdout", Gone())
        with pytest.raises(BrokenPipeError):
            cli.watch(brokers="127.0.0.1:1", since="0", no_follow=True, as_json=True)
    assert len(tasks) == 2
    assert tasks[0] is tasks[1]
