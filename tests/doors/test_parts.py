"""The parts that `parley up` keeps, each a process of its own."""

import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import typer

from streams.broker_ports import HOST
from streams.doors.commanding import UNREACHABLE, faults
from streams.doors.supervising import CommandPart


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
            assert f"http://{HOST}:{part.port}/readyz" in told
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
    assert capsys.readouterr().err == f"parley: The clock did not start. Its log: {log}\n"
