"""When the state of a partition is saved: seldom while work waits, soon when none does."""

import asyncio
import threading
from pathlib import Path

import pytest

from streams.engine.config import Keeping
from streams.engine.held import Held
from streams.engine.moves import Origin
from streams.engine.snapshots import Store
from tests.engine.on_disk import NOTHING, saved_up_to
from tests.engine.tally import Tally


@pytest.mark.parametrize(
    ("state", "worked", "saved"), [("busy", 9.0, NOTHING), ("busy", 11.0, 5), ("idle", 0.9, NOTHING), ("idle", 1.1, 5)]
)
async def test_an_idle_partition_saves_a_tenth_of_the_work(
    tmp_path: Path, state: str, worked: float, saved: int
) -> None:
    keeping = Keeping(tmp_path / "0.snapshot", work=10.0, within=3_600.0)
    held = Held(keeping, Tally)
    await held.open()
    held.begin(Origin("ledger", "id", 0, "1"))
    held.worked(worked)
    held.save_if_due(5, idle=state == "idle")
    await held.close()
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
    held = Held(keeping, Tally)
    await held.open()
    held.begin(Origin("ledger", "id", 0, "1"))
    await held.save(5)
    await held.save(6)
    await held.close()
    assert "still being written after 0.1 s" in caplog.text
    moves_on.set()
    async with asyncio.timeout(10.0):
        while saved_up_to(keeping.path) != 5:  # noqa: ASYNC110  a thread writes it
            await asyncio.sleep(0.01)
