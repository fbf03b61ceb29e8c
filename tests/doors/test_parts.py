"""The parts that `parley up` keeps, each a process of its own."""

import asyncio
import errno
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer

from streams.broker import BrokerError
from streams.broker_ports import HOST
from streams.doors import supervising
from streams.doors.commanding import UNREACHABLE, faults
from streams.doors.supervising import CommandPart, News, keep
from streams.engine import ExitCode
from streams.processes import NotStarted, open_log, spawn


def test_a_part_whose_port_was_taken_meanwhile_starts_on_another_one(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    part = CommandPart("worker", (sys.executable, "-c", "import sys; print(*sys.argv[1:])"), log)
    ports: list[int] = []
    with ExitStack() as others:
        for _ in range(3):
            told = part.start()
            assert part.process is not None
            part.process.waited.wait(60)
            part.stop()
            assert told.document["readyz"] == f"http://{HOST}:{part.port}/readyz"
            ports.append(part.port)
            others.enter_context(socket.create_server((HOST, part.port)))
    assert log.read_text("utf-8").splitlines() == [f"--status-port {port}" for port in ports]
    assert len(set(ports)) == 3
    assert {port for port in ports if not 20_000 <= port < 32_000} == set()  # none that an outgoing connection gets


def test_a_part_that_does_not_start_is_told_with_its_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    log = tmp_path / "clock.log"
    with pytest.raises(typer.Exit) as ended, faults():
        CommandPart("clock", (str(tmp_path / "no-such-program"),), log).start()
    assert ended.value.exit_code == UNREACHABLE
    assert capsys.readouterr().err == f"parley: The clock did not start; its log says why. Its log: {log}\n"


@pytest.mark.parametrize("guarded", [True, False])
def test_a_process_that_the_system_refuses_is_told_with_the_reason(
    guarded: bool,  # noqa: FBT001 -- a parameter of the test
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subprocess, "Popen", refused)
    log = open_log(tmp_path / "log")
    with pytest.raises(NotStarted, match=r"^The process did not start: Resource temporarily unavailable\.$"):
        spawn([sys.executable], log=log, guarded=guarded)
    os.close(log)


def refused(*_: object, **__: object) -> None:
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


@dataclass(slots=True)
class Stubborn:
    """A part that has ended with 74, and does not start anew before so many attempts."""

    failures: list[Exception]
    log: Path
    name: str = "worker"
    exit_code: int | None = ExitCode.STALLED

    def start(self) -> News:
        if self.failures:
            raise self.failures.pop(0)
        self.exit_code = None
        return News.of(self.name, "started", "is back")

    def stop(self) -> None:
        """Nothing is left to stop."""


async def test_a_part_that_does_not_start_anew_is_tried_again_after_a_longer_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "PAUSE_S_FIRST", 0.001)
    part = Stubborn([NotStarted(": no memory."), BrokerError("No free port.")], tmp_path / "log")
    over, told, documents = asyncio.Event(), list[str](), list[dict[str, object]]()

    def tell(news: News) -> None:
        told.append(news.line)
        documents.append(dict(news.document))
        if news.line.endswith("is back"):
            over.set()

    await asyncio.wait_for(keep(part, tell, over), 60)
    assert told == [
        f"worker  ended with exit code 74, is started anew in 0.001 s; log {part.log}",
        "worker  could not be started, which is tried again in 0.002 s: The process did not start: no memory.",
        "worker  could not be started, which is tried again in 0.004 s: No free port.",
        "worker  is back",
    ]
    assert documents == [
        {"part": "worker", "state": "ended", "exit_code": 74, "again_in_s": 0.001, "log": str(part.log)},
        {
            "part": "worker",
            "state": "not_started",
            "reason": "The process did not start: no memory.",
            "again_in_s": 0.002,
        },
        {"part": "worker", "state": "not_started", "reason": "No free port.", "again_in_s": 0.004},
        {"part": "worker", "state": "started"},
    ]
