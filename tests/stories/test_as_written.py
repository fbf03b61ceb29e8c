"""What a careful person writes by hand and leaves out: it is read as it is meant, or the answer says that it is not."""

from decimal import Decimal

from ledger.rate_sums import amount_at
from schemas.events import Event, Goods
from schemas.rates import ByProduct, RateRange
from schemas.times import parse_instant
from tests.stories.telling import (
    RUMOUR,
    WIRE,
    deadlines,
    duty,
    holding,
    knowing,
    listed,
    measure,
    on,
    told,
    track,
)

ON = duty("A1", "imposed", "2024-01-10", rate="34", effective=on("2024-02-01"), goods="all", title="On")
TRUCE = duty(
    "A2", "suspended", "2024-03-01", rate="10", suspended="24", effective=on("2024-03-10"), until=on("2024-06-10")
)
GROUPS = duty(
    "A1", "imposed", "2024-01-10", rate=ByProduct(by_product={"clocks": "10", "wine": "15"}), effective=on("2024-02-01")
)
JULY = "2024-07-01T12:00:00+00:00"


def rates(at: str, *events: Event) -> tuple[object, object, object]:
    row = measure(at, *events)
    return row["rate"], row["suspended"], row["status"]


def test_an_extension_needs_no_date_to_move_the_end() -> None:
    longer = duty("A3", "extended", "2024-06-01", until=on("2024-09-10"))
    assert rates(JULY, ON, TRUCE, longer) == ("10", "24", "settled")
    assert measure(JULY, ON, TRUCE, longer)["until"] == "2024-09-10"
    assert deadlines(JULY, ON, TRUCE, longer)["duty.lapse"].due == on("2024-09-10")


def test_an_extension_without_a_date_that_comes_late_holds_from_its_announcement() -> None:
    late = duty("A3", "extended", "2024-06-20", until=on("2024-09-10"))
    forces = [(f"{one.from_at:%m-%d}", one.rate, one.lapsed) for one in track("lawful", ON, TRUCE, late)]
    assert forces == [
        ("02-01", "34", False),
        ("03-10", "10", False),
        ("06-11", "34", True),
        ("06-20", "10", False),
        ("09-11", "34", True),
    ]


def test_an_extension_without_a_date_leaves_what_is_set_to_begin_before_the_old_end() -> None:
    longer = duty("A3", "extended", "2024-03-05", until=on("2024-09-10"))
    assert rates(JULY, ON, TRUCE, longer) == ("10", "24", "settled")
    assert rates("2024-03-07T12:00:00+00:00", ON, TRUCE, longer)[0] == "34"


def test_who_tells_only_how_many_points_are_suspended_leaves_the_others_collected() -> None:
    paused = duty("A2", "suspended", "2024-03-01", suspended="24", effective=on("2024-03-10"), until=on("2024-06-10"))
    assert rates("2024-05-01T00:00:00+00:00", ON, paused) == ("10", "24", "settled")
    assert rates(JULY, ON, paused)[0] == "34"
    again = duty("A3", "suspended", "2024-05-20", suspended="24", effective=on("2024-06-01"), until=on("2024-09-10"))
    assert rates(JULY, ON, paused, again) == ("10", "24", "settled")
    between = ON.model_copy(update={"rate": RateRange(low="30", high="34")})
    last = holding("lawful", "2024-05-01T00:00:00+00:00", between, paused)
    assert last is not None
    assert last.rate == RateRange(low="6", high="10")
    whole = paused.model_copy(update={"suspended": "34"})
    row = measure("2024-05-01T00:00:00+00:00", ON, whole)
    assert (row["rate"], row["suspended"], row["force"]) == ("0", "34", "suspended")


def test_a_change_that_tells_no_rate_keeps_the_one_there_is() -> None:
    books = duty("A3", "changed", "2024-04-01", effective=on("2024-04-10"), exceptions=("books",))
    row = measure("2024-05-01T00:00:00+00:00", ON, books)
    assert (row["rate"], row["scope"]) == ("34", {"goods": None, "exceptions": ["books"]})
    assert rates("2024-05-01T00:00:00+00:00", ON, TRUCE, books)[:2] == ("10", "24")
    assert measure("2024-05-01T00:00:00+00:00", GROUPS, books)["by_product"] == {"clocks": "10", "wine": "15"}
    points = books.model_copy(update={"suspended": "4"})
    assert rates("2024-05-01T00:00:00+00:00", ON, points)[:2] == ("30", "4")


def test_an_exemption_of_goods_told_in_words_frees_no_others_and_is_told() -> None:
    spared = duty("A3", "exempted", "2024-03-01", rate="0", goods=Goods(listed="clocks"), effective=on("2024-03-05"))
    row = measure("2024-04-01T00:00:00+00:00", ON, spared)
    assert (row["rate"], row["title"]) == ("34", "On")
    told_of = {"goods": "clocks", "rate": "0", "from": "2024-03-05", "until": None, "act": "A3", "status": "settled"}
    assert row["exempts"] == [told_of]
    on_clocks = ON.model_copy(update={"goods": Goods(listed="clocks")})
    assert rates("2024-04-01T00:00:00+00:00", on_clocks, spared)[0] == "0"


def test_an_exemption_that_tells_neither_rate_nor_goods_is_told() -> None:
    (one,) = listed(measure("2024-04-01T00:00:00+00:00", ON, duty("A3", "exempted", "2024-03-01")), "exempts")
    assert isinstance(one, dict)
    assert (one["act"], one["rate"], one["goods"]) == ("A3", None, None)


