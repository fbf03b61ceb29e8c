"""No rate is a float."""

import pytest

from tests.house.numbers import floats
from tests.house.tree import CORE, Source, report, sources


def test_the_core_holds_no_float() -> None:
    read = sources(*CORE, suffix=".py")
    assert {source.path.split("/")[0] for source in read} == set(CORE)
    found = [offence for source in read for offence in floats(source)]
    assert not found, report(found)


@pytest.mark.parametrize(
    ("code", "caught"),
    [
        ("class Segment:\n    rate: float\n", "float"),
        ("rates: dict[str, tuple[float, ...]] = {}\n", "float"),
        ("rate = 0.25\n", "0.25"),
        ("rate = float('0.25')\n", "float"),
        ("def ms(at: datetime) -> int:\n    return int(at.timestamp() * 1000)\n", ".timestamp"),
        ("def days(lead: timedelta) -> int:\n    return int(lead.total_seconds()) // 86400\n", ".total_seconds"),
    ],
)
def test_a_float_is_caught(code: str, caught: str) -> None:
    assert [offence.what for offence in floats(Source("ledger/planted.py", code))] == [caught]


@pytest.mark.parametrize(
    "code",
    [
        "from decimal import Decimal\nrate = Decimal('0.25')\n",
        "def refuse(value: object) -> bool:\n    return isinstance(value, (bool, float))\n",
        "def fraction(text: str) -> float:\n    raise Refused(text)\n",
        "match value:\n    case float() | int():\n        refuse(value)\n",
    ],
)
def test_a_decimal_and_the_refusal_of_a_float_pass(code: str) -> None:
    assert list(floats(Source("schemas/planted.py", code))) == []
