"""Rumours: unverified reports stand where nobody else tells, are marked in what rests on them, and move no more."""

from tests.stories.telling import RUMOUR, WIRE, answered, duty, listed, measure, on, review, tells
from tests.stories.test_deadlines import IMPOSED, played

CHANGED = duty("A2", "changed", "2024-03-01", rate="10", effective=on("2024-03-10"))
AT = "2024-04-05T00:00:00+00:00"


def test_a_rumour_with_a_wrong_date_puts_no_act_before_another() -> None:
    wrong = duty("A2", "changed", "2024-01-03", RUMOUR, rate="10", effective=on("2024-03-10"))
    assert measure(AT, IMPOSED, CHANGED, wrong) == {**measure(AT, IMPOSED, CHANGED), "reports": 3}
    alone = duty("A2", "changed", "2024-01-03", RUMOUR, rate="10", effective=on("2024-01-03"))
    assert measure(AT, IMPOSED, alone)["rate"] == "34"


def test_a_rumour_with_a_wrong_date_neither_sets_a_date_back_nor_a_meeting() -> None:
    moved = review("P2", "moved", "2024-03-10", due=on("2024-08-01"))
    of_old = review("P2", "moved", "2023-03-10", due=on("2024-08-01")).model_copy(update={"source": RUMOUR})
    told = [review("P1", "set", "2024-01-10", due=on("2024-06-01")), moved, of_old]
    (row,) = [one for one in listed(answered(AT, *told), "deadlines") if one["deadline"] == "review"]
    assert (row["due"], row["revision"]) == ("2024-08-01", 2)


def test_a_date_that_only_a_rumour_tells_is_marked_in_the_row_and_in_alerts() -> None:
    undated = duty("A1", "imposed", "2024-01-10", rate="34")
    rumour = tells("A1", "2024-01-10", ("effective", on("2024-03-01")), RUMOUR)
    row = measure("2024-03-05T00:00:00+00:00", undated, rumour)
    assert (row["rate"], row["force"], row["status"]) == ("34", "in_force", "unverified")
    last_word = review("P9", "met", "2025-12-31")
    warned = [one["status"] for one in played(undated, rumour, last_word) if one["deadline"] == "duty.start.a1"]
    assert warned == ["unverified"] * 4
    wire = tells("A1", "2024-01-10", ("effective", on("2024-03-01")), WIRE)
    assert measure("2024-03-05T00:00:00+00:00", undated, rumour, wire)["status"] == "settled"
