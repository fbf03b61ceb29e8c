"""Deadlines that something has disposed of: nobody is warned of them, and rows do not say otherwise than measures."""

import pytest

from schemas.changes import Alert
from schemas.events import Event, Goods
from schemas.rates import ByProduct, RateRange
from tests.stories.telling import answered, deadlines, duty, measure, on, review, ruling
from tests.stories.test_deadlines import IMPOSED, REVIEW, TRUCE, lapse, played

LATER = duty("A1", "imposed", "2024-01-10", rate="34", effective=on("2024-06-01"))
UNLAWFUL = ruling("R1", "2024-04-01", "final")
SPARED = duty(
    "A6",
    "exempted",
    "2024-03-15",
    rate=ByProduct(by_product={"clocks": "0"}),
    effective=on("2024-03-20"),
    until=on("2024-05-01"),
)
LAST_WORD = review("P9", "met", "2025-12-31")


def leads(deadline: str, *events: Event) -> list[Alert]:
    return [alert for alert in played(*events, LAST_WORD) if alert["deadline"] == deadline]


@pytest.mark.parametrize("kind", ["until_condition", "permanent", "unknown", "none_stated"])
def test_a_truce_that_is_extended_without_an_end_has_no_lapse_left(kind: str) -> None:
    for effective in (on("2024-05-06"), None):
        longer = duty("A3", "extended", "2024-05-05", effective=effective, until_kind=kind)
        assert lapse("2024-07-01T00:00:00+00:00", IMPOSED, TRUCE, longer) == ("moot", "extended without an end by A3")
        row = measure("2024-07-01T00:00:00+00:00", IMPOSED, TRUCE, longer)
        assert (row["rate"], row["suspended"], row["until"], row["status"]) == ("10", "24", None, "settled")
        warned = {alert["warn_at"][:10] for alert in leads("duty.lapse", IMPOSED, TRUCE, longer)}
        assert max(warned, default="") < "2024-05-05"


def test_a_truce_that_has_lapsed_is_not_brought_back_by_an_extension_without_an_end() -> None:
    late = duty("A3", "extended", "2024-07-05", effective=on("2024-07-06"), until_kind="unknown")
    assert lapse("2024-08-01T00:00:00+00:00", IMPOSED, TRUCE, late)[0] == "lapsed_unconfirmed"


def test_a_start_that_a_court_has_forbidden_is_moot_and_nobody_is_warned_of_it() -> None:
    for at in ("2024-05-01T00:00:00+00:00", "2024-07-01T00:00:00+00:00"):
        found = deadlines(at, LATER, UNLAWFUL)["duty.start.a1"]
        assert (found.state, found.reason) == ("moot", "held unlawful by Court of Trade")
    assert measure("2024-07-01T00:00:00+00:00", LATER, UNLAWFUL)["lawful"] is False
    assert not leads("duty.start.a1", LATER, UNLAWFUL)
    assert deadlines("2024-03-01T00:00:00+00:00", LATER, UNLAWFUL)["duty.start.a1"].state == "pending"
    afterwards = ruling("R1", "2024-07-01", "final")
    assert deadlines("2024-08-01T00:00:00+00:00", LATER, afterwards)["duty.start.a1"].state == "met"


def test_a_promise_that_hangs_on_what_a_court_has_ended_is_moot() -> None:
    promised = review("P1", "set", "2024-01-20", due=on("2024-09-01"), component="duty")
    found = deadlines("2024-07-01T00:00:00+00:00", LATER, UNLAWFUL, promised, unit=REVIEW)["review"]
    assert (found.state, found.reason) == ("moot", "duty has ended")


@pytest.mark.parametrize(
    ("later", "reason"),
    [
        (
            SPARED.model_copy(update={"act": "A7", "announced": on("2024-04-10"), "until": on("2024-09-01")}),
            "overtaken",
        ),
        (duty("A7", "ended", "2024-04-10", ended_how="revoked", effective=on("2024-04-13")), "its component was ended"),
        (
            duty("A7", "changed", "2024-04-10", rate=ByProduct(by_product={"clocks": "5"}), effective=on("2024-04-13")),
            "overtaken",
        ),
    ],
    ids=["renewed", "ended", "another rate"],
)
def test_the_end_of_an_exemption_is_moot_once_something_else_holds(later: Event, reason: str) -> None:
    found = deadlines("2024-05-05T00:00:00+00:00", IMPOSED, SPARED, later)["duty.lapse.a6"]
    assert (found.state, found.reason) == ("moot", f"{reason} by A7")
    assert {alert["lead"] for alert in leads("duty.lapse.a6", IMPOSED, SPARED, later)} <= {"30d"}


def test_the_end_of_an_exemption_is_its_own_whatever_happens_to_other_goods() -> None:
    others = SPARED.model_copy(
        update={"act": "A7", "announced": on("2024-04-10"), "rate": ByProduct(by_product={"wine": "0"})}
    )
    rate = duty("A8", "changed", "2024-04-11", rate="40", effective=on("2024-04-12"))
    in_words = duty("A9", "exempted", "2024-04-12", rate="0", goods=Goods(listed="toys"), effective=on("2024-04-12"))
    found = deadlines("2024-05-05T00:00:00+00:00", IMPOSED, SPARED, others, rate, in_words)["duty.lapse.a6"]
    assert found.state == "lapsed_unconfirmed"


def test_nothing_lapses_by_an_end_that_is_inferred() -> None:
    truce = TRUCE.model_copy(update={"until": on("2024-06-10", basis="inferred")})
    row = measure("2024-07-01T00:00:00+00:00", IMPOSED, truce)
    assert (row["rate"], row["suspended"], row["status"]) == ("10", "24", "settled")
    assert lapse("2024-07-01T00:00:00+00:00", IMPOSED, truce) == (
        "pending",
        "the end is inferred: no report tells whether it came",
    )


def test_what_is_reckoned_may_have_more_digits_than_a_report_may_tell() -> None:
    most = "999999999999999"
    wide = duty(
        "A1", "suspended", "2024-01-10", rate=RateRange(low="1", high=most), suspended=most,
        effective=on("2024-02-01"), until=on("2024-03-01"),
    )  # fmt: skip
    row = measure("2024-05-01T00:00:00+00:00", wide)
    assert row["rate"] == {"low": "1000000000000000", "high": "1999999999999998"}
    assert answered("2024-05-01T00:00:00+00:00", wide)["measures"] == [row]


def test_an_act_that_is_told_after_a_start_has_come_does_not_undo_it() -> None:
    backwards = duty("A3", "changed", "2024-04-01", rate="20", effective=on("2024-01-20"))
    found = deadlines("2024-05-01T00:00:00+00:00", IMPOSED, backwards)["duty.start.a1"]
    assert (found.state, found.reason) == ("met", "took effect as written")
