"""Ends that acts set for all goods and for some: one deadline each, moved by what extends it."""

import pytest

from schemas.events import Event
from schemas.rates import ByProduct, EitherRate, Rate, RateRange, RateUnknown, Specific
from schemas.times import When
from tests.stories.telling import (
    WIRE,
    answered,
    deadlines,
    duty,
    holding,
    instant,
    listed,
    measure,
    on,
    tells,
)
from tests.stories.test_deadlines import IMPOSED, LAST_WORD, LONGER, TRUCE, played

CLOCKS_UNTIL = duty(
    "A5",
    "changed",
    "2024-03-15",
    rate=ByProduct(by_product={"clocks": "50"}),
    effective=on("2024-03-20"),
    until=on("2024-08-01"),
)


def ends(at: str, *events: Event) -> dict[str, tuple[When, str, str | None]]:
    found = deadlines(at, *events)
    return {name: (one.due, one.state, one.reason) for name, one in found.items() if one.kind == "lapse"}


def test_an_end_for_some_products_leaves_all_others_theirs() -> None:
    assert TRUCE.until is not None
    assert CLOCKS_UNTIL.until is not None
    told = (IMPOSED, TRUCE, CLOCKS_UNTIL)
    assert ends("2024-04-01T00:00:00+00:00", *told) == {
        "duty.lapse": (TRUCE.until, "pending", None),
        "duty.lapse.a5": (CLOCKS_UNTIL.until, "pending", None),
    }
    warned = {alert["deadline"] for alert in played(*told, LAST_WORD)}
    assert {"duty.lapse", "duty.lapse.a5"} <= warned


def test_products_with_different_ends_have_a_deadline_each() -> None:
    wine = duty(
        "A1",
        "imposed",
        "2024-01-10",
        rate=ByProduct(by_product={"wine": "9"}),
        effective=on("2024-02-01"),
        until=on("2024-05-01"),
    )
    assert wine.until is not None
    assert CLOCKS_UNTIL.until is not None
    assert ends("2024-04-01T00:00:00+00:00", wine, CLOCKS_UNTIL) == {
        "duty.lapse": (wine.until, "pending", None),
        "duty.lapse.a5": (CLOCKS_UNTIL.until, "pending", None),
    }


def test_what_extends_all_goods_moves_the_end_of_all_and_overtakes_that_of_some() -> None:
    assert LONGER.until is not None
    assert CLOCKS_UNTIL.until is not None
    assert ends("2024-06-02T00:00:00+00:00", IMPOSED, TRUCE, CLOCKS_UNTIL, LONGER) == {
        "duty.lapse": (LONGER.until, "pending", None),
        "duty.lapse.a5": (CLOCKS_UNTIL.until, "moot", "overtaken by A3"),
    }


def test_what_extends_all_goods_without_a_date_overtakes_the_end_of_some() -> None:
    undated = LONGER.model_copy(update={"effective": None})
    found = ends("2024-06-02T12:00:00+00:00", IMPOSED, TRUCE, CLOCKS_UNTIL, undated)
    assert found["duty.lapse.a5"][1:] == ("moot", "overtaken by A3")


def test_what_a_truce_brings_back_is_told_also_after_it_was_extended() -> None:
    paused = duty(
        "A2", "suspended", "2024-03-01", effective=on("2024-03-10"), until=instant("2024-06-10T00:01:00-04:00")
    )
    told = deadlines("2024-06-02T00:00:00+00:00", IMPOSED, paused, LONGER)["duty.lapse"]
    assert (told.due, told.on_lapse) == (LONGER.until, "what is suspended returns")
    ends_then = LONGER.model_copy(update={"on_lapse": "20"})
    assert deadlines("2024-06-02T00:00:00+00:00", IMPOSED, paused, ends_then)["duty.lapse"].on_lapse == "20%"


PAUSED = duty("A2", "suspended", "2024-03-01", effective=on("2024-03-10"))
UNTIL_JUNE = on("2024-06-10")


def test_an_end_that_its_report_tells_is_an_end_also_without_a_word_on_its_kind() -> None:
    paused = PAUSED.model_copy(update={"until": UNTIL_JUNE})
    assert ends("2024-06-02T00:00:00+00:00", IMPOSED, paused) == {"duty.lapse": (UNTIL_JUNE, "pending", None)}
    row = measure("2024-06-02T00:00:00+00:00", IMPOSED, paused)
    assert (row["until"], row["until_kind"]) == ("2024-06-10", "stated")


