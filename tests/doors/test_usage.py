"""What a caller got wrong is told as that, with 2; a bug stays the error it is, wherever it is."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from streams.doors.commanding import BAD_INPUT, USAGE, answered, faults
from streams.settings import UsageError
from tests.first_light.running import PATIENCE_S, environment, parley

NO_TEXT = "\udcff"  # how Python has the byte 0xff of a command line


def test_what_a_caller_got_wrong_is_told_without_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, faults():
        raise UsageError("expected one, got none")
    assert (ended.value.exit_code, capsys.readouterr().err) == (USAGE, "parley: expected one, got none\n")


def test_a_bug_is_not_told_as_something_that_a_caller_got_wrong() -> None:
    async def work() -> None:
        raise ValueError("not enough values to unpack")

    with pytest.raises(ValueError, match="not enough values to unpack"):
        answered(work)


@pytest.mark.parametrize("command", ["append -", "dead-letters retry 0:0 --brokers 127.0.0.1:1 --file -"])
def test_standard_input_that_is_closed_is_told(command: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m streams.doors.starting {command} <&-"],
        capture_output=True, env=environment(tmp_path), cwd=tmp_path, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (BAD_INPUT, b"")
    assert b"-: standard input is closed." in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("state", NO_TEXT, "--ledger", "demo"), USAGE, "expected text in UTF-8"),
        (("watch", NO_TEXT), USAGE, "expected text in UTF-8"),
        (("set-aside", "0:0", "--reason", NO_TEXT), USAGE, "expected text in UTF-8"),
        (("dead-letters", "discard", "0:0", "--reason", NO_TEXT), USAGE, "expected text in UTF-8"),
        (("watch", "--since", f"1:{'1' * 5_000}"), USAGE, "expected a cursor"),
        (("watch", "--kind", "rows", "--brokers", "127.0.0.1:1"), USAGE, "expected --kind changes or alerts"),
        (("state", "us-china", "--policy", "2"), USAGE, "expected --policy 1"),
        (("state", "us-china", "--ledger", "demo", "--json", "--table"), USAGE, "expected --json or --table, not both"),
        (("status", "--table", "--json"), USAGE, "expected --json or --table, not both"),
        (("bench", "latency", "--rate", "fast"), USAGE, "expected numbers such as 50,500"),
        (("status", "--brokers", f"{'x' * 64}.example:1"), USAGE, "expected a host's name"),
    ],
)
def test_what_cannot_be_meant_is_told_by_each_command(
    words: tuple[str, ...], code: int, says: str, tmp_path: Path
) -> None:
    done = parley(tmp_path, *words)
    said = " ".join(done.stderr.decode().split())
    assert (done.returncode, done.stdout) == (code, b""), said
    assert says in said
    assert "Traceback" not in said
