import json
import subprocess
import sys
from typing import Any

import pytest

from streams.broker import BrokerAddress
from tests.house.tree import ROOT


def peers(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.peers", *words], cwd=ROOT, check=False, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def measured(kafka: BrokerAddress) -> dict[str, Any]:
    done = peers("--peers", "faust", "--events", "3000", "--json", "--brokers", kafka.bootstrap)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_faust_as_shipped_does_the_tally_beside_the_engine(measured: dict[str, Any]) -> None:
    (run,) = measured["runs"]
    assert [one["stage"] for one in run] == ["fenced", "tally", "faust"]
    faust = run[-1]
    assert 0.95 * 3_000 <= faust["events"] <= 3_000
    assert faust["ceiling"] == "fenced"
    assert faust["events_per_s"] > 0
    assert faust["cpu_us_per_event"] > 0


def test_an_unknown_peer_is_refused_in_words() -> None:
    done = peers("--peers", "flink")
    assert done.returncode == 2
    assert "expected faust, quix or both, got flink" in done.stderr
