"""What is due, what moved, what became of it; and who is warned when."""

from dataclasses import replace

import pytest

from ledger.history import Negotiation, Outcome
from ledger.reports import Unit
from schemas.changes import Alert
from schemas.events import ClockStruck, Event
from schemas.ids import event_id
from schemas.positions import Recorded
from schemas.rates import ByProduct
from schemas.times import When, parse_instant
from streams.replay import replay
from tests.stories.telling import (
    NEGOTIATION,
    NEW_YORK,
    REMARK,
    SHANGHAI,
    WIRE,
    answered,
    deadlines,
    duty,
    instant,
    on,
    recorded,
    review,
    ruling,
    tells,
)

IMPOSED = duty("A1", "imposed", "2024-01-10", rate="34", effective=on("2024-02-01"))
TRUCE = duty(
    "A2",
    "suspended",
    "2024-03-01",
    rate="10",
    suspended="24",
    effective=on("2024-03-10"),
    until=instant("2024-06-10T00:01:00-04:00"),
)
LONGER = duty(
    "A3",
    "extended",
    "2024-06-01",
    effective=instant("2024-06-01T00:00:00-04:00"),
    until=instant("2024-09-10T00:01:00-04:00"),
)
REVIEW = Unit("deadline", "review")


def lapse(at: str, *events: Event) -> tuple[str, str | None]:
    found = deadlines(at, *events)["duty.lapse"]
    return found.state, found.reason


def test_a_written_end_is_pending_until_it_has_passed_and_then_unconfirmed() -> None:
    assert lapse("2024-06-10T04:00:59+00:00", IMPOSED, TRUCE) == ("pending", None)
    assert lapse("2024-06-10T04:01:00+00:00", IMPOSED, TRUCE) == (
        "lapsed_unconfirmed",
        "lapsed as written; no report of the outcome",
    )


def test_an_extension_in_time_moves_the_deadline_and_leaves_a_trail() -> None:
    found = deadlines("2024-06-02T00:00:00+00:00", IMPOSED, TRUCE, LONGER)["duty.lapse"]
    assert (found.state, found.due, found.revision) == ("pending", LONGER.until, 2)
    assert found.trail == (("2024-06-10T00:01:00-04:00", "A2"),)
    assert found.acts == ("A2", "A3")


def test_before_the_extension_was_made_nobody_was_bound_by_it() -> None:
    found = deadlines("2024-05-31T00:00:00+00:00", IMPOSED, TRUCE, LONGER)["duty.lapse"]
    assert (found.due, found.revision, found.trail) == (TRUCE.until, 1, ())


def test_a_truce_whose_duty_was_ended_has_no_lapse_left_and_says_why() -> None:
    end = duty("A4", "ended", "2024-04-01", ended_how="revoked", effective=on("2024-04-02"))
    assert lapse("2024-04-03T12:00:00+00:00", IMPOSED, TRUCE, end) == ("moot", "its component was ended by A4")


def test_a_truce_whose_duty_was_held_unlawful_has_no_lapse_left_and_names_the_court() -> None:
    held = ruling("R1", "2024-04-01", "final")
    assert lapse("2024-04-03T12:00:00+00:00", IMPOSED, TRUCE, held) == ("moot", "held unlawful by Court of Trade")


def test_a_promised_date_hanging_on_a_duty_is_moot_once_the_duty_is_ended() -> None:
    promised = review("P1", "set", "2024-02-01", due=on("2024-07-01"), component="duty")
    end = duty("A4", "ended", "2024-04-01", ended_how="revoked", effective=on("2024-04-02"))
    before, after = (
        deadlines(at, IMPOSED, promised, end, unit=REVIEW)["review"]
        for at in ("2024-03-01T00:00:00+00:00", "2024-04-03T00:00:00+00:00")
    )
    assert (before.state, before.reason) == ("pending", None)
    assert (after.state, after.reason) == ("moot", "duty has ended")


