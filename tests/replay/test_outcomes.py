"""What became of acts, dates and proceedings: told from the day on which it could be known."""

import json
from typing import Any

import pytest

from ledger.answer import Asked, state
from schemas.positions import Recorded
from schemas.times import parse_instant
from tests.replay.asking import NEGOTIATION

END = "2026-10-10T04:00:00+00:00"
"""The instant from which every report of the history is public."""


def answered(shipped: list[Recorded], at: str, known_at: str | None = None) -> dict[str, Any]:
    asked = Asked(parse_instant(at), parse_instant(known_at or at))
    found: dict[str, Any] = json.loads(json.dumps(state(NEGOTIATION, shipped, asked)))
    return found


def measures(shipped: list[Recorded], at: str, known_at: str | None = None) -> dict[str, dict[str, Any]]:
    return {row["component"]: row for row in answered(shipped, at, known_at)["measures"]}


def deadlines(shipped: list[Recorded], at: str, known_at: str | None = None) -> dict[str, dict[str, Any]]:
    return {row["deadline"]: row for row in answered(shipped, at, known_at)["deadlines"]}


LIST_4B = "s301_l4b.start.a013-section-301-list-4b-scheduled"


@pytest.mark.parametrize(
    ("at", "force", "became"),
    [
        ("2019-12-13T12:00:00-05:00", "announced", "pending"),
        ("2019-12-14T12:00:00-05:00", "suspended", "withdrawn"),
        ("2019-12-16T12:00:00-05:00", "suspended", "withdrawn"),
        ("2026-10-09T12:00:00-04:00", "suspended", "withdrawn"),
    ],
)
def test_list_4b_was_put_off_two_days_before_its_start(
    shipped: list[Recorded], at: str, force: str, became: str
) -> None:
    row = measures(shipped, at)["s301_l4b"]
    assert (row["force"], row["collected"]) == (force, False)
    assert deadlines(shipped, at)[LIST_4B]["state"] == became


@pytest.mark.parametrize("at", ["2025-10-15T12:00:00-04:00", "2025-10-31T12:00:00-04:00", "2025-11-10T12:00:00-05:00"])
def test_both_lists_of_4_april_stay_suspended(shipped: list[Recorded], at: str) -> None:
    found = measures(shipped, at, END)
    assert [found[name]["force"] for name in ("cn_ecl_2025_04_04", "cn_uel_2025_04_04")] == ["suspended"] * 2
    assert (found["cn_uel_2025_04_04"]["until"], found["cn_uel_2025_04_04"]["until_kind"]) == (None, "unknown")
    assert deadlines(shipped, at, END)["cn_uel_2025_04_04.lapse"]["state"] == "moot"


def test_that_the_unreliable_entities_of_april_stayed_suspended_in_august_is_marked_as_inferred(
    shipped: list[Recorded],
) -> None:
    assert measures(shipped, "2025-10-15T12:00:00-04:00")["cn_uel_2025_04_04"]["status"] == "unverified"


@pytest.mark.parametrize(
    ("at", "proceeding", "stage", "since"),
    [
        ("2018-07-07T12:00:00-04:00", "us_301_tech_transfer", "ruled", "2018-06-20T04:00:00+00:00"),
        ("2025-01-20T23:59:00-05:00", "cn_aml_nvidia", "opened", "2024-11-30T16:00:00+00:00"),
        ("2025-05-29T12:00:00-04:00", "lit_ieepa", "ruled", "2025-05-28T04:00:00+00:00"),
        ("2025-10-15T12:00:00-04:00", "cn_aml_qualcomm", "opened", "2025-10-09T16:00:00+00:00"),
    ],
)
def test_a_proceeding_is_known_from_the_day_of_its_step(
    shipped: list[Recorded], at: str, proceeding: str, stage: str, since: str
) -> None:
    row = measures(shipped, at)[f"proceeding/{proceeding}"]
    assert (row["force"], row["since"]) == (stage, since)


def test_no_proceeding_is_known_before_its_first_step(shipped: list[Recorded]) -> None:
    assert "proceeding/cn_aml_nvidia" not in measures(shipped, "2024-12-31T12:00:00+08:00")
    assert "proceeding/lit_ieepa" not in measures(shipped, "2025-05-27T12:00:00-04:00", END)
    assert "proceeding/cn_aml_qualcomm" not in measures(shipped, "2025-10-10T12:00:00+08:00")


def test_a_start_that_no_source_carries_is_that_of_the_announcement(shipped: list[Recorded]) -> None:
    row = measures(shipped, "2025-10-15T12:00:00-04:00")["cn_nexperia"]
    assert (row["force"], row["since"]) == ("in_force", "2025-10-03T16:00:00+00:00")


def test_a_statute_that_creates_a_power_puts_nothing_in_force(shipped: list[Recorded]) -> None:
    at = "2026-10-08T12:00:00-04:00"
    row = measures(shipped, at)["us_rus_secondary"]
    assert (row["force"], row["since"], row["collected"]) == ("announced", None, False)
    assert deadlines(shipped, at)["us_rus_secondary.powers"]["state"] == "pending"


@pytest.mark.parametrize(
    ("component", "before", "after"),
    [
        ("us_bis_h20", "2025-07-14T12:00:00-04:00", "2025-07-15T12:00:00-04:00"),
        ("cn_nexperia", "2025-10-31T12:00:00-04:00", "2025-12-01T12:00:00+08:00"),
    ],
)
def test_a_control_that_was_relaxed_is_suspended(
    shipped: list[Recorded], component: str, before: str, after: str
) -> None:
    forces = [measures(shipped, at)[component]["force"] for at in (before, after, END)]
    assert forces == ["in_force", "suspended", "suspended"]


