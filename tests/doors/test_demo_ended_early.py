"""The demonstration before its replay is whole: what is told while it starts, and how it ends when told to."""

import io
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams.doors import demo
from streams.doors.commanding import INTERRUPTED
from tests.first_light.running import PATIENCE_S, environment

WAITS = """
import asyncio
import signal
from streams.doors import cli, demo

signal.signal(signal.SIGINT, signal.default_int_handler)  # else deaf where the tests run in the background

async def run(*_, **__):
    print("begun", flush=True)
    await asyncio.sleep(600)

demo._run = run
cli.main()
"""


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("serve", "code"), [(False, INTERRUPTED), (True, 0)])
def test_a_replay_that_is_not_whole_does_not_pass_for_one(
    kind: signal.Signals, serve: bool, code: int, tmp_path: Path  # noqa: FBT001
) -> None:  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", WAITS, "demo", *([] if serve else ["--no-serve"])],
        env=environment(tmp_path), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            process.send_signal(kind)
            _, said = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
    assert process.returncode == code, said
    assert said == ("" if serve else "parley: interrupted: the replay is not whole\n")


class Terminal(io.StringIO):
    """Standard error of somebody who is looking."""

    def isatty(self) -> bool:
        """Tell that it is one."""
        return True


def test_what_is_started_is_told_with_the_time_that_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with demo.starting() as tell:
        tell("Starting a worker …")
        time.sleep(1.2)  # it moves by itself
    told = terminal.getvalue()
    assert "Starting a worker …" in told
    assert "0:00:00" in told
    assert "0:00:01" in told


def test_a_pipe_is_told_nothing_while_it_starts(capsys: pytest.CaptureFixture[str]) -> None:
    with demo.starting() as tell:
        tell("Starting a worker …")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("paced", [True, False])
def test_the_lines_of_a_pipe_end_with_what_their_marks_mean(paced: bool, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: FBT001
    lines = demo.Lines(paced=paced)
    lines.take({"sequence": [0, 1, 0], "schema": "parley.change/1"}, "a line ?")
    lines.tell()
    assert capsys.readouterr().out == (
        "a line ?\nnot legal advice   ? unverified   ≠ disputed   ~ lapsed as written, unconfirmed\n"
    )
