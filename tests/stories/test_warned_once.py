"""Warnings speak of dates: the same one told again warns nobody, and another one is warned of, whoever tells it.

The ledger is live here: events are recorded at noon of a day, and the clock strikes each instant that it is asked for.
"""

from ledger.history import Negotiation
from schemas.changes import Alert
from schemas.events import AnyReport, ClockStruck, DeadlineChanged
from schemas.ids import event_id
from schemas.positions import Recorded
from schemas.times import When, parse_instant
from tests.stories.telling import NEGOTIATION, STATEMENT, WIRE, deadlines, duty, header, instant, on, review
from tests.stories.test_deadlines import IMPOSED, LONGER, REVIEW, TRUCE

PROMISED = review("P1", "set", "2024-02-01", due=on("2024-05-01"))
Short = list[tuple[int, str, str]]


def live(*told: tuple[AnyReport, str], until: str = "2025-01-01") -> tuple[Negotiation, list[Alert]]:
    fold, alerts = Negotiation(NEGOTIATION), list[Alert]()

    def strike_up_to(day: str) -> None:
        noon = parse_instant(f"{day}T12:00:00+00:00")
        while fold.next_wake is not None and fold.next_wake <= noon:
            strike = ClockStruck(negotiation=NEGOTIATION, at=fold.next_wake, mode="live")
            alerts.extend(fold.evolve(Recorded(strike, event_id(strike), 0, 0, strike.at)).alerts)

    for event, day in told:
        strike_up_to(day)
        fold.evolve(Recorded(event, event_id(event), 0, 0, parse_instant(f"{day}T12:00:00+00:00")))
    strike_up_to(until)
    return fold, alerts


def of(deadline: str, alerts: list[Alert]) -> Short:
    return [(one["revision"], one["lead"], one["due"]) for one in alerts if one["deadline"] == deadline]


def by_wire(due: When) -> DeadlineChanged:
    told = header("P1", "2024-02-01", WIRE, STATEMENT)
    return DeadlineChanged(**told, stage="set", deadline="review", kind="promise", due=due)


def test_a_witness_who_tells_another_date_of_the_same_act_warns_nobody_again() -> None:
    once = [(1, lead, "2024-05-01") for lead in ("30d", "7d", "24h", "1h")]
    for due in (on("2024-05-02"), instant("2024-05-01T17:00:00-04:00")):
        fold, alerts = live((PROMISED, "2024-02-02"), (by_wire(due), "2024-04-03"))
        assert of("review", alerts) == once
        row = fold.rows["deadlines", "review"]
        assert (row["due"], row["revision"], row["trail"]) == ("2024-05-01", 1, [])
    found = deadlines("2024-04-04T00:00:00+00:00", PROMISED, by_wire(on("2024-05-02")), unit=REVIEW)["review"]
    assert [(one.property, one.contested) for one in found.disputes] == [("due", False)]


def test_an_older_act_that_is_told_late_warns_nobody_again() -> None:
    older = review("P0", "set", "2024-01-01", due=on("2024-03-01"))
    fold, alerts = live((PROMISED, "2024-02-02"), (older, "2024-04-03"))
    assert of("review", alerts) == [
        (1, "30d", "2024-05-01"), (2, "7d", "2024-05-01"), (2, "24h", "2024-05-01"), (2, "1h", "2024-05-01"),
    ]  # fmt: skip
    assert fold.rows["deadlines", "review"]["trail"] == [{"due": "2024-03-01", "act": "P0"}]
    older_truce = duty(
        "A0", "suspended", "2024-02-10", rate="10", suspended="24", effective=on("2024-02-11"), until=on("2024-03-10")
    )
    told = [(IMPOSED, "2024-01-11"), (TRUCE, "2024-03-02"), (LONGER, "2024-06-02"), (older_truce, "2024-08-20")]
    leads = [lead for _, lead, due in of("duty.lapse", live(*told)[1]) if due.startswith("2024-09-10")]
    assert leads == ["30d", "7d", "24h", "1h"]


def test_a_start_that_is_put_off_is_warned_of_again() -> None:
    announced = duty("A1", "announced", "2024-05-14", spoken=STATEMENT, rate="100", effective=on("2024-08-01"))
    put_off = duty("A1", "imposed", "2024-09-13", rate="100", effective=on("2024-09-27"))
    _, alerts = live((announced, "2024-05-15"), (put_off, "2024-07-26"))
    assert of("duty.start.a1", alerts) == [
        (1, "30d", "2024-08-01"),
        (1, "7d", "2024-08-01"),
        (2, "30d", "2024-09-27"),
        (2, "7d", "2024-09-27"),
        (1, "24h", "2024-09-27"),
        (1, "1h", "2024-09-27"),
    ]
    assert len({alert["id"] for alert in alerts}) == len(alerts)


def test_an_end_that_is_put_right_is_warned_of_again() -> None:
    right = LONGER.model_copy(update={"until": instant("2024-11-10T00:01:00-05:00"), "replaces": event_id(LONGER)})
    told = [(IMPOSED, "2024-01-11"), (TRUCE, "2024-03-02"), (LONGER, "2024-06-02"), (right, "2024-08-20")]
    _, alerts = live(*told)
    after = [(lead, due[:10]) for _, lead, due in of("duty.lapse", alerts) if due >= "2024-08"]
    assert after == [("30d", "2024-09-10"), *((lead, "2024-11-10") for lead in ("30d", "7d", "24h", "1h"))]
    assert len({alert["id"] for alert in alerts}) == len(alerts)
