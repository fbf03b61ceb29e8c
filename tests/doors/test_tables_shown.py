"""What tables on a terminal tell of an answer, in any width: nothing that it holds is left out without a word."""

import io
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from rich.console import Console, RenderableType

from ledger.answer import Asked, state
from streams import ledger_file
from streams.doors import showing

Answer = dict[str, Any]
Asking = Callable[[str], Answer]
WIDTHS = pytest.mark.parametrize("width", [80, 100, 200])
LATE = "2026-10-01T00:00:00+00:00"
FRAME = re.compile(r"[│┃━─┏┓└┘┡┩╇┳┴┼┤├\s]+")


@pytest.fixture(scope="module")
def asked() -> Asking:
    """Give the state of the shipped history at an instant, with all that is known of it."""
    events = ledger_file.recorded(ledger_file.events(ledger_file.DEMO))
    known: dict[str, Answer] = {}

    def ask(at: str) -> Answer:
        if at not in known:
            times = Asked(datetime.fromisoformat(at), datetime.fromisoformat("2026-11-01T00:00:00+00:00"))
            known[at] = state("us-china", events, times)
        return known[at]

    return ask


def drawn(view: RenderableType, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None, markup=False, emoji=False, highlight=False)
    with console.capture() as captured:
        console.print(view)
    return captured.get().splitlines()


def words(view: RenderableType, width: int = 200) -> str:
    """Return what is told, without the frames of tables and the ends of lines."""
    return FRAME.sub(" ", "\n".join(drawn(view, width)))


def rows_of(answer: Answer) -> dict[str, dict[str, Answer]]:
    """Return the rows of an answer as the worker's tables hold them."""
    measures = {row["component"]: row for row in [*answer["measures"], *answer["commitments"]]}
    group = answer["meetings"]["he-lifeng+bessent"]
    return {
        "measures": measures,
        "deadlines": {row["deadline"]: row for row in answer["deadlines"]},
        "meetings": {row["meeting"]: row for row in [*group["list"], *group["calls"], *group["planned"]]},
        "metrics": answer["metrics"],
    }


@WIDTHS
def test_no_id_and_no_date_is_ever_broken(width: int, asked: Asking) -> None:
    answer = asked(LATE)
    for view in (showing.state_view(answer), showing.tables_view(rows_of(answer), ["measures", "deadlines"])):
        lines = drawn(view, width)
        assert max(map(len, lines)) <= width
        told = [part for line in lines for part in re.split(r"[\s│;,()]+", line)]
        for row in answer["measures"]:
            assert row["component"].removeprefix("proceeding/") in told
            if row["force"] in {"in_force", "suspended"} and row["until"]:
                assert row["until"][:10] in told
        assert {row["commitment"] for row in answer["commitments"]} <= {*told}
        open_ones = [row for row in answer["deadlines"] if row["state"] in {"pending", "lapsed_unconfirmed"}]
        assert {row["due"].split("T")[0] for row in open_ones} <= {*told}


@WIDTHS
def test_metrics_meetings_and_disputes_are_whole_too(width: int, asked: Asking) -> None:
    answer = asked(LATE)
    told = [part for line in drawn(showing.state_view(answer), width) for part in re.split(r"[\s│;,]+", line)]
    assert {*answer["metrics"], "in_person_with_summits", "numbered_rounds"} <= {*told}
    for dispute in answer["disputed"]:
        assert {dispute["subject"], dispute["property"], *map(str, dispute["values"])} <= {*told}


def test_a_narrow_terminal_gets_a_record_where_a_wide_one_gets_a_table(asked: Asking) -> None:
    narrow, wide = (drawn(showing.state_view(asked(LATE)), width) for width in (80, 200))
    (first,) = [number for number, line in enumerate(narrow) if line.startswith("s301_l3 ")]
    assert [line.rstrip() for line in narrow[first : first + 2]] == [
        "s301_l3   US→CN   25%   in force   since 2019-05-10",
        "    List 3 raised from 10% to 25% [84 FR 20459]",
    ]
    assert any(
        re.match(r"│ s301_l3 +│ US→CN +│ 25% +│ in force +│ 2019-05-10 │ +│ List 3 raised", line) for line in wide
    )


