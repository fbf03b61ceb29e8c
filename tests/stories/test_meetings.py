"""Who has met how often: what counts, what only is listed, and what stays the same meeting."""

from typing import Any

import pytest

from schemas.changes import Json
from schemas.events import ActReported, Event, MetricDefined, Participant, PropertyClaim
from schemas.formulas import CountOfMeetings
from schemas.provenance import Source
from schemas.times import parse_instant
from tests.stories.telling import (
    FIREFLY,
    NEGOTIATION,
    RUMOUR,
    SHANGHAI,
    STATEMENT,
    TRACKER,
    WIRE,
    answered,
    header,
    on,
    talks,
    the_talks,
)


def counter(name: str, *kinds: str, numbered: bool = False) -> MetricDefined:
    formula = CountOfMeetings(
        kind="count_of_meetings",
        group="envoys",
        counter=name,
        participants=("firefly", "trentino"),
        formats=("in_person",),
        kinds=kinds,  # type: ignore[arg-type]
        numbered=numbered,
    )
    return MetricDefined(
        negotiation=NEGOTIATION, metric=f"meetings.{name}", revision=1, unit="count", definition="As counted.",
        formula=formula,
    )  # fmt: skip


COUNTERS = (
    counter("numbered_rounds", "round", numbered=True),
    counter("in_person", "round", "bilateral"),
    counter("with_summits", "round", "bilateral", "summit"),
)


def envoys(at: str, *events: Event) -> Json:
    groups = answered(at, *COUNTERS, *events)["meetings"]
    assert isinstance(groups, dict)
    group = groups["envoys"]
    assert isinstance(group, dict)
    return group


def counted(at: str, *events: Event) -> tuple[object, object, object]:
    found = envoys(at, *events)
    return found["numbered_rounds"], found["in_person"], found["with_summits"]


PLANNED = talks(
    "M1", "planned", "2024-03-01", first_day=on("2024-04-10", SHANGHAI), last_day=on("2024-04-12", SHANGHAI)
)


def test_a_meeting_in_progress_counts_from_the_first_minute_of_its_day_where_it_is_held() -> None:
    assert counted("2024-04-09T15:59:59+00:00", PLANNED) == (0, 0, 0)
    assert counted("2024-04-09T16:00:00+00:00", PLANNED) == (0, 1, 1)


def test_a_planned_meeting_nobody_reported_as_held_is_unconfirmed() -> None:
    assert not the_talks("2024-05-01T00:00:00+00:00", PLANNED).confirmed
    held = talks("M2", "held", "2024-04-13", first_day=on("2024-04-10", SHANGHAI))
    assert the_talks("2024-05-01T00:00:00+00:00", PLANNED, held).confirmed


def test_a_postponed_meeting_stays_the_same_meeting() -> None:
    later = talks("M2", "postponed", "2024-04-01", first_day=on("2024-05-20"))
    held = talks("M3", "held", "2024-05-22", first_day=on("2024-05-20"), number=2)
    found = the_talks("2024-06-01T00:00:00+00:00", PLANNED, later, held)
    assert (found.id, found.first_day, found.number, found.acts) == ("inn", on("2024-05-20"), 2, ("M1", "M2", "M3"))
    assert counted("2024-05-01T00:00:00+00:00", PLANNED, later, held) == (0, 0, 0)
    assert counted("2024-06-01T00:00:00+00:00", PLANNED, later, held) == (1, 1, 1)


def test_a_cancelled_meeting_never_counts() -> None:
    off = talks("M2", "cancelled", "2024-04-05")
    assert counted("2024-05-01T00:00:00+00:00", PLANNED, off) == (0, 0, 0)


@pytest.mark.parametrize("form", ["phone", "video"])
def test_calls_are_listed_and_never_count(form: str) -> None:
    call = talks("M1", "held", "2024-04-10", first_day=on("2024-04-10"), format=form)
    found = envoys("2024-05-01T00:00:00+00:00", call)
    assert (found["in_person"], found["list"]) == (0, [])
    calls = found["calls"]
    assert isinstance(calls, list)
    assert [(one["meeting"], one["format"], one["counted_in"]) for one in calls] == [("inn", form, [])]


def test_a_summit_counts_where_the_definition_says_so() -> None:
    summit = talks("M1", "held", "2024-04-10", first_day=on("2024-04-10"), kind="summit")
    assert counted("2024-05-01T00:00:00+00:00", summit) == (0, 0, 1)


def test_a_meeting_of_one_envoy_with_others_is_none_of_both() -> None:
    alone = talks("M1", "held", "2024-04-10", first_day=on("2024-04-10"), participants=PLANNED.participants[:1])
    assert envoys("2024-05-01T00:00:00+00:00", alone)["list"] == []


def test_a_meeting_reported_by_two_is_one_meeting() -> None:
    one = talks("M1", "held", "2024-04-12", WIRE, first_day=on("2024-04-10"))
    two = talks("M1", "held", "2024-04-12", TRACKER, first_day=on("2024-04-10"))
    assert counted("2024-05-01T00:00:00+00:00", one, two) == (0, 1, 1)
    assert the_talks("2024-05-01T00:00:00+00:00", one, two).status == "settled"


