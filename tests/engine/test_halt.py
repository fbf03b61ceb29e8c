"""A fault ends the process with its exit code, also where nobody can hear why."""

import os
import subprocess
import sys

import pytest

from streams.engine import ExitCode
from tests.engine.trial import PATIENCE_S, ROOT

HALT = """
import logging, sys
from streams.engine.faults import ExitCode, Fault
from streams.engine.halt import halt
logging.basicConfig(stream=sys.stderr)
if sys.stdout is not None:
    sys.stdout.write("what is buffered")
try:
    halt(Fault(ExitCode.STALLED, "x" * int(sys.argv[1])))
except BaseException:
    raise SystemExit(1)
"""


@pytest.mark.parametrize("redirection", ["", ">&-", "2>&-", ">&- 2>&-", ">/dev/full", "| true; exit ${PIPESTATUS[0]}"])
def test_a_fault_ends_the_process_wherever_its_words_go(redirection: str) -> None:
    words = ["bash", "-c", f'"$0" -c "$1" 1 {redirection}', sys.executable, HALT]
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
    done = subprocess.run(words, cwd=ROOT, env=buffered, capture_output=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == ExitCode.STALLED


def test_a_fault_ends_the_process_when_its_words_are_not_read() -> None:
    words = [sys.executable, "-c", HALT, "1000000"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.wait(PATIENCE_S) == ExitCode.STALLED
