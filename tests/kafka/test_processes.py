"""Processes that Parley starts: what they say stands in their logs, the last word too, and the logs stay short."""

import os
from pathlib import Path
from sys import executable

import pytest

from streams.guard import LOG_BYTES_KEPT, LOG_BYTES_MAX
from streams.processes import NotStarted, open_log, spawn

WRITES_MUCH = """
import sys
for number in range(200_000):
    print(f"{number:099}", file=sys.stderr if number % 2 else sys.stdout, flush=True)
raise SystemExit("the last word")
"""


def run(log: Path, program: str) -> int:
    opened = open_log(log)
    try:
        process = spawn([executable, "-c", program], log=opened)
    finally:
        os.close(opened)
    process.waited.wait(60)
    code = process.exit_code
    process.stop()
    assert code is not None
    return code


def test_a_log_stays_short_while_its_process_runs_on_and_loses_nothing_of_its_end(tmp_path: Path) -> None:
    log = tmp_path / "much.log"
    assert run(log, WRITES_MUCH) == 1
    lines = log.read_text("utf-8").splitlines()
    assert LOG_BYTES_KEPT <= log.stat().st_size <= LOG_BYTES_MAX + (1 << 16)
    assert lines.pop() == "the last word"
    first = int(lines[0])
    assert first > 0
    assert [int(line) for line in lines] == list(range(first, 200_000))


def test_a_log_is_appended_to_and_a_process_that_is_killed_has_said_all(tmp_path: Path) -> None:
    log = tmp_path / "killed.log"
    log.write_text("from the last time\n", "utf-8")
    said = "import os; os.write(1, b'one\\n'); os.write(2, b'two\\n'); os.kill(os.getpid(), 9)"
    assert run(log, said) == 128 + 9
    assert log.read_text("utf-8").splitlines() == ["from the last time", "one", "two"]


def test_a_process_that_does_not_start_says_why_in_its_log_and_leaves_no_open_file(tmp_path: Path) -> None:
    log = tmp_path / "none.log"
    opened = open_log(log)
    before = set(Path("/proc/self/fd").iterdir())
    with pytest.raises(NotStarted) as refusal:
        spawn([str(tmp_path / "no-such-program")], log=opened)
    assert set(Path("/proc/self/fd").iterdir()) == before
    assert str(refusal.value) == "The process did not start; its log says why."
    os.close(opened)
    assert "no-such-program" in log.read_text("utf-8")
