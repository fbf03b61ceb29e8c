"""Sylvania and Freedonia: a negotiation that the project has no line of code for, through its packaged doors."""

from pathlib import Path

import pytest

from ledger.answer import Asked, state
from schemas.changes import Json
from schemas.times import parse_instant
from streams.ledger_file import events, recorded

FILE = Path(__file__).parent / "sylvania_freedonia.jsonl"
KNOWN_AT = parse_instant("2024-07-01T00:00:00+00:00")


def asked(at: str) -> Json:
    return state("sylvania-freedonia", recorded(events(str(FILE))), Asked(parse_instant(at), KNOWN_AT))


def metric(at: str) -> Json:
    metrics = asked(at)["metrics"]
    assert isinstance(metrics, dict)
    found = metrics["sy_on_fr.total.collected"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("at", "value", "low", "high", "status"),
    [
        ("2024-02-29T23:59:59+01:00", "0", "0", "0", "settled"),
        ("2024-03-01T00:00:00+01:00", "12.5", "12.5", "12.5", "settled"),
        ("2024-04-01T00:00:00+02:00", "2.5", "2.5", "2.5", "settled"),
        ("2024-04-21T00:00:00+02:00", "2.5", "2.5", "2.5", "settled"),  # the threatened 40 never came
        ("2024-05-30T00:00:00+02:00", "12.5", "2.5", "12.5", "lapsed_unconfirmed"),
    ],
)
def test_its_duties_add_up(at: str, value: str, low: str, high: str, status: str) -> None:
    assert metric(at) == {
        "value": value,
        "low": low,
        "high": high,
        "status": status,
        "unit": "percent",
        "definition": "All Sylvanian duties on all Freedonian goods, as collected.",
        "version": 1,
    }


@pytest.mark.parametrize(
    ("at", "pending"),
    [
        ("2024-02-20T00:00:00+01:00", [("sy_all_goods.start.s1", "start", "2024-03-01T00:00:00+01:00")]),
        ("2024-03-15T00:00:00+01:00", []),
        (
            "2024-04-05T12:00:00+02:00",
            [
                ("sy_emergency.start.s3", "threat", "2024-04-20"),
                ("sy_all_goods.lapse", "lapse", "2024-05-30T00:00:00+02:00"),
            ],
        ),
        ("2024-05-29T23:59:59+02:00", [("sy_all_goods.lapse", "lapse", "2024-05-30T00:00:00+02:00")]),
        ("2024-05-30T00:00:00+02:00", []),
    ],
)
def test_its_deadlines_are_pending_until_their_time(at: str, pending: list[tuple[str, str, str]]) -> None:
    found = asked(at)["deadlines"]
    assert isinstance(found, list)
    assert [(one["deadline"], one["kind"], one["due"]) for one in found if one["state"] == "pending"] == pending


@pytest.mark.parametrize(
    ("at", "count", "begun", "planned"),
    [
        ("2024-04-02T23:59:59+02:00", 0, [], []),
        ("2024-04-05T12:00:00+02:00", 0, [], ["border-inn-2024-04"]),
        ("2024-04-10T00:00:00+02:00", 1, ["border-inn-2024-04"], []),
    ],
)
def test_its_envoys_meet(at: str, count: int, begun: list[str], planned: list[str]) -> None:
    groups = asked(at)["meetings"]
    assert isinstance(groups, dict)
    found = groups["ambassadors"]
    shown = {name: [one["meeting"] for one in found[name]] for name in ("list", "calls", "planned")}
    assert (found["in_person"], shown) == (count, {"list": begun, "calls": [], "planned": planned})


def test_its_answer_says_how_far_it_reaches_and_where_reports_differ() -> None:
    found = asked("2024-06-20T00:00:00+02:00")
    assert (found["negotiation"], found["data_through"], found["position"]) == (
        "sylvania-freedonia",
        "2024-06-15",
        {"0": 7},
    )
    assert found["warnings"] == [
        {"code": "lapsed_as_written_unconfirmed", "count": 1},
        {"code": "passed_with_no_outcome_recorded", "count": 2},
        {"code": "reports_differ", "count": 1},
        {"code": "beyond_the_data", "data_through": "2024-06-15"},
    ]
    disputed = found["disputed"]
    assert isinstance(disputed, list)
    assert [(one["subject"], one["property"], one["values"], one["contested"]) for one in disputed] == [
        ("sy_all_goods", "effective", ["2024-04-01T00:00:00+02:00", "2024-03-28"], False)
    ]
