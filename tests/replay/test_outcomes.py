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
