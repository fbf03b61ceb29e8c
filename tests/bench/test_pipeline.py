from typing import Any

import pytest

from streams.bench.faults import BenchFailed
from streams.bench.pipeline import COLUMNS, lines
from streams.bench.sampling import Sample, Steady, steady, totals
from streams.bench.summary import Spread, markdown, written
from streams.broker import BrokerAddress
from tests.bench.running import bench

EVENTS = 3_000


@pytest.fixture(scope="module")
def measured(kafka: BrokerAddress) -> dict[str, Any]:
    return bench("pipeline", "--events", str(EVENTS), "--seed", "7", "--profile", "--brokers", kafka.bootstrap)


def test_every_stage_does_every_event_and_names_its_ceiling(measured: dict[str, Any]) -> None:
    (run,) = measured["runs"]
    ceilings = {one["stage"]: one["ceiling"] for one in run}
    assert ceilings | {"full-all": "decode"} == {
        "consume": None,
        "orjson": "consume",
        "decode": "consume",
        "fenced": "orjson",
        "tally": "fenced",
        "full": "decode",
        "full-all": "decode",
    }
    assert {one["events"] for one in run} == {EVENTS}
    rates = {one["stage"]: one["events_per_s"] for one in run}
    assert all(rate > 0 for rate in rates.values())
    for one in run:
        if one["ceiling"] is not None:
            assert one["of_ceiling"] == pytest.approx(rates[one["stage"]] / rates[one["ceiling"]], abs=0.01)


def test_what_stands_on_the_topics_is_counted_and_the_same_for_any_number_of_workers(measured: dict[str, Any]) -> None:
    (run,) = measured["runs"]
    written_by = {one["stage"]: one["written"] for one in run if one["written"] is not None}
    assert written_by["tally"]["changes"] == EVENTS
    assert written_by["full"]["changes"] > EVENTS / 2
    assert written_by["full"]["dead_letters"] == 0
    assert written_by["full"]["rows"] > EVENTS / 5
    assert written_by.get("full-all", written_by["full"]) == written_by["full"]
    sent = {one["stage"]: one["sent_bytes_per_event"] for one in run}
    assert sent["tally"] == pytest.approx(sent["fenced"], rel=0.2)
    assert sent["full"] > sent["tally"]


def test_the_document_says_on_what_with_what_and_where_the_time_went(measured: dict[str, Any]) -> None:
    assert measured["schema"] == "parley.bench.pipeline/1"
    assert measured["workload"]["name"] == "parley-zipf-1"
    assert (measured["workload"]["seed"], measured["workload"]["events"]) == (7, EVENTS)
    assert measured["machine"]["cores"] >= 1
    assert {"python", "kafka", "faust-streaming", "aiokafka"} <= measured["machine"]["versions"].keys()
    assert "bench pipeline" in measured["command"]
    (full,) = (one for one in measured["runs"][0] if one["stage"] == "full")
    (profile,) = full["profiles"]
    assert profile["looks"] > 0
    assert sum(profile["itself"].values()) <= 1.0001
    assert any(name.startswith("streams.projection.") for name in profile["with_called"])


def test_the_table_has_a_line_for_each_stage(measured: dict[str, Any]) -> None:
    shown = lines(measured)
    assert [line[0] for line in shown] == [one["what"] for one in measured["runs"][0]]
    assert {len(line) for line in shown} == {len(COLUMNS)}
    assert markdown(COLUMNS, shown).count("\n") == len(shown) + 1


def sample(worker: int, at: float, cpu_s: float, **done: int) -> Sample:
    return Sample(worker, at, {int(name[1:]): count for name, count in done.items()}, cpu_s, 0)


def test_the_steady_part_begins_when_a_tenth_is_done_and_everybody_has_begun() -> None:
    samples = [
        sample(0, 10.0, 1.0),
        sample(1, 10.0, 1.0),
        sample(0, 11.0, 2.0, p0=50),
        sample(0, 12.0, 3.0, p0=150),
        sample(1, 13.0, 2.0, p1=50),
        sample(0, 14.0, 4.0, p0=600),
        sample(1, 15.0, 4.0, p1=400),
        sample(1, 99.0, 9.0, p1=400),
    ]
    assert steady(samples, 1) == Steady(850, 3.0, 1.0)
    assert steady(samples, 2) == Steady(800, 2.0, 3.0)
    assert steady(samples, 2).rate == 400


def test_a_worker_that_has_only_taken_over_what_others_did_has_not_begun() -> None:
    samples = [
        sample(0, 11.0, 2.0, p0=50, p1=50),
        sample(0, 12.0, 3.0, p0=50, p1=100),
        sample(1, 13.0, 1.0, p1=100),
        sample(0, 14.0, 4.0, p0=200),
        sample(1, 15.0, 3.0, p1=150),
        sample(0, 16.0, 5.0, p0=500),
        sample(1, 17.0, 4.0, p1=400),
    ]
    assert steady(samples, 2) == Steady(550, 2.0, 2.0)


def test_a_partition_that_changes_hands_counts_once() -> None:
    samples = [sample(0, 1.0, 0, p0=100), sample(1, 2.0, 0, p0=100), sample(1, 3.0, 0, p0=150, p1=10)]
    assert totals(samples) == [100, 100, 160]


def test_one_look_is_no_measurement() -> None:
    with pytest.raises(BenchFailed, match="two samples"):
        steady([sample(0, 1.0, 0, p0=100)], 1)


def test_a_spread_shows_its_ends_where_they_differ() -> None:
    assert written(Spread.of([3.0, 1.0, None, 2.0]), 1) == "2.0 (1.0-3.0)"
    assert written(Spread.of([1_234.4]), 0) == "1,234"
    assert written(Spread.of([None])) == ""
