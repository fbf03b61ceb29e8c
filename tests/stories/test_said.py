"""What is said is told with whose word it is, in its own language beside the translation, and moves nothing."""

from datetime import date

from ledger.said import SAID_SHOWN_MAX
from schemas.events import NoneFound, StatementMade
from schemas.ids import event_id
from schemas.provenance import Source
from tests.stories.telling import (
    GAZETTE,
    REMARK,
    RUMOUR,
    TRACKER,
    WIRE,
    answered,
    duty,
    header,
    listed,
    measure,
    on,
    taken_back,
    tells,
    witness,
)

NOON = "2024-06-01T12:00:00+00:00"
TRANSLATED = witness(
    "Wire", "wire", quote="We will answer.", lang="zh", original="我们将作出回应。", translator="Wire's own"
)


def saying(act: str, says: str, source: Source = TRANSLATED) -> StatementMade:
    return StatementMade(**header(act, "2024-03-01", source, REMARK), says=says)


def test_a_statement_is_told_with_its_source_and_its_original_wording() -> None:
    statement = saying("S1", "Freedonia will answer")
    (found,) = listed(answered(NOON, statement), "statements")
    assert found == {
        "says": "Freedonia will answer",
        "about": [],
        "act": "S1",
        "announced": "2024-03-01",
        "issuer": "SY",
        "source": "Wire",
        "grade": "wire",
        "report": event_id(statement),
        "quote": "We will answer.",
        "lang": "zh",
        "original": "我们将作出回应。",
        "translator": "Wire's own",
    }
    assert listed(answered("2024-02-01T00:00:00+00:00", statement), "statements") == []
    assert listed(answered(NOON, statement, taken_back(statement)), "statements") == []


def test_a_quotation_in_any_report_is_told() -> None:
    imposed = duty("A1", "imposed", "2024-01-10", TRANSLATED, rate="20", effective=on("2024-02-01"))
    (found,) = listed(answered(NOON, imposed, tells("A1", "2024-01-10", ("rate", "20"), TRACKER)), "quotes")
    assert (found["act"], found["original"], found["translator"]) == ("A1", "我们将作出回应。", "Wire's own")


def test_a_search_that_found_nothing_is_told_with_what_it_looked_through() -> None:
    search = NoneFound(
        **header("N1", "2024-03-01", TRACKER, REMARK),
        what="an order that ends the duty",
        searched=("Gazette",),
        through=date(2024, 2, 29),
        result="not_found",
    )
    (found,) = listed(answered(NOON, search), "searches")
    assert (found["what"], found["searched"], found["through"]) == (
        "an order that ends the duty",
        ["Gazette"],
        "2024-02-29",
    )


def test_of_many_statements_the_latest_are_told_and_all_are_counted() -> None:
    answer = answered(NOON, *[saying(f"S{n:03}", f"Statement {n}") for n in range(SAID_SHOWN_MAX + 1)])
    assert len(listed(answer, "statements")) == SAID_SHOWN_MAX
    assert answer["in_all"] == {"statements": SAID_SHOWN_MAX + 1, "quotes": SAID_SHOWN_MAX + 1}


def test_reports_that_differ_are_told_with_who_made_them() -> None:
    imposed = duty("A1", "imposed", "2024-01-10", rate="20", effective=on("2024-02-01"))
    (dispute,) = listed(answered(NOON, imposed, tells("A1", "2024-01-10", ("rate", "25"), WIRE)), "disputed")
    assert dispute["sources"] == [GAZETTE.name, WIRE.name]


def test_a_threat_is_told_with_its_figure_and_has_no_rate() -> None:
    row = measure(NOON, duty("A1", "threatened", "2024-01-10", RUMOUR, REMARK, rate="50"))
    assert (row["force"], row["rate"]) == ("threatened", None)
    assert row["not_in_force"] == [{"stage": "threatened", "rate": "50", "act": "A1", "status": "unverified"}]
