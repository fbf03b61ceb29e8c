"""The shipped history, read once."""

import pytest

from schemas.positions import Recorded
from streams.ledger_file import DEMO, events, recorded


@pytest.fixture(scope="session")
def shipped() -> list[Recorded]:
    """Give the events of the shipped history, as if on a ledger."""
    return recorded(events(DEMO))