def test_a_day_has_passed_when_it_has_ended_in_its_own_zone() -> None:
    promised = review("P1", "set", "2024-02-01", due=on("2024-03-01", SHANGHAI))
    states = [
        deadlines(at, promised, unit=REVIEW)["review"].state
        for at in ("2024-03-01T15:59:59+00:00", "2024-03-01T16:00:00+00:00")
    ]
    assert states == ["pending", "lapsed_unconfirmed"]


def test_a_month_has_passed_when_its_last_day_has() -> None:
    promised = review("P1", "set", "2024-02-01", due=When(month="2024-03", zone=NEW_YORK))
    states = [
        deadlines(at, promised, unit=REVIEW)["review"].state
        for at in ("2024-04-01T03:59:59+00:00", "2024-04-01T04:00:00+00:00")
    ]
    assert states == ["pending", "lapsed_unconfirmed"]


@pytest.mark.parametrize(("stage", "state"), [("met", "met"), ("missed", "lapsed"), ("withdrawn", "withdrawn")])
def test_a_promise_is_closed_by_the_report_of_its_outcome(stage: str, state: str) -> None:
    promised = review("P1", "set", "2024-02-01", due=on("2024-03-01"))
    closed = review("P2", stage, "2024-02-20")
    found = deadlines("2024-04-01T00:00:00+00:00", promised, closed, unit=REVIEW)["review"]
    assert (found.state, found.reason, found.acts) == (state, f"{stage} by P2", ("P1", "P2"))


def test_a_promise_that_moves_keeps_its_name_and_its_earlier_date() -> None:
    promised = review("P1", "set", "2024-02-01", due=on("2024-03-01"))
    moved = review("P2", "moved", "2024-02-20", due=on("2024-05-01"))
    found = deadlines("2024-02-25T00:00:00+00:00", promised, moved, unit=REVIEW)["review"]
    assert (found.state, found.due, found.revision, found.trail) == ("pending", moved.due, 2, (("2024-03-01", "P1"),))


def test_a_threatened_start_is_overtaken_by_the_order_that_carries_it_out() -> None:
    threat = duty("A5", "threatened", "2024-01-05", WIRE, REMARK, rate="34", effective=on("2024-02-01"))
    found = deadlines("2024-01-12T00:00:00+00:00", threat, IMPOSED)
    assert {name: (one.kind, one.state, one.reason) for name, one in found.items()} == {
        "duty.start.a5": ("threat", "met", "ordered by A1"),
        "duty.start.a1": ("start", "pending", None),
    }


def test_a_threat_whose_day_passes_is_told_as_passed_and_nothing_begins() -> None:
    threat = duty("A5", "threatened", "2024-01-05", WIRE, REMARK, rate="34", effective=on("2024-02-01"))
    found = deadlines("2024-02-03T00:00:00+00:00", threat)["duty.start.a5"]
    assert (found.state, found.reason) == ("lapsed_unconfirmed", "the day passed with no outcome recorded")


def test_a_threat_taken_back_is_withdrawn() -> None:
    threat = duty("A5", "threatened", "2024-01-05", WIRE, REMARK, rate="34", effective=on("2024-02-01"))
    back = duty("A6", "withdrawn", "2024-01-20", WIRE, REMARK)
    found = deadlines("2024-01-25T00:00:00+00:00", threat, back)["duty.start.a5"]
    assert (found.state, found.reason) == ("withdrawn", "withdrawn by A6")


# alerts


def played(*events: Event) -> list[Alert]:
    fold = Negotiation(NEGOTIATION)
    log = [one.event for one in replay(events, "0" * 64)]
    return [alert for one in recorded(*log) for alert in fold.evolve(one).alerts]


def short(alerts: list[Alert]) -> list[tuple[str, str, str, int]]:
    return [(one["deadline"], one["lead"], one["warn_at"], one["late_by_seconds"]) for one in alerts]


LAST_WORD = review("P9", "met", "2024-12-31")


