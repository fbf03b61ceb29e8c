"""When the state of a partition is saved: seldom while work waits, soon when none does."""

from pathlib import Path

import pytest

from streams.engine.config import Keeping
from streams.engine.held import Held
from streams.engine.moves import Origin
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
