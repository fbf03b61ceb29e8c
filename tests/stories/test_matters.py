"""What courts hold and parties promise, where reports of the same act differ."""

from typing import Any

import pytest

from schemas.events import CommitmentChanged, Event
from schemas.provenance import Source
from tests.stories.telling import NEGOTIATION, STATEMENT, answered, listed, on, ruling, witness

AT = "2024-07-01T00:00:00+00:00"
ONE, OTHER = witness("Wire A", "wire"), witness("Wire B", "wire")


def promised(quantity: str, source: Source) -> CommitmentChanged:
    return CommitmentChanged(
        negotiation=NEGOTIATION, act="P1", source=source, document=STATEMENT, announced=on("2024-03-01"),
        commitment="beans", stage="made", promisor="FR", what="beans", quantity=quantity, unit="tonnes",
    )  # fmt: skip


def held(holding: str, source: Source) -> Event:
    return ruling("R1", "2024-03-01", "final").model_copy(update={"holding": holding, "source": source})


def rows(*events: Event) -> list[tuple[object, object]]:
    found = answered(AT, *events)
    assert isinstance(found["measures"], list)
    assert isinstance(found["commitments"], list)
    told = found["measures"] + found["commitments"]
    return [(row.get("holding") or row.get("quantity"), row["status"]) for row in told]


def disputes(*events: Event) -> Any:  # noqa: ANN401 -- JSON
    return answered(AT, *events)["disputed"]


@pytest.mark.parametrize(
    ("events", "name", "values"),
    [
        ((held("unlawful", ONE), held("lawful", OTHER)), "holding", ["lawful", "unlawful"]),
        ((promised("12", ONE), promised("25", OTHER)), "quantity", ["25", "12"]),
    ],
)
def test_where_equals_differ_the_row_is_disputed_and_both_values_stay(
    events: tuple[Event, ...], name: str, values: list[str]
) -> None:
    assert rows(*events) == [(values[0], "disputed")]
    (found,) = disputes(*events)
    assert (found["property"], found["values"], found["contested"]) == (name, values, True)


def test_the_better_witness_stands_and_the_other_value_stays_in_the_answer() -> None:
    events = (promised("12", witness("Ministry", "official-statement")), promised("25", OTHER))
    assert rows(*events) == [("12", "settled")]
    (found,) = disputes(*events)
    assert (found["values"], found["contested"]) == (["12", "25"], False)


def test_what_all_say_alike_is_no_dispute() -> None:
    events = (promised("12", ONE), promised("12", OTHER))
    assert rows(*events) == [("12", "settled")]
    assert disputes(*events) == []


def test_a_step_that_tells_neither_court_nor_components_leaves_those_told_before() -> None:
    held = ruling("R1", "2024-03-20", "stayed")
    step = held.model_copy(
        update={"act": "R2", "stage": "step", "forum": None, "on_components": (), "announced": on("2024-05-01")}
    )
    (row,) = listed(answered("2024-06-01T00:00:00+00:00", held, step), "measures")
    assert (row["force"], row["forum"], row["on_components"]) == ("step", "Court of Trade", ["duty"])
