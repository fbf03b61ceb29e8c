"""When the state of a partition is saved: seldom while work waits, soon when none does."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from streams.engine import ExitCode, held
from streams.engine.config import Keeping
from streams.engine.held import Held, Turns
from streams.engine.moves import Origin
from streams.engine.snapshots import DamagedSnapshotError, Store
from tests.engine.on_disk import NOTHING, saved_up_to
from tests.engine.tally import Tally

if TYPE_CHECKING:
    from streams.engine.faults import Fault


async def opened(keeping: Keeping, turns: Turns | None = None) -> Held[Tally]:
    one = Held(keeping, Tally, turns)
    await one.open()
    one.begin(Origin("ledger", "id", 0, "1"))
    return one


def counted(one: Held[Tally]) -> None:
    """Give a state something to save."""
    one.state.sums[b"key"] = 1, 1
    one.state.touched.add(b"key")


@pytest.fixture
def long_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "_RESTS", 1e9)
    monkeypatch.setattr(held, "_RESTS_MAX_S", 3_600.0)


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


@pytest.mark.parametrize(("worked", "state", "drawn"), [(7.9, "live", 0), (8.1, "live", 1), (8.1, "behind", 0)])
async def test_what_is_soon_to_be_saved_is_drawn_ahead_where_records_are_folded_as_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worked: float, state: str, drawn: int
) -> None:
    steps = list[None]()

    def draw(_: Tally) -> Iterator[None]:
        while True:  # more than there is time for
            steps.append(None)
            yield

    monkeypatch.setattr(Tally, "draw", draw)
    keeping = Keeping(tmp_path / "0.snapshot", work=10.0, within=3_600.0)
    one = await opened(keeping)
    one.worked(worked)
    one.save_if_due(5, live=state == "live")
    await one.close()
    assert bool(steps) == bool(drawn)
    assert saved_up_to(keeping.path) == NOTHING


@pytest.mark.usefixtures("long_rests")
@pytest.mark.parametrize("what", ["nothing to do", "a backlog", "the cut is reached", "a shutdown"])
async def test_a_save_rests_beside_records_that_are_folded_as_they_come_and_no_longer(
    tmp_path: Path, what: str
) -> None:
    keeping = Keeping(tmp_path / "0.snapshot", work=1.0)
    one = await opened(keeping)
    counted(one)
    one.worked(1.1)
    one.save_if_due(5, live=True)
    assert one.lags(6)
    one.save_if_due(6, live=True)
    assert one.lags(6)
    match what:
        case "nothing to do":
            one.save_if_due(6, idle=True)
        case "a backlog":
            one.save_if_due(6)
        case "the cut is reached":
            one.recovered()
        case _:
            await one.save(6)
    async with asyncio.timeout(10.0):
        while saved_up_to(keeping.path) == NOTHING:  # noqa: ASYNC110  a thread writes it
            await asyncio.sleep(0.01)
    await one.close()


@pytest.mark.usefixtures("long_rests")
@pytest.mark.parametrize(("worked", "state", "saved"), [(1.4, "live", NOTHING), (1.6, "live", 7), (1.4, "idle", 7)])
async def test_partitions_save_one_after_the_other_beside_records_that_are_folded_as_they_come(
    tmp_path: Path, worked: float, state: str, saved: int
) -> None:
    turns = Turns()
    first = await opened(Keeping(tmp_path / "0.snapshot", work=1.0, within=3_600.0), turns)
    counted(first)
    first.worked(1.1)
    first.save_if_due(5, live=True)
    second = await opened(Keeping(tmp_path / "1.snapshot", work=1.0, within=3_600.0), turns)
    second.worked(worked)
    second.save_if_due(7, idle=state == "idle", live=state == "live")
    await second.close()
    assert saved_up_to(tmp_path / "1.snapshot") == saved
    assert first.lags(6)
    await first.save(5)
    await first.close()


@pytest.mark.usefixtures("long_rests")
async def test_what_a_start_had_to_fold_is_saved_without_rests(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path / "0.snapshot")
    one = await opened(keeping)
    counted(one)
    one.recovered()
    one.save_if_due(5, live=True)
    await one.close()
    assert saved_up_to(keeping.path) == 5


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

    def damaged(_: Store, __: object) -> NoReturn:
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