def test_everybody_is_warned_once_for_each_lead_in_calendar_days_of_the_zone() -> None:
    assert short([one for one in played(IMPOSED, TRUCE, LAST_WORD) if one["deadline"] == "duty.lapse"]) == [
        ("duty.lapse", "30d", "2024-05-11T04:01:00+00:00", 0),
        ("duty.lapse", "7d", "2024-06-03T04:01:00+00:00", 0),
        ("duty.lapse", "24h", "2024-06-09T04:01:00+00:00", 0),
        ("duty.lapse", "1h", "2024-06-10T03:01:00+00:00", 0),
    ]


def test_a_lead_in_days_keeps_the_hour_of_the_clock_on_the_wall_where_the_clocks_change() -> None:
    order = duty("A1", "imposed", "2024-03-01", rate="5", effective=instant("2024-03-12T00:01:00-04:00"))
    leads = {one["lead"]: one["warn_at"] for one in played(order, LAST_WORD) if one["deadline"] == "duty.start.a1"}
    assert leads["7d"] == "2024-03-05T05:01:00+00:00"


def test_a_deadline_first_heard_of_after_a_lead_began_gets_no_alert_for_that_lead() -> None:
    order = duty("A1", "imposed", "2024-01-24", rate="5", effective=instant("2024-01-30T00:00:00-05:00"))
    assert [lead for name, lead, _, _ in short(played(order, LAST_WORD)) if name == "duty.start.a1"] == ["24h", "1h"]


def test_a_moved_deadline_is_warned_of_anew_and_the_date_it_had_no_longer() -> None:
    moved = [alert for alert in played(IMPOSED, TRUCE, LONGER, LAST_WORD) if alert["deadline"] == "duty.lapse"]
    assert [(alert["revision"], alert["lead"], alert["warn_at"]) for alert in moved] == [
        (1, "30d", "2024-05-11T04:01:00+00:00"),
        (2, "30d", "2024-08-11T04:01:00+00:00"),
        (2, "7d", "2024-09-03T04:01:00+00:00"),
        (2, "24h", "2024-09-09T04:01:00+00:00"),
        (2, "1h", "2024-09-10T03:01:00+00:00"),
    ]


def test_an_inferred_date_warns_nobody() -> None:
    guessed = duty("A1", "imposed", "2024-01-10", rate="5", effective=on("2024-03-01", basis="inferred"))
    assert played(guessed, LAST_WORD) == []


def test_another_witness_of_the_same_date_warns_nobody_again() -> None:
    again = tells("A2", "2024-03-01", ("until", TRUCE.until), WIRE)
    assert [one["id"] for one in played(IMPOSED, TRUCE, again, LAST_WORD)] == [
        one["id"] for one in played(IMPOSED, TRUCE, LAST_WORD)
    ]


def struck(at: str, recorded_at: str) -> Recorded:
    strike = ClockStruck(negotiation=NEGOTIATION, at=parse_instant(at), mode="live")
    return Recorded(strike, event_id(strike), 0, 1, parse_instant(recorded_at))


def caught_up(fold: Negotiation, recorded_at: str) -> list[Alert]:
    """Strike everything that was missed, in order, as a clock does that was away; return the alerts."""
    alerts = []
    while fold.next_wake is not None and fold.next_wake <= parse_instant(recorded_at):
        alerts += fold.evolve(struck(fold.next_wake.isoformat(), recorded_at)).alerts
    return alerts


def live_fold() -> Negotiation:
    fold = Negotiation(NEGOTIATION)
    (order,) = recorded(IMPOSED)
    fold.evolve(replace(order, recorded_at=parse_instant("2024-01-11T06:00:00+00:00")))
    return fold


def test_a_signing_that_is_still_to_come_is_told_when_its_day_begins() -> None:
    fold = Negotiation(NEGOTIATION)
    signing = duty("A1", "imposed", "2024-01-10", rate="5", signed=on("2024-01-20"), effective=on("2024-06-01"))
    (order,) = recorded(signing)
    fold.evolve(replace(order, recorded_at=parse_instant("2024-01-11T06:00:00+00:00")))
    caught_up(fold, "2024-01-20T04:59:59+00:00")
    before = fold.rows["measures", "duty"]["force"]
    caught_up(fold, "2024-01-20T05:00:00+00:00")
    assert (before, fold.rows["measures", "duty"]["force"]) == ("announced", "signed")