def test_what_was_held_outranks_what_was_planned() -> None:
    held = talks("M2", "held", "2024-04-13", WIRE, first_day=on("2024-04-11", SHANGHAI), place="Spa")
    found = the_talks("2024-05-01T00:00:00+00:00", PLANNED, held)
    assert (found.first_day, found.place, found.stage) == (on("2024-04-11", SHANGHAI), "Spa", "held")


def test_a_meeting_to_come_is_listed_as_planned() -> None:
    found = envoys("2024-03-15T00:00:00+00:00", PLANNED)
    planned = found["planned"]
    assert isinstance(planned, list)
    assert (found["list"], [(one["meeting"], one["from"]) for one in planned]) == ([], [("inn", "2024-04-10")])


def test_a_meeting_put_off_without_a_new_day_has_not_begun() -> None:
    put_off = talks("M2", "postponed", "2024-04-05", first_day=None)
    assert counted("2024-05-01T00:00:00+00:00", PLANNED, put_off) == (0, 0, 0)
    again = talks("M3", "planned", "2024-04-20", first_day=on("2024-04-25", SHANGHAI))
    assert counted("2024-05-01T00:00:00+00:00", PLANNED, put_off, again) == (0, 1, 1)


def groups(at: str, *events: Event) -> dict[str, dict[str, list[str]]]:
    """Return the ids of meetings by group and list, those of no group under `other`."""
    found: Any = answered(at, *events)
    lists = ("list", "calls", "planned")
    everything = {**found["meetings"], "other": found["other_meetings"]}
    return {
        name: {kind: [row["meeting"] for row in group[kind]] for kind in lists} for name, group in everything.items()
    }


PHONED = talks(
    "M7", "held", "2024-06-02", meeting="phoned", format="phone", kind="other", first_day=on("2024-06-01"),
    participants=(FIREFLY, Participant(id="leader", name="Leader")),
)  # fmt: skip
TO_COME = talks(
    "M8", "planned", "2024-06-02", meeting="to-come", first_day=on("2024-12-01"),
    participants=(Participant(id="leader", name="Leader"),),
)  # fmt: skip


def test_meetings_that_no_counter_groups_are_listed_too() -> None:
    at = "2024-07-01T00:00:00+00:00"
    other = {"list": [], "calls": ["phoned"], "planned": ["to-come"]}
    assert groups(at, PHONED, TO_COME) == {"other": other}
    assert groups(at, *COUNTERS, PLANNED, PHONED, TO_COME) == {
        "envoys": {"list": ["inn"], "calls": [], "planned": []},
        "other": other,
    }


def test_a_group_lists_whoever_one_of_its_counters_may_count() -> None:
    of_leaders = CountOfMeetings(
        kind="count_of_meetings", group="envoys", counter="leaders", participants=("leader",), formats=("phone",),
        kinds=("other",),
    )  # fmt: skip
    leaders = MetricDefined(
        negotiation=NEGOTIATION, metric="leaders", revision=1, unit="count", definition="x", formula=of_leaders
    )
    found = groups("2024-07-01T00:00:00+00:00", *COUNTERS, leaders, PLANNED, PHONED)
    assert found == {
        "envoys": {"list": ["inn"], "calls": ["phoned"], "planned": []},
        "other": {"list": [], "calls": [], "planned": []},
    }


def test_a_meeting_whose_format_nobody_tells_is_listed_and_counted_by_none() -> None:
    untold = talks("M9", "held", "2024-06-02", format=None, first_day=on("2024-06-01"))
    assert counted("2024-07-01T00:00:00+00:00", untold) == (0, 0, 0)
    found: Any = envoys("2024-07-01T00:00:00+00:00", untold)
    (row,) = found["list"]
    assert (row["format"], row["counted_in"]) == (None, [])


def test_what_was_said_of_the_days_before_a_postponement_is_no_claim_on_the_new_ones() -> None:
    said = tells_day("M1", "2024-03-01", "2024-04-10", WIRE)
    later = talks("M1", "postponed", "2024-04-01", RUMOUR, first_day=on("2024-05-20", SHANGHAI))
    confirms = tells_day("M1", "2024-04-02", "2024-05-20", TRACKER)
    for events in ((PLANNED, said, later), (PLANNED, said, later, confirms)):
        found = the_talks("2024-04-15T00:00:00+00:00", *events)
        assert (found.day, found.begun(parse_instant("2024-04-15T00:00:00+00:00"))) == ("2024-05-20", False)
        assert found.disputes == ()


def tells_day(act: str, announced: str, day: str, source: Source) -> ActReported:
    claim = PropertyClaim(subject="inn", property="first_day", value=on(day, SHANGHAI))
    return ActReported(**header(act, announced, source, STATEMENT), claims=(claim,))
