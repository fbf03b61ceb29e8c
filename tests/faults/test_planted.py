"""Nine bugs are planted in a worker: the trial that is there to find each fails on it, and passes on a sound one."""

import pytest

from tests.faults.checkers import Wrong
from tests.faults.kinds import kind_named
from tests.faults.planted import PLANTED
from tests.faults.playing import Stage, played

CAUGHT: dict[str, tuple[str, Wrong]] = {
    "no_fence": ("zombie with a batch in hand", "doubled"),
    "cut_read_before_fencing": ("successor reads the cut early", "doubled"),
    "outputs_outside_the_transaction": ("kill -9 inside an open transaction", "doubled"),
    "rows_outside_the_transaction": ("zombie with a batch in hand", "stale"),
    "torn_transaction_overlooked": ("transaction torn apart", "doubled"),
    "cut_one_too_far": ("kill -9 behind a commit", "lost"),
    "no_hole_guard": ("hole in the ledger", "lost"),
    "deaf_to_strikes": ("clock an hour fast", "invented"),
    "drawn_for_good": ("snapshot drawn ahead", "stale"),
}


def test_every_planted_bug_has_its_trial() -> None:
    assert CAUGHT.keys() == PLANTED.keys()


@pytest.mark.parametrize("bug", CAUGHT)
async def test_a_planted_bug_is_caught(bug: str, stage: Stage) -> None:
    kind, wrong = CAUGHT[bug]
    verdict = await played(kind_named(kind), stage, 2, planted=bug)
    assert verdict.trouble is None, verdict.trouble
    assert verdict.wrong[wrong] > 0, verdict.wrong
    assert verdict.counts


@pytest.mark.parametrize("bug", CAUGHT)
async def test_the_sound_worker_passes_the_trial_of_the_bug(bug: str, stage: Stage) -> None:
    kind, _ = CAUGHT[bug]
    verdict = await played(kind_named(kind), stage, 2)
    assert verdict.good, (verdict.trouble, verdict.findings)
    assert verdict.counts
