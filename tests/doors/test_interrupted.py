"""Ctrl-C in the middle of an answer: half an answer must not pass for a whole one."""

import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from streams.doors.commanding import BAD_INPUT, INTERRUPTED, UNREACHABLE
from tests.first_light.running import PATIENCE_S, ROOT, environment, parley

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

LOADS = """
import signal
import sys
import time

signal.signal(signal.SIGINT, signal.default_int_handler)  # as above

class Slow:
    def find_spec(self, name, *_):
        if name == "streams.doors.commanding":
            print("loading", flush=True)
            time.sleep(600)

sys.meta_path.insert(0, Slow())
from {module} import {function}
{function}()
"""


def interrupted(code: str, begun: str, folder: Path) -> tuple[int, str]:
    """Run Python, press Ctrl-C when it has said that it has begun; give its exit code and what it complains of."""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment(folder), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == f"{begun}\n"
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
    return process.returncode, said


def test_ctrl_c_while_the_command_line_is_loaded_ends_it_without_a_word(tmp_path: Path) -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    module, _, function = scripts["parley"].partition(":")
    assert interrupted(LOADS.format(module=module, function=function), "loading", tmp_path) == (INTERRUPTED, "")


@pytest.mark.parametrize(("until_told", "code"), [(False, INTERRUPTED), (True, 0)])
def test_only_what_runs_until_it_is_told_ends_well_by_ctrl_c(until_told: bool, code: int, tmp_path: Path) -> None:  # noqa: FBT001
    ended, said = interrupted(WAITS.format(until_told=until_told), "begun", tmp_path)
    assert ended == code, said
    assert ("interrupted: the answer is not whole" in said) == (code != 0)


def test_an_answer_that_the_disk_does_not_take_is_told(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "streams.doors.starting", "state", "us-china", "--ledger", "demo"],
            stdout=full, stderr=subprocess.PIPE, env=environment(tmp_path), cwd=tmp_path, timeout=PATIENCE_S,
            check=False,
        )  # fmt: skip
    assert done.returncode == UNREACHABLE
    assert "could not be written whole: No space left on device" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


@pytest.mark.parametrize(
    "command",
    [
        "state us-china --ledger demo",
        "status",
        "watch",
        "export",
        "append -",
        "dead-letters show 0:0 --raw",
        "worker --brokers 127.0.0.1:1",
        "--version",
    ],
)
def test_standard_output_that_is_closed_is_told(command: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m streams.doors.starting {command} >&-"],
        stdin=subprocess.DEVNULL, capture_output=True, env=environment(tmp_path), cwd=tmp_path, timeout=PATIENCE_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == UNREACHABLE
    assert (
        done.stderr.decode() == "parley: standard output is closed: there is nowhere to answer. Name a file: > FILE\n"
    )


def test_complaints_that_nobody_hears_do_not_stop_an_answer(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m streams.doors.starting append missing.jsonl 2>&-"],
        stdin=subprocess.DEVNULL, capture_output=True, env=environment(tmp_path), cwd=tmp_path, timeout=PATIENCE_S,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (BAD_INPUT, b"")


@pytest.mark.parametrize("command", [("worker", "--brokers", "127.0.0.1:1"), ("up",)])
def test_a_folder_that_cannot_be_used_is_told(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = parley(tmp_path, *command, settings={"state_directory": str(tmp_path / "file")})
    if command[0] == "up":
        assert done.returncode == 2
        assert "Choose another one: PARLEY_STATE_DIRECTORY=FOLDER" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
