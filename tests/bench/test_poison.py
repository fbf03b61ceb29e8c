import pytest

from streams.bench.poison import ALONE, COLUMNS, KINDS, lines
from streams.broker import BrokerAddress
from tests.bench.running import bench


def test_an_event_behind_each_kind_of_poison_is_timed_beside_one_that_stands_alone(kafka: BrokerAddress) -> None:
    measured = bench("poison", "--rounds", "2", "--brokers", kafka.bootstrap)
    behind = {one["before"]: one for one in measured["behind"]}
    assert list(behind) == [ALONE, *KINDS, "compressed batch"]
    assert all(0 < one["p50_ms"] <= one["max_ms"] for one in behind.values())
    alone = behind[ALONE]["p50_ms"]
    for one in behind.values():
        assert one["longer_ms"] == pytest.approx(one["p50_ms"] - alone, abs=0.02)
    assert [name for name, one in behind.items() if not one["bytes"]] == [ALONE, "no bytes"]
    assert {len(line) for line in lines(measured)} == {len(COLUMNS)}
