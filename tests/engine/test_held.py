"""When the state of a partition is saved: seldom while work waits, soon when none does."""

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from streams.engine import ExitCode, held
from streams.engine.config import Keeping
from streams.engine.held import Held
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

    def slow(store: Store) -> None:
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

    def damaged(_: Store) -> NoReturn:
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
