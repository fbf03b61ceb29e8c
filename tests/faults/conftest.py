"""Where the tests of this folder play their trials."""

from pathlib import Path

import pytest

from streams.broker import BrokerAddress
from tests.faults.playing import Stage


@pytest.fixture
def stage(kafka: BrokerAddress, tmp_path: Path) -> Stage:
    return Stage(kafka.bootstrap, tmp_path)
