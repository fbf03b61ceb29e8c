"""A slice of records takes no longer than the other partitions and the network can wait, whatever a record costs."""

import pytest

from streams.engine.waiting import Pace


@pytest.mark.parametrize(
    ("seconds_per_record", "size"),
    [(0.000_002, 2_000), (0.000_25, 80), (0.004, 5), (0.1, 1), (0.0, 2_000)],
)
def test_slices_come_to_take_as_long_as_they_may(seconds_per_record: float, size: int) -> None:
    pace = Pace(most=2_000, within=0.02)
    for _ in range(10):
        pace.took(pace.size, pace.size * seconds_per_record)
    assert pace.size == size


def test_a_slice_is_at_most_twice_as_large_as_the_last_one_and_shrinks_at_once() -> None:
    pace = Pace(most=2_000, within=0.02)
    first = pace.size
    pace.took(first, 0.000_001)
    assert pace.size == 2 * first
    pace.took(pace.size, 2.0)
    assert pace.size == 1