def test_an_end_that_only_another_report_tells_is_an_end() -> None:
    says = tells("A2", "2024-03-01", ("until", UNTIL_JUNE), WIRE)
    assert ends("2024-06-02T00:00:00+00:00", IMPOSED, PAUSED, says) == {"duty.lapse": (UNTIL_JUNE, "pending", None)}
    assert measure("2024-06-12T00:00:00+00:00", IMPOSED, PAUSED, says)["status"] == "lapsed_unconfirmed"


def test_what_its_own_text_calls_permanent_ends_on_nobody_elses_word() -> None:
    for_good = PAUSED.model_copy(update={"until_kind": "permanent"})
    says = tells("A2", "2024-03-01", ("until", UNTIL_JUNE), WIRE)
    assert ends("2024-06-02T00:00:00+00:00", IMPOSED, for_good, says) == {}


def test_what_a_lapse_brings_is_what_any_report_tells_of_it() -> None:
    paused = duty("A2", "suspended", "2024-03-01", effective=on("2024-03-10"), until=UNTIL_JUNE)
    more = duty("A2", "suspended", "2024-03-02", WIRE, effective=on("2024-03-10"), until=UNTIL_JUNE, on_lapse="54")
    assert deadlines("2024-06-02T00:00:00+00:00", IMPOSED, paused, more)["duty.lapse"].on_lapse == "54%"
    assert measure("2024-06-12T00:00:00+00:00", IMPOSED, paused, more)["rate"] == "54"


def test_reports_that_differ_on_what_a_lapse_brings_are_a_dispute() -> None:
    paused = duty("A2", "suspended", "2024-03-01", effective=on("2024-03-10"), until=UNTIL_JUNE, on_lapse="54")
    other = duty("A2", "suspended", "2024-03-02", WIRE, effective=on("2024-03-10"), until=UNTIL_JUNE, on_lapse="34")
    answer = answered("2024-06-02T00:00:00+00:00", IMPOSED, paused, other)
    assert [(one["property"], one["values"]) for one in listed(answer, "disputed")] == [("on_lapse", ["54", "34"])]
    assert deadlines("2024-06-02T00:00:00+00:00", IMPOSED, paused, other)["duty.lapse"].on_lapse == "54%"


def test_what_a_lapse_brings_may_differ_by_product() -> None:
    back = ByProduct(by_product={"clocks": "50", "wine": "9"})
    clocks = CLOCKS_UNTIL.model_copy(update={"on_lapse": back, "rate": ByProduct(by_product={"clocks": "5"})})
    assert deadlines("2024-06-02T00:00:00+00:00", IMPOSED, clocks)["duty.lapse"].on_lapse == "rates by product"
    after = holding("lawful", "2024-08-03T00:00:00+00:00", IMPOSED, clocks, product="clocks")
    assert after is not None
    assert (after.rate, after.force, after.lapsed) == ("50", "in_force", True)


@pytest.mark.parametrize(
    ("brings", "said"),
    [
        (RateRange(low="10", high="25"), "10% to 25%"),
        (Specific(amount="1.5", currency="USD", per="kg"), "1.5 USD per kg"),
        (
            EitherRate(ad_valorem="10", specific=Specific(amount="2", currency="USD", per="item")),
            "10% or 2 USD per item",
        ),
        (RateUnknown(unknown="to be set by decree"), "to be set by decree"),
    ],
)
def test_what_a_lapse_brings_is_told_in_words(brings: Rate, said: str) -> None:
    paused = duty("A2", "suspended", "2024-03-01", effective=on("2024-03-10"), until=UNTIL_JUNE, on_lapse=brings)
    assert deadlines("2024-06-02T00:00:00+00:00", IMPOSED, paused)["duty.lapse"].on_lapse == said


def test_a_row_tells_on_what_its_measure_is_contingent() -> None:
    paused = PAUSED.model_copy(update={"contingent_on": "Freedonia opens its market"})
    assert measure("2024-04-01T00:00:00+00:00", IMPOSED, paused)["contingent_on"] == "Freedonia opens its market"
