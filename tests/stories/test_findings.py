"""What is wrong with an event is told where it happens, and counted in every answer."""

from collections.abc import Iterable
from datetime import date
from itertools import permutations

from ledger.history import Negotiation
from schemas.events import ClockStruck, Event, MetricDefined, ReplayOpened, ReportRetracted
from schemas.formulas import CountOfMeetings
from schemas.ids import event_id
from schemas.provenance import Source
from schemas.times import parse_instant
from tests.stories.telling import (
    GAZETTE,
    NEGOTIATION,
    ORDER,
    TRACKER,
    WIRE,
    answered,
    duty,
    header,
    listed,
    on,
    recorded,
)

NOON = "2024-06-01T12:00:00+00:00"
FOREIGN, TAKEN = "foreign_withdrawal", "counter_taken"
BY_WIRE = duty("A1", "imposed", "2024-01-10", WIRE, rate="20", effective=on("2024-01-10"))


def findings_of_the_fold(*events: Event) -> list[tuple[str, str]]:
    fold = Negotiation(NEGOTIATION)
    changes = [change for one in recorded(*events) for change in fold.evolve(one).changes]
    return [(str(one["after"]["code"]), str(one["after"]["reason"])) for one in changes if one["kind"] == "finding"]


def counted(*events: Event) -> dict[str, object]:
    """Count the findings; an answer without one must say nothing of findings."""
    codes = {FOREIGN, TAKEN, "conflicting_duplicate", "foreign_clock", "replay_not_first"}
    warnings = listed(answered(NOON, *events), "warnings")
    return {str(one["code"]): one["count"] for one in warnings if one["code"] in codes}


def orders(*events: Event) -> Iterable[tuple[Event, ...]]:
    return permutations(events)


def taking_back(report: Event, source: Source) -> ReportRetracted:
    return ReportRetracted(**header("A9", "2024-02-01", source, ORDER), report=event_id(report), reason="wrong")


def rates(*events: Event) -> list[object]:
    return [row["rate"] for row in listed(answered(NOON, *events), "measures")]


def test_a_report_taken_back_by_another_source_stands_and_that_is_told_in_any_order() -> None:
    other = taking_back(BY_WIRE, TRACKER)
    why = f"Tracker takes back report {event_id(BY_WIRE)} of Wire: it stands, for only its own source can take it back"
    for events in orders(BY_WIRE, other, taking_back(BY_WIRE, GAZETTE)):
        assert (FOREIGN, why) in findings_of_the_fold(*events)
        assert len(findings_of_the_fold(*events)) == counted(*events)[FOREIGN] == 2
        assert rates(*events) == ["20"]


def test_a_report_taken_back_by_its_own_source_is_gone_and_nothing_is_wrong() -> None:
    for events in orders(BY_WIRE, taking_back(BY_WIRE, WIRE)):
        assert findings_of_the_fold(*events) == []
        assert FOREIGN not in counted(*events)
        assert rates(*events) == []


def test_a_report_replaced_by_another_source_stands_beside_it() -> None:
    replacing = duty("A1", "imposed", "2024-01-10", TRACKER, rate="25", replaces=event_id(BY_WIRE))
    assert [code for code, _ in findings_of_the_fold(BY_WIRE, replacing)] == [FOREIGN]
    assert counted(BY_WIRE, replacing)[FOREIGN] == 1


def test_a_repeat_with_other_content_counts_in_the_answer_and_a_plain_repeat_does_not() -> None:
    source = WIRE.model_copy(update={"own_id": "w1"})
    first, other = (
        duty("A1", "imposed", "2024-01-10", source, rate=one, effective=on("2024-01-10")) for one in ("20", "25")
    )
    assert event_id(first) == event_id(other)
    assert [code for code, _ in findings_of_the_fold(first, first, other)] == ["conflicting_duplicate"]
    assert counted(first, first, other)["conflicting_duplicate"] == 1
    assert rates(first, first, other) == ["20"]
    assert "conflicting_duplicate" not in counted(first, first)


def test_two_metrics_that_would_show_as_one_counter_are_told() -> None:
    def metric(name: str, counter: str) -> MetricDefined:
        formula = CountOfMeetings(
            kind="count_of_meetings",
            group="envoys",
            counter=counter,
            participants=("firefly",),
            formats=("in_person",),
            kinds=("round",),
        )
        return MetricDefined(
            negotiation=NEGOTIATION, metric=name, revision=1, unit="count", definition=name, formula=formula
        )

    same, others = [metric("one", "rounds"), metric("two", "rounds")], [metric("one", "rounds"), metric("two", "all")]
    why = "one is counter rounds of group envoys too: answers show one of them"
    assert findings_of_the_fold(*same) == [(TAKEN, why)]
    assert counted(*same)[TAKEN] == 1
    assert findings_of_the_fold(*others) == []


def test_what_is_wrong_with_clocks_and_replays_counts_in_the_answer() -> None:
    strike = ClockStruck(negotiation=NEGOTIATION, at=parse_instant(NOON), mode="replay")
    opening = ReplayOpened(
        negotiation=NEGOTIATION, begins_at=parse_instant(NOON), file_sha256="0" * 64, data_through=date(2024, 6, 1)
    )
    assert counted(BY_WIRE, strike, opening) == {"foreign_clock": 1, "replay_not_first": 1}
    assert sorted(code for code, _ in findings_of_the_fold(BY_WIRE, strike, opening)) == [
        "foreign_clock",
        "replay_not_first",
    ]
    assert counted(opening, BY_WIRE, strike) == {}