def test_what_the_answer_holds_is_told_or_counted(asked: Asking) -> None:
    told = words(showing.state_view(asked(LATE)))
    assert "us_stacking US→WORLD in force 2025-04-29 Stacking order: rules on overlap of auto" in told
    assert "announced: 15%, in force from 2026-12-04T05:01Z" in told
    assert "100% enteral_syringes, ev, gloves, syringes; 50% polysilicon_wafers" in told
    assert "boeing_200 CN to US made ? buy 200 Boeing aircraft (200 aircraft) [United States government]" in told
    assert "Deadlines that passed with no outcome recorded due kind of what" in told
    passed = [row for row in asked(LATE)["deadlines"] if row["state"] == "lapsed_unconfirmed"]
    assert passed
    assert all(row["what"] in told.partition("Deadlines that passed")[2] for row in passed)
    assert "2026-11-10 lapse cn_all_goods China keeps 10% and suspends 24 points" in told
    assert "Deadlines that are over, listed with --json: " in told
    assert "soybeans_12mt.due due 2025-12-31; 2026-01; 2026-02-28" in told
    assert "us_section_301_apart Section 301 is 25% on Lists 1 to 3" in told
    assert re.search("On no table, listed with --json: acts [0-9]+, figures 102, statements ", told)
    assert "Buenos Aires (G20 dinner) summit Buenos Aires truce" in told
    assert "Ended, whole with --json: " in told
    assert "ieepa_fentanyl (revoked)" in told


def test_a_threat_is_told_with_its_rate_and_apart_from_what_is_in_force(asked: Asking) -> None:
    told = words(showing.state_view(asked("2025-10-15T16:00:00+00:00")))
    ahead = told.partition("Announced or threatened, not in force")[2]
    assert re.search(
        r"us_threat_200 US→CN threatened \? Trump threatens 200%.*not in force: 200%, threatened \?", ahead
    )


def test_what_a_measure_is_contingent_on_is_told_with_it(asked: Asking) -> None:
    answer = asked("2025-11-20T12:00:00+00:00")
    conditions = [row["contingent_on"] for row in answer["measures"] if row.get("contingent_on")]
    told = words(showing.state_view(answer), 400)
    assert conditions
    assert all(f"on condition: {condition}" in told for condition in conditions)


def test_what_the_worker_wrote_is_told_in_the_same_words(asked: Asking) -> None:
    rows = rows_of(asked(LATE))
    told = words(showing.tables_view(rows, list(rows)))
    assert "Measures component on rate force since until what, and on what authority" in told
    assert "boeing_200 CN to US made ? buy 200 Boeing aircraft" in told
    assert "lit_ieepa US-COURT ruled 2026-02-20 Supreme Court" in told
    assert "us_on_cn.additional_since_2025.collected 12.5% single-source" in told
    assert drawn(showing.tables_view(rows, ["metrics"]), 100)[0] == "Metrics"


def test_a_row_that_shows_a_part_says_of_how_many(asked: Asking) -> None:
    answer = asked(LATE)
    row = next(row for row in answer["measures"] if row["component"] == "cn_all_goods")
    partly = {"cn_all_goods": {**row, "in_all": {"acts": 34, "not_in_force": 21}}}
    assert "in part: of 34 acts, of 21 not in force" in words(showing.tables_view({"measures": partly}, ["measures"]))
    said = {**answer, "in_all": {"statements": 130}}
    assert f"statements {len(answer['statements'])} of 130" in words(showing.state_view(said))


def test_beyond_the_data_reports_may_be_missing(asked: Asking) -> None:
    told = words(showing.state_view(asked("2026-10-20T00:00:00+00:00")))
    assert "beyond the data: reports were looked for through 2026-10-09, later ones may be missing" in told
    assert "nothing is known" not in told


def test_an_answer_without_rows_says_none(asked: Asking) -> None:
    early = asked("2018-01-01T00:00:00+00:00")
    assert "Pending deadlines: none" in words(showing.state_view({**early, "deadlines": []}))


def test_plain_tables_have_words_for_people() -> None:
    rows = [{"partition": 0, "cut": -1, "set_aside": None, "whole": True, "of": {"a": None}}]
    told = words(showing.plain_table("Partitions", rows))
    assert 'partition cut set aside whole of 0 none yet - yes {"a":null}' in told
    assert showing.json_text({"a": [None, True, "it's"]}) == '{"a":[null,true,"it\'s"]}'
