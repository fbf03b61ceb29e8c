"""What is told again, late or in part: an older act told anew is no newer act, and a date put off is none."""

import pytest

from ledger.deadlines import Deadline
from ledger.reports import Unit
from schemas.events import DeadlineChanged, Event, MeetingChanged
from schemas.times import When, parse_instant
from tests.stories.telling import (
    NEW_YORK,
    STATEMENT,
    WIRE,
    answered,
    deadlines,
    duty,
    header,
    listed,
    on,
    published,
    review,
    talks,
    tells,
    the_talks,
    witness,
)
from tests.stories.test_deadlines import played

ARCHIVE = witness("Archive", "secondary", published=published("2024-05-01"))
SET = review("P1", "set", "2024-01-10", due=on("2024-06-01"), component="duty", what="A review")
MOVED = review("P2", "moved", "2024-03-10", due=on("2024-08-01"))
SET_TOLD_LATE = DeadlineChanged(
    **header("P1", "2024-01-10", ARCHIVE, STATEMENT),
    stage="set",
    deadline="review",
    kind="promise",
    due=on("2024-06-01"),
)
PLANNED = talks("M1", "planned", "2024-01-10", first_day=on("2024-03-01"), last_day=on("2024-03-03"))
PUT_OFF = talks("M2", "postponed", "2024-02-10", first_day=on("2024-06-01"))
PLANNED_TOLD_LATE = MeetingChanged(
    **header("M1", "2024-01-10", ARCHIVE, STATEMENT), stage="planned", meeting="inn", first_day=on("2024-03-01")
)


def reviewed(at: str, *events: Event) -> Deadline:
    (found,) = deadlines(at, *events, unit=Unit("deadline", "review")).values()
    return found


def test_a_date_that_was_moved_stays_moved_when_somebody_tells_late_of_how_it_was_set() -> None:
    found = reviewed("2024-05-20T00:00:00+00:00", SET, MOVED, SET_TOLD_LATE)
    assert (found.due, found.revision, found.state) == (MOVED.due, 2, "pending")
    assert found.trail == (("2024-06-01", "P1"),)


def test_a_date_that_was_put_off_with_no_new_one_is_moved_and_nobody_is_warned_of_it() -> None:
    no_day = review("P2", "moved", "2024-03-10")
    for at in ("2024-05-20T00:00:00+00:00", "2024-07-20T00:00:00+00:00"):
        found = reviewed(at, SET, no_day)
        assert (found.state, found.reason) == ("moved", "moved by P2, which tells no new date")
    last_word = duty("A9", "threatened", "2024-12-01")
    assert not [alert for alert in played(SET, no_day, last_word) if alert["deadline"] == "review"]
    anew = review("P3", "set", "2024-04-01", due=on("2024-09-01"))
    assert reviewed("2024-05-20T00:00:00+00:00", SET, no_day, anew).state == "pending"


def test_a_new_date_that_only_another_report_tells_is_the_date() -> None:
    claims = (
        tells("P2", "2024-03-11", ("due", on("2024-08-01")), WIRE).claims[0].model_copy(update={"subject": "review"})
    )
    says = tells("P2", "2024-03-11", ("due", on("2024-08-01")), WIRE).model_copy(update={"claims": (claims,)})
    found = reviewed("2024-05-20T00:00:00+00:00", SET, review("P2", "moved", "2024-03-10"), says)
    assert (found.due, found.state) == (on("2024-08-01"), "pending")


def test_a_date_that_is_moved_back_is_warned_of_again() -> None:
    far = review("P1", "set", "2024-01-10", due=on("2024-10-01"))
    near = review("P2", "moved", "2024-03-10", due=on("2024-08-15"))
    back = review("P3", "moved", "2024-08-10", due=on("2024-10-01"))
    assert reviewed("2024-08-12T12:00:00+00:00", far, near, back).revision == 3
    warned = [
        (alert["lead"], alert["due"])
        for alert in played(far, near, back, duty("A9", "threatened", "2024-12-01"))
        if alert["deadline"] == "review"
    ]
    assert ("30d", "2024-08-15") in warned
    assert ("30d", "2024-10-01") in warned


def test_a_promise_hangs_on_its_component_also_after_it_was_moved_without_a_word_on_that() -> None:
    imposed = duty("A1", "imposed", "2024-01-01", rate="1", effective=on("2024-01-05"))
    end = duty("A2", "ended", "2024-02-01", effective=on("2024-02-05"))
    found = reviewed("2024-05-20T00:00:00+00:00", imposed, end, SET, MOVED)
    assert (found.component, found.state, found.what) == ("duty", "moot", "A review")


@pytest.mark.parametrize("later", [PUT_OFF, talks("M2", "cancelled", "2024-02-10")])
def test_a_meeting_that_was_put_off_or_called_off_stays_so_when_somebody_tells_late_of_its_plan(
    later: MeetingChanged,
) -> None:
    at = "2024-05-20T00:00:00+00:00"
    found = the_talks(at, PLANNED, later, PLANNED_TOLD_LATE)
    assert (found.stage, found.begun(parse_instant(at))) == (later.stage, False)


def test_a_meeting_has_its_new_day_also_where_another_report_of_the_same_act_tells_none() -> None:
    found = the_talks("2024-06-05T00:00:00+00:00", PLANNED, PUT_OFF, talks("M2", "postponed", "2024-02-11", WIRE))
    assert (found.first_day, found.begun(parse_instant("2024-06-05T00:00:00+00:00"))) == (on("2024-06-01"), True)


def test_reports_of_one_plan_that_tell_different_days_are_a_dispute() -> None:
    other = talks("M1", "planned", "2024-01-11", WIRE, first_day=on("2024-03-05"))
    found = the_talks("2024-02-05T00:00:00+00:00", PLANNED, other)
    assert found.first_day == on("2024-03-01")
    assert ("first_day", (on("2024-03-01"), on("2024-03-05"))) in [(one.property, one.values) for one in found.disputes]


def test_a_meeting_that_was_put_off_does_not_end_before_it_begins() -> None:
    assert the_talks("2024-02-15T00:00:00+00:00", PLANNED, PUT_OFF).last_day == on("2024-06-01")


def test_a_meeting_that_was_held_on_a_day_nobody_tells_has_begun() -> None:
    answer = answered("2024-04-01T00:00:00+00:00", talks("M1", "held", "2024-03-10"))
    others = answer["other_meetings"]
    assert isinstance(others, dict)
    assert [one["meeting"] for one in listed(others, "list")] == ["inn"]
    assert not others["planned"]


def test_a_meeting_of_a_month_has_its_place_among_the_others() -> None:
    vague = talks("M1", "planned", "2024-01-10", first_day=When(month="2024-04", zone=NEW_YORK))
    assert the_talks("2024-02-01T00:00:00+00:00", vague).day == "2024-04"
