"""How a law is put to the test: on many small negotiations, and on a ledger with a bug planted in it."""

from collections.abc import Callable

import pytest
from hypothesis import Phase, Verbosity, given, settings

from tests.laws.negotiations import Told, negotiations

Law = Callable[[Told], None]
EXAMPLES = 25
SEARCHED_MOST = 400


def holds(law: Law, examples: int = EXAMPLES) -> None:
    """Hold a law against many negotiations; a counter-example shrinks to few reports."""
    settings(max_examples=examples, deadline=None, derandomize=True, database=None)(given(negotiations)(law))()


def catches(law: Law, error: type[Exception] = AssertionError) -> None:
    """Demand that a law fails, with that error; how small the counter-example gets does not matter."""
    first = settings(
        max_examples=SEARCHED_MOST, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        report_multiple_bugs=False, verbosity=Verbosity.quiet,
    )  # fmt: skip
    with pytest.raises(error):
        first(given(negotiations)(law))()
