"""Rows stay small whatever is reported, and say how much they leave out."""

from ledger.bounding import ROW_BYTES_MAX, SHOWN_MAX
from ledger.history import Negotiation
from schemas.encoding import plain_json
from schemas.events import Event, Participant
from schemas.rates import ByProduct, RateUnknown
from tests.stories.telling import FIREFLY, NEGOTIATION, answered, duty, listed, measure, on, recorded, talks

NOON = "2024-06-01T12:00:00+00:00"


def rows_and_changes(*events: Event) -> list[bytes]:
    fold = Negotiation(NEGOTIATION)
    outcomes = [fold.evolve(one) for one in recorded(*events)]
    rows = [row for one in outcomes for row in one.rows.values() if row is not None]
    return [plain_json(one) for one in (*rows, *(change for one in outcomes for change in one.changes))]


def by_product(number: int, count: int) -> ByProduct:
    return ByProduct(by_product={f"{number}-{n:03}-{'x' * 80}": RateUnknown(unknown="é" * 200) for n in range(count)})


def test_products_of_many_acts_make_no_row_that_is_too_long() -> None:
    acts = [
        duty(f"A{n}", "imposed", "2024-01-10", rate=by_product(n, 200), effective=on("2024-02-01")) for n in range(20)
    ]
    threats = [duty(f"T{n}", "threatened", "2024-01-20", rate=by_product(n, 200)) for n in range(20)]
    row = measure(NOON, *acts, *threats)
    assert row["in_all"] == {"acts": 40, "by_product": 4000, "not_in_force": 20}
    shown = row["by_product"]
    assert isinstance(shown, dict)
    assert 20 < len(shown) < 4000
    assert list(shown) == sorted(shown)
    assert max(len(one) for one in rows_and_changes(*acts, *threats)) <= 2 * ROW_BYTES_MAX + 4096


def test_a_row_with_room_shows_all_of_its_products() -> None:
    row = measure(NOON, duty("A1", "imposed", "2024-01-10", rate=by_product(1, 100), effective=on("2024-02-01")))
    shown = row["by_product"]
    assert isinstance(shown, dict)
    assert len(shown) == 100
    assert "in_all" not in row


def test_the_acts_and_people_that_a_row_leaves_out_are_counted() -> None:
    acts = [duty(f"A{n:02}", "imposed", f"2024-01-{n + 1:02}", rate="5", effective=on("2024-02-01")) for n in range(25)]
    row = measure(NOON, *acts)
    assert row["acts"] == [f"A{n:02}" for n in range(25 - SHOWN_MAX, 25)]
    assert row["in_all"] == {"acts": 25}
    people = tuple(Participant(id=f"p{n:02}", name=f"P {n}") for n in range(60))
    crowd = answered(
        NOON, talks("M1", "held", "2024-03-01", first_day=on("2024-03-01"), participants=(FIREFLY, *people))
    )
    others = crowd["other_meetings"]
    assert isinstance(others, dict)
    (found,) = listed(others, "list")
    assert len(listed(found, "participants")) == 50
    assert found["in_all"] == {"participants": 61}