def test_who_takes_back_a_threat_takes_back_all_of_it(shipped: list[Recorded]) -> None:
    found = [measures(shipped, at) for at in ("2025-10-26T12:00:00-04:00", "2025-10-27T12:00:00-04:00")]
    forces = [[one[name]["force"] for one in found] for name in ("us_threat_100", "us_threat_software")]
    assert forces == [["threatened", "withdrawn"]] * 2


@pytest.mark.parametrize(
    ("deadline", "before", "after", "outcome"),
    [
        ("us_reciprocal_50.answer", "2025-04-08T12:00:00-04:00", "2025-04-09T00:00:00-04:00", ("lapsed", "A042")),
        ("us_301_phase1.comments", "2025-11-30T12:00:00-05:00", "2025-12-02T00:00:00-05:00", ("met", "A096")),
        ("us_301_fl.hearing", "2026-04-27T12:00:00-04:00", "2026-04-29T00:00:00-04:00", ("met", "A130")),
        ("us_bot.comments", "2026-07-09T12:00:00-04:00", "2026-07-11T00:00:00-04:00", ("met", "A140")),
        ("us_301_excesscap.conclusion", "2026-07-23T12:00:00-04:00", "2026-07-25T00:00:00-04:00", ("lapsed", "A129")),
    ],
)
def test_an_outcome_is_known_when_the_day_that_was_due_has_ended(
    shipped: list[Recorded], deadline: str, before: str, after: str, outcome: tuple[str, str]
) -> None:
    found = deadlines(shipped, after)[deadline]
    assert deadlines(shipped, before)[deadline]["state"] == "pending"
    assert (found["state"], found["acts"][-1].split("-")[0]) == outcome


def test_comments_on_the_forced_labor_duties_are_done_with_the_final_duty(shipped: list[Recorded]) -> None:
    asked = ("2026-07-22T12:00:00-04:00", "2026-07-24T12:00:00-04:00")
    states = [deadlines(shipped, at)["us_301_fl.duties_comments"]["state"] for at in asked]
    assert states == ["lapsed_unconfirmed", "met"]


@pytest.mark.parametrize(
    "deadline", ["us_301_phase1.hearing", "us_301_excesscap.hearing", "us_301_fl.duties_hearing", "cn_tb_2026.term"]
)
def test_a_date_whose_outcome_nobody_tells_is_left_unconfirmed(shipped: list[Recorded], deadline: str) -> None:
    assert deadlines(shipped, "2026-10-09T12:00:00-04:00")[deadline]["state"] == "lapsed_unconfirmed"


def commitments(shipped: list[Recorded], at: str) -> dict[str, dict[str, Any]]:
    return {row["commitment"]: row for row in answered(shipped, at)["commitments"]}


def test_soybeans_were_promised_in_words_before_the_fact_sheet(shipped: list[Recorded]) -> None:
    in_words, on_paper = (commitments(shipped, f"{day}T12:00:00-05:00") for day in ("2025-10-31", "2025-11-02"))
    assert {name: row["due"] for name, row in in_words.items()} == {
        "soybeans_12mt": "2026-01",
        "soybeans_25mt_2026": "2026-12-31",
        "soybeans_25mt_2027": "2027-12-31",
        "soybeans_25mt_2028": "2028-12-31",
    }
    assert (on_paper["soybeans_12mt"]["due"], on_paper["soybeans_12mt"]["force"]) == ("2025-12-31", "made")


def test_the_soybeans_came_after_the_date_of_the_fact_sheet_and_came(shipped: list[Recorded]) -> None:
    asked = [f"{day}T12:00:00-05:00" for day in ("2025-12-31", "2026-01-10", "2026-01-21")]
    assert [deadlines(shipped, at)["soybeans_12mt.due"]["state"] for at in asked] == [
        "pending",
        "lapsed_unconfirmed",
        "lapsed",
    ]
    assert [commitments(shipped, at)["soybeans_12mt"]["force"] for at in asked] == ["made", "made", "fulfilled"]


def test_the_twelve_month_mark_of_the_phase_one_investigation_is_inferred(shipped: list[Recorded]) -> None:
    found = deadlines(shipped, "2026-10-09T12:00:00-04:00")["us_301_phase1.term"]
    assert (found["due"], found["basis"], found["state"]) == ("2026-10-24", "inferred", "pending")


@pytest.mark.parametrize(
    ("at", "known_at", "counts"),
    [
        ("2025-10-29T23:59:59+09:00", END, (5, 5, 5)),
        ("2025-10-30T00:00:00+09:00", END, (5, 5, 6)),
        ("2025-10-30T23:00:00+08:00", "2025-10-31T00:00:00+08:00", (5, 5, 6)),
        ("2026-01-18T23:59:59+01:00", END, (5, 5, 6)),
        ("2026-01-19T00:00:00+01:00", END, (5, 6, 7)),
        ("2026-01-19T23:00:00+01:00", "2026-01-20T00:00:00+01:00", (5, 6, 7)),
    ],
)
def test_a_meeting_that_both_tell_of_where_they_meet_is_dated_there(
    shipped: list[Recorded], at: str, known_at: str, counts: tuple[int, int, int]
) -> None:
    group = answered(shipped, at, known_at)["meetings"]["he-lifeng+bessent"]
    assert (group["numbered_rounds"], group["in_person"], group["in_person_with_summits"]) == counts