def test_when_an_exemption_of_all_goods_ends_what_they_were_exempted_from_is_back() -> None:
    spared = duty("A3", "exempted", "2024-03-01", rate="0", effective=on("2024-03-05"), until=on("2024-06-01"))
    row = measure(JULY, ON, spared)
    assert (row["rate"], row["force"], row["status"]) == ("34", "in_force", "lapsed_unconfirmed")
    assert (row["low"], row["high"]) == ("0", "34")
    found = deadlines("2024-05-01T00:00:00+00:00", ON, spared)["duty.lapse.a3"]
    assert (found.state, found.on_lapse) == ("pending", "the exemption ends")


def test_what_is_ended_for_some_products_goes_on_for_the_others() -> None:
    for rate in ("0", "10"):
        part = ByProduct(by_product={"clocks": rate})
        end = duty("A2", "ended", "2024-03-01", rate=part, effective=on("2024-03-05"))
        row = measure("2024-04-01T00:00:00+00:00", GROUPS, end)
        assert (row["by_product"], row["force"]) == ({"clocks": "0", "wine": "15"}, "in_force")
    assert told(track("lawful", ON, end)) == told(track("lawful", ON))


def test_rates_by_product_that_have_lapsed_are_unconfirmed_with_bounds() -> None:
    row = measure(JULY, GROUPS.model_copy(update={"until": on("2024-06-01")}))
    assert (row["status"], row["low"], row["high"]) == ("lapsed_unconfirmed", "0", "15")
    paused = duty("A2", "suspended", "2024-03-01", effective=on("2024-03-10"), until=on("2024-06-10"))
    amount = amount_at("duty", knowing(GROUPS, paused).timeline("duty"), "lawful", None, parse_instant(JULY)).amount
    assert (amount.value, amount.low, amount.high) == (None, Decimal(0), Decimal(15))
    assert amount.status == "lapsed_unconfirmed"


def test_what_has_lapsed_and_never_had_a_rate_has_no_bounds_either() -> None:
    control = duty("A1", "imposed", "2024-01-10", effective=on("2024-01-15"), until=on("2024-06-01"))
    row = measure(JULY, control)
    assert (row["status"], row["rate"], row["low"], row["high"]) == ("lapsed_unconfirmed", None, None, None)


def test_an_act_of_which_nobody_tells_when_it_begins_is_told_and_moves_nothing() -> None:
    for stage, rate in (("imposed", "40"), ("ended", None)):
        row = measure("2024-05-01T00:00:00+00:00", ON, duty("A2", stage, "2024-04-01", rate=rate))
        assert row["rate"] == "34"
        assert row["not_in_force"] == [{"stage": stage, "rate": rate, "act": "A2", "status": "settled"}]


def test_a_scope_is_told_also_by_a_report_that_names_no_origins() -> None:
    wine = duty("A2", "changed", "2024-03-01", rate="20", effective=on("2024-03-10"), exceptions=("books",), origins=())
    row = measure("2024-05-01T00:00:00+00:00", ON, wine)
    assert (row["origins"], row["scope"]) == (["FR"], {"goods": "all", "exceptions": ["books"]})


def test_where_the_leading_report_is_silent_the_next_best_one_speaks() -> None:
    more = duty(
        "A1",
        "imposed",
        "2024-01-11",
        WIRE,
        rate="34",
        effective=on("2024-02-01"),
        retroactive_from=on("2024-01-20"),
        contingent_on="peace",
        authority="Act 5",
        title="Another title",
    )
    row = measure("2024-05-01T00:00:00+00:00", ON, more)
    assert (row["contingent_on"], row["authority"], row["title"]) == ("peace", "Act 5", "On")
    assert row["since"] == "2024-01-20T05:00:00+00:00"
    rumour = more.model_copy(update={"source": RUMOUR})
    assert measure("2024-05-01T00:00:00+00:00", ON, rumour)["since"] == "2024-02-01T05:00:00+00:00"


def test_what_another_report_says_of_the_kind_of_an_end_overrules_no_end_that_is_told() -> None:
    for_good = duty("A2", "suspended", "2024-03-01", WIRE, effective=on("2024-03-10")).model_copy(
        update={"until_kind": "permanent"}
    )
    assert measure("2024-05-01T00:00:00+00:00", ON, TRUCE, for_good)["until_kind"] == "stated"
    open_ended = TRUCE.model_copy(update={"until": None, "until_kind": "none_stated"})
    assert measure("2024-05-01T00:00:00+00:00", ON, open_ended, for_good)["until_kind"] == "permanent"


def test_on_the_day_on_which_some_goods_are_exempted_what_holds_for_all_may_hold_for_them_still() -> None:
    spared = duty(
        "A3", "exempted", "2024-03-01", rate=ByProduct(by_product={"clocks": "0"}), effective=on("2024-03-05")
    )
    timeline = knowing(ON, spared).timeline("duty")
    found = [
        amount_at("duty", timeline, "lawful", "clocks", parse_instant(f"2024-03-0{day}T12:00:00+00:00")).amount
        for day in (4, 5, 6)
    ]
    assert [f"{one.value} {one.low}-{one.high}" for one in found] == ["34 34-34", "0 0-34", "0 0-0"]
