"""When the state of a partition is saved: seldom while work waits, soon when none does."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from streams.engine import ExitCode, held
from streams.engine.config import Keeping
from streams.engine.held import Held, Rests
from streams.engine.moves import Origin
from streams.engine.snapshots import DamagedSnapshotError, Store
from tests.engine.on_disk import NOTHING, saved_up_to
from tests.engine.tally import Tally

if TYPE_CHECKING:
    from streams.engine.faults import Fault


async def opened(keeping: Keeping) -> Held[Tally]:
    one = Held(keeping, Tally)
    await one.open()
    one.begin(Origin("ledger", "id", 0, "1"))
    return one


@pytest.mark.parametrize(
    ("state", "worked", "saved"), [("busy", 9.0, NOTHING), ("busy", 11.0, 5), ("idle", 0.9, NOTHING), ("idle", 1.1, 5)]
)
async def test_an_idle_partition_saves_a_tenth_of_the_work(
    tmp_path: Path, state: str, worked: float, saved: int
) -> None:
    keeping = Keeping(tmp_path / "0.snapshot", work=10.0, within=3_600.0)
    one = await opened(keeping)
    one.worked(worked)
    one.save_if_due(5, idle=state == "idle")
    await one.close()
    assert saved_up_to(keeping.path) == saved


async def test_a_disk_that_stands_still_is_not_waited_for_at_a_shutdown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    moves_on, write = threading.Event(), Store.write

    def slow(store: Store, _: object) -> None:
        moves_on.wait()
        write(store)

    monkeypatch.setattr(Store, "write", slow)
    keeping = Keeping(tmp_path / "0.snapshot", patience=0.1)
    one = await opened(keeping)
    await one.save(5)
    await one.save(6)
    await one.close()
    assert "still being written after 0.1 s" in caplog.text
    moves_on.set()
    async with asyncio.timeout(10.0):
        while saved_up_to(keeping.path) != 5:  # noqa: ASYNC110  a thread writes it
            await asyncio.sleep(0.01)


async def test_damage_on_a_disk_that_lets_go_of_nothing_ends_the_process_and_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    halted: asyncio.Future[Fault] = asyncio.get_running_loop().create_future()

    def damaged(*_: object) -> NoReturn:
        raise DamagedSnapshotError("a table cannot be written to")

    def read_only(_: Store) -> NoReturn:
        raise OSError("Read-only file system")

    monkeypatch.setattr(Store, "write", damaged)
    monkeypatch.setattr(Store, "discard", read_only)
    monkeypatch.setattr(held, "halt", halted.set_result)
    keeping = Keeping(tmp_path / "0.snapshot")
    one = await opened(keeping)
    await one.save(5)
    fault = await asyncio.wait_for(halted, 10.0)
    assert fault.code == ExitCode.SNAPSHOT
    assert f"cannot be thrown away (Read-only file system): delete {keeping.path}" in fault.message


class Long(Tally):
    """A tally with much to save: a hundred values, of which each takes a millisecond."""

    __slots__ = ("taken",)

    def changed(self) -> Iterator[tuple[bytes, bytes | None]]:
        for number in range(100):
            done = time.monotonic() + 0.001
            while time.monotonic() < done:
                pass
            yield b"%d" % number, b"0 0"
        self.taken = True


async def test_others_get_a_turn_while_a_state_is_taken(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path / "0.snapshot", work=0.0, within=0.0)
    one = Held(keeping, Long)
    await one.open()
    one.begin(Origin("ledger", "id", 0, "1"))
    one.save_if_due(5)
    turns = 0
    async with asyncio.timeout(10.0):
        while not hasattr(one.state, "taken"):
            turns += 1
            await asyncio.sleep(0)
    await one.close()
    assert saved_up_to(keeping.path) == 5
    assert turns > 30  # a slice is of 2 ms


def test_a_save_rests_three_times_as_long_as_it_worked_and_a_second_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("streams.engine.held.time.monotonic", lambda: now)
    rests = Rests(threading.Event())
    found = []
    for worked in (0.01, 0.1, *(0.015,) * 25):
        rests.over()
        now += worked
        found.append(rests.due())
        now += found[-1]
    assert found[:3] == [pytest.approx(one) for one in (0.03, 0.05, 0.045)]
    assert sum(found) == pytest.approx(1.0)
    assert found[-1] == 0


def test_a_save_that_somebody_waits_for_does_not_rest() -> None:
    hurry = threading.Event()
    hurry.set()
    rests = Rests(hurry, since=time.monotonic() - 1)
    assert rests.due() == 0
