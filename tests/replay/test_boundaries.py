"""Each rate on all goods changes at its second: neither the one before nor the one after is told wrong."""

from datetime import timedelta

import pytest

from ledger.answer import Asked, state
from schemas.positions import Recorded
from schemas.times import parse_instant
from tests.replay.asking import NEGOTIATION

METRICS = (
    "us_on_cn.additional_since_2025.collected",
    "us_on_cn.additional_since_2025.lawful",
    "cn_on_us.additional_since_2025.collected",
)
SECOND = timedelta(seconds=1)
KNOWN_LATER = parse_instant("2026-11-01T00:00:00+00:00")
# collected and lawful US rates and the Chinese rate, in the last second before and from the instant on
CHANGES = [
    ("2025-02-04T00:01:00-05:00", ("0", "0", "0"), ("10", "10", "0")),
    ("2025-03-04T00:01:00-05:00", ("10", "10", "0"), ("20", "20", "0")),
    ("2025-04-05T00:01:00-04:00", ("20", "20", "0"), ("30", "30", "0")),
    ("2025-04-09T00:01:00-04:00", ("30", "30", "0"), ("104", "104", "0")),
    ("2025-04-10T00:01:00-04:00", ("104", "104", "0"), ("145", "145", "84")),
    ("2025-04-12T00:00:00+08:00", ("145", "145", "84"), ("145", "145", "125")),
    ("2025-05-14T00:01:00-04:00", ("145", "145", "125"), ("30", "30", "10")),
    ("2025-08-12T00:01:00-04:00", ("30", "30", "10"), ("30", "30", "10")),
    ("2025-11-10T00:01:00-05:00", ("30", "30", "10"), ("20", "20", "10")),
    ("2026-02-20T00:00:00-05:00", ("20", "20", "10"), ("20", "0", "10")),
    ("2026-02-24T00:00:00-05:00", ("20", "0", "10"), ("0", "0", "10")),
    ("2026-02-24T00:01:00-05:00", ("0", "0", "10"), ("10", "10", "10")),
    ("2026-07-24T00:01:00-04:00", ("10", "10", "10"), ("12.5", "12.5", "10")),
]


@pytest.mark.parametrize(("at", "before", "after"), CHANGES, ids=[at for at, _, _ in CHANGES])
def test_a_rate_changes_at_its_second(
    shipped: list[Recorded], at: str, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    instant = parse_instant(at)
    told = []
    for asked_at in (instant - SECOND, instant):
        metrics = state(NEGOTIATION, shipped, Asked(asked_at, KNOWN_LATER))["metrics"]
        assert isinstance(metrics, dict)
        told.append(tuple(metrics[name]["value"] for name in METRICS))
    assert told == [before, after]
