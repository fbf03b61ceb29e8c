"""What a line of `watch` tells of a change or an alert: how well it is witnessed, of what, and where to go on from."""

import sys
from typing import Any

import pytest

from streams.doors import showing
from streams.doors.watching import Cursor

CAUSE = {"event": "e", "type": "component_changed", "act": "a1", "source": "Gazette", "grade": "wire"}


def change(table: str, before: dict[str, Any], after: dict[str, Any], **cause: object) -> dict[str, Any]:
    return {
        "kind": "row", "at": "2025-10-15T16:00:00+00:00", "key": "us-china/x", "table": table, "sequence": [2, 40, 1],
        "cause": CAUSE | cause, "before": before, "after": after,
    }  # fmt: skip


def line(table: str, before: dict[str, Any], after: dict[str, Any], **cause: object) -> str:
    return showing.change_line(change(table, before, after, **cause))


def test_a_rumour_does_not_look_like_the_gazette() -> None:
    before, after = {"rate": "10"}, {"rate": "20"}
    told = "2025-10-15T16:00Z  measures x: rate 10% → 20%  [a1, Gazette, wire]  2:40:1"
    assert line("measures", before, after) == told
    rumour = line("measures", before, after, source="a post", grade="unverified")
    assert rumour == "2025-10-15T16:00Z  measures x ?: rate 10% → 20%  [a1, a post, unverified ?]  2:40:1"


@pytest.mark.parametrize(
    ("status", "mark"), [("settled", ""), ("unverified", " ?"), ("disputed", " ≠"), ("lapsed_unconfirmed", " ~")]
)
def test_a_row_has_the_mark_of_its_status(status: str, mark: str) -> None:
    told = line("measures", {"status": "single-source"}, {"status": status}, type="clock_struck", grade=None)
    words = status.replace("_", " ")
    assert f"measures x{mark}: status single-source → {words}  [a1, Gazette]  2:40:1" in told


def test_one_more_report_of_a_rumour_leaves_the_row_as_it_is_marked() -> None:
    told = line("measures", {"reports": 3}, {"reports": 4}, grade="unverified")
    assert told.endswith("measures x: reports 3 → 4  [a1, Gazette, unverified ?]  2:40:1")


def test_a_metric_has_its_unit() -> None:
    assert "value 89.5% → 90%" in line("metrics", {"value": "89.5", "lines": []}, {"value": "90", "lines": [1]})
    assert "value 89.5 usd_billion → 90 usd_billion" in line(
        "metrics", {"value": "89.5", "unit": "usd_billion"}, {"value": "90", "unit": "usd_billion"}
    )
    row = {"value": "5", "low": "5", "high": "5", "status": "settled", "unit": "percent", "definition": "All of it."}
    assert "metrics x: defined, 5%: All of it.  [" in line("metrics", {}, row)


def test_bounds_that_move_without_the_value_are_told() -> None:
    assert "low 30% → 20%" in line("metrics", {"low": "30", "lines": []}, {"low": "20", "lines": [1]})


def test_a_commitment_says_what_was_promised() -> None:
    row = {
        "instrument": "commitment", "force": "made", "imposer": "CN", "beneficiary": "US", "what": "buy soybeans",
        "status": "unverified",
    }  # fmt: skip
    assert "measures x ?: made, CN to US: buy soybeans  [" in line("measures", {}, row)


def test_a_first_rate_a_threat_and_rates_by_product_are_in_words() -> None:
    after = {
        "rate": "10", "suspended": "0", "force": "in_force",
        "not_in_force": [{"stage": "threatened", "rate": "100", "status": "unverified"}],
    }  # fmt: skip
    told = line("measures", {"rate": None, "suspended": None, "force": "announced", "not_in_force": []}, after)
    assert "rate none → 10%, force announced → in force, not in force: threatened 100% ?  [" in told
    told = line("measures", {"by_product": {}}, {"by_product": {"ev": "100", "gloves": "100", "magnets": "25"}})
    assert "by product none → 100% ev, gloves; 25% magnets" in told
    following = {"by_product": {"ev": "100"}, "rate": None, "force": "in_force", "from": "2026-01-01T05:00:00+00:00"}
    assert "next none → 100% ev from 2026-01-01T05:00Z" in line("measures", {"next": None}, {"next": following})


def test_an_alert_has_its_mark_and_its_cursor_and_the_cursor_is_one() -> None:
    alert = {
        "warn_at": "2026-01-16T05:00:00+00:00", "lead": "7d", "due": "2026-01-23", "late_by_seconds": 0,
        "what": "divest", "on_lapse": None, "deadline": "us_tiktok.lapse", "status": "unverified",
        "sequence": [0, 831, 2],
    }  # fmt: skip
    told = showing.alert_line(alert)
    assert told == "2026-01-16T05:00Z  ALERT 7d before 2026-01-23: divest ?  [us_tiktok]  0:831:2"
    assert Cursor.parse(told.split()[-1]) == Cursor(0, 831, 2)


def test_lines_for_people_begin_with_what_their_marks_mean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert showing.begins_lines(as_json=False)
    assert capsys.readouterr().err.startswith("not legal advice   ? unverified")
    assert not showing.begins_lines(as_json=True)
    assert not capsys.readouterr().err
