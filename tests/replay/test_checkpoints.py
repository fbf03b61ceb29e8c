"""Twelve moments of the conflict: every rate, every counter, every deadline ahead."""

import copy

import pytest

from schemas.positions import Recorded
from tests.replay.asking import Checkpoint, answer, checkpoints, differences

CHECKPOINTS = checkpoints()


@pytest.mark.parametrize("checkpoint", CHECKPOINTS, ids=lambda one: one.id)
def test_a_checkpoint_comes_out(shipped: list[Recorded], checkpoint: Checkpoint) -> None:
    assert list(differences(answer(shipped, checkpoint), checkpoint)) == []


def test_there_are_twelve_checkpoints_with_metrics_counters_and_deadlines() -> None:
    assert [one.id for one in CHECKPOINTS] == [
        "CP01", "CP06", "CP09", "CP14", "CP17", "CP19", "CP22", "CP24", "CP26", "CP29", "CP33", "CP36",
    ]  # fmt: skip
    assert {len(one.metrics) for one in CHECKPOINTS} == {3}
    assert {len(counters) for one in CHECKPOINTS for counters in one.meetings.values()} == {3}
    assert sum(len(one.due_on) for one in CHECKPOINTS) == 74


def test_a_wrong_rate_a_wrong_count_a_lost_deadline_and_one_passed_are_each_seen(shipped: list[Recorded]) -> None:
    checkpoint = next(one for one in CHECKPOINTS if one.id == "CP29")
    planted = copy.deepcopy(answer(shipped, checkpoint))
    planted["metrics"]["us_on_cn.additional_since_2025.lawful"]["value"] = "20"
    planted["meetings"]["he-lifeng+bessent"]["numbered_rounds"] = 6
    planted["deadlines"] = [one for one in planted["deadlines"] if one["deadline"] != "s301_semi_2025.rise"]
    passed = next(one for one in planted["deadlines"] if one["deadline"] == "soybeans_12mt.due")
    passed["state"] = "pending"
    assert list(differences(planted, checkpoint)) == [
        "us_on_cn.additional_since_2025.lawful: expected 0, got 20",
        "he-lifeng+bessent numbered_rounds: expected 5, got 6",
        "expected a pending deadline on 2027-06-23, got none",
        "soybeans_12mt.due is pending, though it passed on 2025-12-31",
    ]