def test_a_live_clock_that_strikes_early_is_a_finding_and_alerts_nobody() -> None:
    fold = live_fold()
    rows, wake = dict(fold.rows), fold.next_wake
    outcome = fold.evolve(struck("2024-01-25T05:00:00+00:00", "2024-01-25T04:59:58.999999+00:00"))
    assert [(one["kind"], one["after"]) for one in outcome.changes] == [
        ("finding", {"code": "early_strike", "reason": "the clock struck 2024-01-25T05:00:00+00:00 before its time"})
    ]
    assert (outcome.alerts, outcome.rows, fold.rows, fold.next_wake) == ([], {}, rows, wake)


def test_a_strike_that_came_too_early_still_counts_when_it_comes_in_time() -> None:
    fold = live_fold()
    fold.evolve(struck("2024-01-25T05:00:00+00:00", "2024-01-25T04:00:00+00:00"))
    outcome = fold.evolve(struck("2024-01-25T05:00:00+00:00", "2024-01-25T05:00:01+00:00"))
    assert [(one["lead"], one["late_by_seconds"]) for one in outcome.alerts] == [("7d", 1)]


def test_a_live_clock_may_be_a_second_ahead_of_the_broker() -> None:
    outcome = live_fold().evolve(struck("2024-01-25T05:00:00+00:00", "2024-01-25T04:59:59+00:00"))
    assert [(one["lead"], one["late_by_seconds"]) for one in outcome.alerts] == [("7d", 0)]


def test_a_late_clock_says_how_late_its_alert_is() -> None:
    outcome = live_fold().evolve(struck("2024-01-25T05:00:00+00:00", "2024-01-25T06:00:30+00:00"))
    assert [(one["lead"], one["late_by_seconds"]) for one in outcome.alerts] == [("7d", 3630)]


def test_a_clock_that_was_away_beyond_the_deadline_still_warns_of_it_once_and_tells_that_it_passed() -> None:
    fold = live_fold()
    late = caught_up(fold, "2024-02-03T00:00:00+00:00")
    assert [(one["lead"], one["late_by_seconds"]) for one in late] == [
        ("7d", 759_600),
        ("24h", 241_200),
        ("1h", 158_400),
    ]
    assert fold.rows["deadlines", "duty.start.a1"]["state"] == "met"


def test_a_late_strike_warns_of_no_date_that_was_moved_meanwhile() -> None:
    fold = Negotiation(NEGOTIATION)
    exempted = duty("A4", "exempted", "2024-03-02", effective=on("2024-05-20"))
    heard = ("2024-01-11", "2024-03-02", "2024-03-03", "2024-06-02")
    for one, day in zip(recorded(IMPOSED, TRUCE, exempted, LONGER), heard, strict=True):
        fold.evolve(replace(one, recorded_at=parse_instant(f"{day}T06:00:00+00:00")))
    late = caught_up(fold, "2024-06-03T00:00:00+00:00")
    assert {one["deadline"] for one in late} == {f"duty.start.a{n}" for n in (1, 2, 4)}


def test_a_strike_nobody_asked_for_does_nothing() -> None:
    fold = live_fold()
    rows = dict(fold.rows)
    assert fold.evolve(struck("2024-01-12T00:00:00+00:00", "2024-01-12T00:00:00+00:00")) == Outcome()
    assert fold.rows == rows


def test_the_state_lists_deadlines_by_their_first_instant() -> None:
    promised = review("P1", "set", "2024-02-01", due=on("2024-03-01"))
    found = answered("2024-02-03T00:00:00+00:00", IMPOSED, TRUCE, promised)["deadlines"]
    assert isinstance(found, list)
    assert [(one["deadline"], one["state"]) for one in found] == [("duty.start.a1", "met"), ("review", "pending")]


