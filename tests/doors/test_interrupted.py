"""Ctrl-C in the middle of an answer: half an answer must not pass for a whole one."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streams.doors.commanding import INTERRUPTED, UNREACHABLE
from tests.first_light.running import PATIENCE_S, environment, parley

WAITS = """
import asyncio
import signal
import typer
from streams.doors.commanding import answered

signal.signal(signal.SIGINT, signal.default_int_handler)  # else deaf where the tests run in the background

async def wait() -> None:
    print("begun", flush=True)
    await asyncio.sleep(600)

typer.run(lambda: answered(wait, until_told={until_told}))
"""


@pytest.mark.parametrize(("until_told", "code"), [(False, INTERRUPTED), (True, 0)])
def test_only_what_runs_until_it_is_told_ends_well_by_ctrl_c(until_told: bool, code: int, tmp_path: Path) -> None:  # noqa: FBT001
    with subprocess.Popen(
        [sys.executable, "-c", WAITS.format(until_told=until_told)],
        env=environment(tmp_path), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
    assert process.returncode == code, said
    assert ("interrupted: the answer is not whole" in said) == (code != 0)


def test_an_answer_that_the_disk_does_not_take_is_told(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "streams.doors.cli", "state", "us-china", "--ledger", "demo"],
            stdout=full, stderr=subprocess.PIPE, env=environment(tmp_path), cwd=tmp_path, timeout=PATIENCE_S,
            check=False,
        )  # fmt: skip
    assert done.returncode == UNREACHABLE
    assert "could not be written whole: No space left on device" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


@pytest.mark.parametrize("command", [("worker", "--brokers", "127.0.0.1:1"), ("up",)])
def test_a_folder_that_cannot_be_used_is_told(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = parley(tmp_path, *command, settings={"state_directory": str(tmp_path / "file")})
    if command[0] == "up":
        assert done.returncode == 2
        assert "Choose another one: PARLEY_STATE_DIRECTORY=FOLDER" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
