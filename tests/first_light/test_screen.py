"""What a person sees of the demonstration: three tables on any terminal, whole lines, no wrapped row."""

import io
import json
import re

import pytest
from rich.console import Console

from ledger.history import Negotiation
from schemas.ids import event_id
from schemas.positions import Recorded
from streams.doors import showing
from streams.doors.screen import Shown, shares
from tests.first_light.running import played_history

TITLES = ("tariffs in force", "pending deadlines", "meetings from")
EDGES = ("╭", "╰")


@pytest.fixture(scope="module")
def shown() -> Shown:
    """Give what a viewer has seen when the whole history was replayed."""
    history = played_history()
    seen = Shown(total=len(history))
    negotiation = Negotiation(history[0].negotiation)
    for offset, event in enumerate(history):
        outcome = negotiation.evolve(Recorded(event, event_id(event), 0, offset, None))
        for alert in outcome.alerts:
            seen.alert(json.loads(json.dumps(alert)))
            seen.log.append(showing.alert_line(alert))
        for change in outcome.changes:
            seen.change(json.loads(json.dumps(change)))
            seen.log.append(showing.change_line(change))
        seen.events += 1
    return seen


def drawn(shown: Shown, width: int, height: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(shown.view(width, height))
    return captured.get().splitlines()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (120, 40), (130, 50), (200, 70)])
def test_all_three_tables_and_the_log_fit_on_the_screen(shown: Shown, width: int, height: int) -> None:
    lines = drawn(shown, width, height)
    assert len(lines) <= height - 1  # the last line is the cursor's
    assert max(len(line) for line in lines) <= width
    for title in TITLES:
        (head,) = [number for number, line in enumerate(lines) if line.startswith(title)]
        assert len(lines[head + 2].split()) > 3, f"no row under {title}"
    assert [line[0] for line in lines if line[0] in EDGES] == list(EDGES)


def test_a_screen_before_anything_came_has_its_tables_too() -> None:
    lines = drawn(Shown(total=1155), 80, 24)
    assert [title for title in TITLES if any(line.startswith(title) for line in lines)] == list(TITLES)
    assert lines[-2].startswith("no duties on all goods yet")


def test_a_taller_screen_shows_more_rows(shown: Shown) -> None:
    assert [len(drawn(shown, 130, height)) for height in (24, 30, 50)] == [23, 29, 49]


def test_the_duties_on_all_goods_come_first_and_the_metric_that_was_defined_first_leads(shown: Shown) -> None:
    lines = drawn(shown, 130, 50)
    head = next(number for number, line in enumerate(lines) if line.startswith(TITLES[0]))
    assert {lines[head + 2].split()[0], lines[head + 3].split()[0]} == {"cn_all_goods", "s301_forced_labor"}
    assert lines[-3].startswith("us_on_cn.additional_since_2025.collected 12.5%   ")


@pytest.mark.parametrize("width", [80, 100, 130, 200])
def test_metrics_are_whole_and_the_rest_is_counted(shown: Shown, width: int) -> None:
    lines = drawn(shown, width, 30)
    assert lines[-1].startswith("not legal advice   ? unverified   ≠ disputed")
    metrics = [part.strip() for line in lines[-3:-1] for part in line.split("   ") if part.strip()]
    *whole, last = metrics
    assert len(whole) >= 2
    assert all(re.fullmatch(r"[\w.+-]+ [\d.]+%?", one) for one in whole)
    assert re.fullmatch(r"\d+ more", last)


def test_what_rests_on_a_rumour_is_marked_on_the_screen() -> None:
    seen = Shown(total=1)
    row = {
        "component": "x_duty", "instrument": "tariff", "collected": True, "imposer": "US", "origins": ["CN"],
        "rate": "20", "suspended": "0", "since": "2025-01-01T05:00:00+00:00", "until": None, "refs": ["EO 1"],
        "scope": {"goods": "all"}, "status": "unverified",
    }  # fmt: skip
    seen.tables["measures"]["x_duty"] = row
    seen.tables["metrics"]["x.sum"] = {
        "value": "20", "low": "20", "high": "20", "unit": "percent", "status": "unverified",
    }  # fmt: skip
    lines = drawn(seen, 80, 24)
    (told,) = [line.split() for line in lines if line.startswith("x_duty")]
    assert told == ["x_duty", "US→CN", "20%", "?", "2025-01-01"]
    assert lines[-2].strip() == "x.sum 20% ?"


@pytest.mark.parametrize(
    ("room", "wanted", "given"),
    [
        (10, (40, 9, 20, 1), [3, 3, 3, 1]),
        (100, (40, 9, 20, 1), [40, 9, 20, 1]),
        (0, (5, 5), [0, 0]),
        (-3, (5, 5), [0, 0]),
        (3, (0, 9), [0, 3]),
    ],
)
def test_lines_are_shared_out_and_none_is_wasted(room: int, wanted: tuple[int, ...], given: list[int]) -> None:
    assert shares(room, wanted) == given


def test_every_instant_of_a_line_has_its_zone_and_every_rate_is_in_words(shown: Shown) -> None:
    assert all(line[16] == "Z" for line in shown.log)
    change = {
        "kind": "row",
        "at": "2019-05-31T16:00:00+00:00",
        "sequence": [0, 40, 1],
        "key": "us-china/cn_301r_l3",
        "table": "measures",
        "cause": {"act": None, "type": "clock_struck", "source": "parley/clock"},
        "before": {"rate": {"low": "5", "high": "10"}, "next": None},
        "after": {
            "rate": {"low": "5", "high": "25"},
            "next": {"rate": "20", "force": "in_force", "from": "2019-06-01T00:00:00+08:00"},
        },
    }
    assert showing.change_line(change) == (
        "2019-05-31T16:00Z  measures cn_301r_l3: rate 5-10% → 5-25%, next none → 20% from 2019-05-31T16:00Z"
        "  [clock_struck, parley/clock]  0:40:1"
    )


def test_a_person_reads_why_a_line_was_refused() -> None:
    report = {
        "accepted": 1,
        "duplicates": 2,
        "refused": [{"line": 3, "code": "invalid_value", "reason": "/rate: expected a decimal", "pointer": "/rate"}],
    }
    console = Console(file=io.StringIO(), width=100, color_system=None)
    with console.capture() as captured:
        console.print(showing.appended_view(report))
    assert "1 accepted, 2 there before, 1 refused" in captured.get()
    assert "│ 3    │ invalid_value │ /rate: expected a decimal │ /rate   │" in captured.get()
