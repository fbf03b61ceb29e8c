import asyncio
import sys
from asyncio.subprocess import PIPE
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streams.bench.latency import COLUMNS, AtRate, Percentiles, _compared, _Subscriber, lines
from streams.broker import BrokerAddress
from streams.cores import set_apart
from streams.doors.cli import app
from tests.bench.running import bench


@pytest.fixture(scope="module")
def measured(kafka: BrokerAddress) -> dict[str, Any]:
    few = ("--rate", "20,100", "--seconds", "2", "--warm", "1", "--history", "1000")
    return bench("latency", *few, "--runs", "2", "--brokers", kafka.bootstrap)


def in_all_runs(measured: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for run in measured["runs"] for one in run]


def test_every_event_is_appended_and_most_of_them_bring_a_change_to_the_subscriber(measured: dict[str, Any]) -> None:
    stages = ("read", "fenced", "tally", "full")
    expected = [(rate, stage, 2 * rate) for rate in (20.0, 100.0) for stage in stages]
    for run in measured["runs"]:
        assert [(one["rate"], one["stage"], one["events"]) for one in run] == expected
    for one in in_all_runs(measured):
        some = one["events"] / 2 if one["stage"] == "full" else one["events"] - 1
        assert some < one["with_changes"] <= one["events"]


async def test_changes_of_events_before_the_measurement_do_not_count(tmp_path: Path) -> None:
    told = "print('[[0, 4, 0.1], [1, 2, 0.1]]'); print('[[0, 5, 0.2]]'); print('[[0, 6, 0.3], [1, 3, 0.3]]')"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", told, stdout=PIPE)
    subscriber = _Subscriber(process, tmp_path, since={0: 5, 1: 3})
    await subscriber.until(3)
    await subscriber.end()
    await process.wait()
    assert subscriber.seen == {(0, 5): 0.2, (0, 6): 0.3, (1, 3): 0.3}


def test_it_says_whether_the_worker_had_a_core_to_itself(measured: dict[str, Any]) -> None:
    assert measured["own_core"] == (set_apart() is not None)


def test_each_stage_stands_beside_its_ceiling(measured: dict[str, Any]) -> None:
    for run, rate in product(measured["runs"], (20.0, 100.0)):
        here = [one for one in run if one["rate"] == rate]
        p50 = {one["stage"]: one["acknowledged_to_change_ms"]["p50"] for one in here}
        found = {one["stage"]: (one["ceiling"], one["of_ceiling"]) for one in here}
        assert found.pop("read") == (None, None)
        assert found == {
            stage: (ceiling, pytest.approx(p50[stage] / p50[ceiling], abs=0.01))
            for stage, ceiling in (("fenced", "read"), ("tally", "fenced"), ("full", "fenced"))
        }


def test_a_ceiling_that_takes_no_time_is_none_to_divide_by() -> None:
    none, some = Percentiles(0, 0, 1, 1), Percentiles(2, 2, 2, 2)
    read = AtRate("read", "aiokafka: read", 50.0, 1, 1, none, none, none)
    fenced = AtRate("fenced", "aiokafka: tally", 50.0, 1, 1, some, some, some, ceiling="read")
    full = replace(fenced, stage="full", ceiling="fenced")
    assert [one.of_ceiling for one in _compared([read, fenced, full])] == [None, None, 1.0]


def test_percentiles_rise_and_the_way_from_due_is_no_shorter(measured: dict[str, Any]) -> None:
    for one in in_all_runs(measured):
        for name in ("acknowledged_to_change_ms", "due_to_change_ms", "due_to_acknowledged_ms"):
            ordered = [one[name][share] for share in ("p50", "p90", "p99", "max")]
            assert ordered == sorted(ordered)
            assert ordered[-1] > 0
        assert one["due_to_change_ms"]["p50"] >= one["acknowledged_to_change_ms"]["p50"]
    assert [line[0] for line in lines(measured)][:5:4] == [
        "20 events/s, aiokafka: read",
        "100 events/s, aiokafka: read",
    ]
    assert {len(line) for line in lines(measured)} == {len(COLUMNS)}
    assert {line[-1].split(" of ")[1] for line in lines(measured)} == {"80", "400"}


def test_percentiles_are_by_the_nearest_rank() -> None:
    assert Percentiles.of(number / 1000 for number in range(1, 101)) == Percentiles(50, 90, 99, 100)
    assert Percentiles.of([0.004]) == Percentiles(4, 4, 4, 4)
    assert Percentiles.of([0.003, 0.001, 0.002]) == Percentiles(2, 3, 3, 3)


@pytest.mark.parametrize("rates", ["fast", "0", "-1", "50,", "1e9", "nan"])
def test_a_rate_that_is_none_is_refused_in_words(rates: str) -> None:
    done = CliRunner().invoke(app, ["bench", "latency", "--rate", rates])
    assert done.exit_code == 2
    assert f"--rate {rates}: expected" in done.output
