from typing import Any

import pytest
from typer.testing import CliRunner

from streams.bench.latency import COLUMNS, Percentiles, lines
from streams.broker import BrokerAddress
from streams.doors.cli import app
from tests.bench.running import bench


@pytest.fixture(scope="module")
def measured(kafka: BrokerAddress) -> dict[str, Any]:
    return bench("latency", "--rate", "20,100", "--seconds", "3", "--history", "1000", "--brokers", kafka.bootstrap)


def test_every_event_is_appended_and_most_of_them_bring_a_change_to_the_subscriber(measured: dict[str, Any]) -> None:
    assert [(one["rate"], one["events"]) for one in measured["rates"]] == [(20.0, 60), (100.0, 300)]
    for one in measured["rates"]:
        assert one["events"] / 2 < one["with_changes"] <= one["events"]


def test_percentiles_rise_and_the_way_from_due_is_no_shorter(measured: dict[str, Any]) -> None:
    for one in measured["rates"]:
        for name in ("acknowledged_to_change_ms", "due_to_change_ms", "due_to_acknowledged_ms"):
            ordered = [one[name][share] for share in ("p50", "p90", "p99", "max")]
            assert ordered == sorted(ordered)
            assert ordered[-1] > 0
        assert one["due_to_change_ms"]["p50"] >= one["acknowledged_to_change_ms"]["p50"]
    assert [line[0] for line in lines(measured)] == ["20 events/s", "100 events/s"]
    assert {len(line) for line in lines(measured)} == {len(COLUMNS)}


def test_percentiles_are_by_the_nearest_rank() -> None:
    assert Percentiles.of(number / 1000 for number in range(1, 101)) == Percentiles(50, 90, 99, 100)
    assert Percentiles.of([0.004]) == Percentiles(4, 4, 4, 4)
    assert Percentiles.of([0.003, 0.001, 0.002]) == Percentiles(2, 3, 3, 3)


@pytest.mark.parametrize("rates", ["fast", "0", "-1", "50,", "1e9", "nan"])
def test_a_rate_that_is_none_is_refused_in_words(rates: str) -> None:
    done = CliRunner().invoke(app, ["bench", "latency", "--rate", rates])
    assert done.exit_code == 2
    assert f"--rate {rates}: expected" in done.output
