"""A worker with a core to itself: all of a process is confined, also what it begins later."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.cores import Cores, confine, set_apart

_THREADS = """
import os, threading
go, done = threading.Event(), threading.Event()
def later():
    go.wait()
    threading.Thread(target=lambda: (print(sorted(os.sched_getaffinity(0)), flush=True), done.set())).start()
threading.Thread(target=later).start()
print("up", flush=True)
input()
go.set()
done.wait()
"""


def test_the_last_core_is_set_apart() -> None:
    cores = sorted(os.sched_getaffinity(0))
    expected = Cores(frozenset(cores[-1:]), frozenset(cores[:-1])) if len(cores) > 1 else None
    assert set_apart() == expected


def test_nothing_is_set_apart_of_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    assert set_apart() is None


def test_all_threads_of_a_process_are_confined_and_those_that_they_begin() -> None:
    core = max(os.sched_getaffinity(0))
    with subprocess.Popen(
        [sys.executable, "-c", _THREADS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        confine(process.pid, {core})
        threads = [one.name for one in Path(f"/proc/{process.pid}/task").iterdir()]
        assert len(threads) == 2
        assert {frozenset(os.sched_getaffinity(int(one))) for one in threads} == {frozenset({core})}
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == f"[{core}]\n"


def test_a_process_that_is_gone_is_nothing_to_confine() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    confine(process.pid, {0})
