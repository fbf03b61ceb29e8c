from typing import Any

import pytest

from streams.bench.faults import BenchFailed
from streams.bench.recovery import COLUMNS, lines
from streams.bench.sampling import reached_at
from streams.bench.summary import nearest_rank
from streams.broker import BrokerAddress
from tests.bench.running import bench
from tests.bench.test_pipeline import sample


@pytest.fixture(scope="module")
def measured(kafka: BrokerAddress) -> dict[str, Any]:
    return bench("recovery", "--events", "1500", "--kills", "2", "--brokers", kafka.bootstrap)


def test_a_killed_worker_and_one_with_an_empty_disk_apply_what_came_after(measured: dict[str, Any]) -> None:
    killed, empty = measured["killed"], measured["empty_disk"]
    assert len(killed["seconds"]) == 2
    assert 0 < killed["p50"] <= killed["p95"] <= killed["max"] == max(killed["seconds"])
    assert empty["seconds"] > 0
    assert empty["folded_per_s"] > 0
    assert empty["of_ceiling"] == pytest.approx(empty["folded_per_s"] / empty["decoded_per_s"], abs=0.001)
    assert empty["of_ceiling"] < 1
    assert measured["workload"]["rows"] > 300
    assert {len(line) for line in lines(measured)} == {len(COLUMNS)}


def test_a_position_is_reached_when_every_partition_has_come_so_far() -> None:
    samples = [sample(0, 1.0, 0, p0=10), sample(0, 2.0, 0, p1=4), sample(0, 3.0, 0, p1=5), sample(0, 4.0, 0, p0=99)]
    assert reached_at(samples, {0: 10, 1: 5}) == 3.0
    with pytest.raises(BenchFailed, match="expected samples up to"):
        reached_at(samples, {0: 100})


def test_nearest_ranks_are_values_that_were_measured() -> None:
    assert nearest_rank([3.0, 1.0, 2.0], 50, 95, 100) == [2.0, 3.0, 3.0]
    with pytest.raises(BenchFailed, match="at least one"):
        nearest_rank([], 50)
