"""Ends that acts set for all goods and for some: one deadline each, moved by what extends it."""

from schemas.events import Event
from schemas.rates import ByProduct
from schemas.times import When
from tests.stories.telling import deadlines, duty, instant, on
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


def test_what_a_truce_brings_back_is_told_also_after_it_was_extended() -> None:
    paused = duty(
        "A2", "suspended", "2024-03-01", effective=on("2024-03-10"), until=instant("2024-06-10T00:01:00-04:00")
    )
    told = deadlines("2024-06-02T00:00:00+00:00", IMPOSED, paused, LONGER)["duty.lapse"]
    assert (told.due, told.on_lapse) == (LONGER.until, "what is suspended returns")
    ends_then = LONGER.model_copy(update={"on_lapse": "20"})
    assert deadlines("2024-06-02T00:00:00+00:00", IMPOSED, paused, ends_then)["duty.lapse"].on_lapse == "20%"