SPARED_UNTIL = duty(
    "A6",
    "exempted",
    "2024-03-15",
    rate=ByProduct(by_product={"clocks": "0"}),
    effective=on("2024-03-20"),
    until=on("2024-05-01"),
)


def test_an_exemption_ends_by_itself_and_leaves_the_truce_its_own_end() -> None:
    found = deadlines("2024-04-01T00:00:00+00:00", IMPOSED, TRUCE, SPARED_UNTIL)
    ends = {name: (one.due, one.state) for name, one in found.items() if one.kind == "lapse"}
    assert ends == {"duty.lapse": (TRUCE.until, "pending"), "duty.lapse.a6": (SPARED_UNTIL.until, "pending")}


def test_another_rate_for_some_products_disposes_neither_of_an_end_nor_of_a_start_for_others() -> None:
    some = duty("A3", "changed", "2024-03-15", rate=ByProduct(by_product={"clocks": "50"}), effective=on("2024-03-20"))
    assert deadlines("2024-04-01T00:00:00+00:00", IMPOSED, TRUCE, some)["duty.lapse"].state == "pending"
    wine = duty("A1", "imposed", "2024-01-10", rate=ByProduct(by_product={"wine": "9"}), effective=on("2024-06-01"))
    found = deadlines("2024-07-01T00:00:00+00:00", wine, some)
    assert found["duty.start.a1"].state == "met"
    all_of_them = duty("A4", "changed", "2024-03-15", rate="50", effective=on("2024-03-20"))
    found = deadlines("2024-07-01T00:00:00+00:00", wine, all_of_them)
    assert found["duty.start.a1"].state == "withdrawn"


def test_a_date_set_anew_after_it_was_withdrawn_is_pending_again() -> None:
    events = [
        review("P1", "set", "2024-01-05", due=on("2024-06-01")),
        review("P2", "withdrawn", "2024-02-05"),
        review("P3", "set", "2024-03-05", due=on("2024-09-01")),
    ]
    unit = Unit("deadline", "review")
    assert deadlines("2024-02-10T00:00:00+00:00", *events, unit=unit)["review"].state == "withdrawn"
    found = deadlines("2024-04-01T00:00:00+00:00", *events, unit=unit)["review"]
    assert (found.state, found.due) == ("pending", on("2024-09-01"))


def test_a_promised_date_is_moot_only_while_nothing_of_the_duty_holds() -> None:
    end = duty("A3", "ended", "2024-03-01", ended_how="terminated", effective=on("2024-04-01"))
    anew = duty("A4", "imposed", "2024-05-01", rate="10", effective=on("2024-05-01"))
    promise = review("P1", "set", "2024-01-20", due=on("2024-09-01"), component="duty")
    unit = Unit("deadline", "review")
    states = [
        deadlines(f"2024-{day}T00:00:00+00:00", IMPOSED, end, anew, promise, unit=unit)["review"].state
        for day in ("03-10", "04-10", "05-10")
    ]
    assert states == ["pending", "moot", "pending"]


def test_no_event_says_of_itself_that_it_comes_from_the_future() -> None:
    fold = live_fold()
    rows, wake = dict(fold.rows), fold.next_wake
    arrived = parse_instant("2024-01-12T00:00:00+00:00")
    strike = ClockStruck(
        negotiation=NEGOTIATION,
        at=parse_instant("2099-01-01T00:00:00+00:00"),
        mode="live",
        first_recorded_at=parse_instant("2099-01-01T00:00:00+00:00"),
    )
    found = fold.evolve(Recorded(strike, event_id(strike), 0, 1, arrived))
    assert [one["after"]["code"] for one in found.changes] == ["early_strike"]
    report = tells("A1", "2024-01-10", ("rate", "10"), WIRE).model_copy(
        update={"first_recorded_at": parse_instant("2099-01-01T00:00:00+00:00")}
    )
    fold.evolve(Recorded(report, event_id(report), 0, 2, arrived))
    assert fold.present == arrived
    assert fold.next_wake == wake
    assert rows.keys() == fold.rows.keys()
