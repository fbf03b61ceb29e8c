"""`parley bench` as a process, for tests."""

import json
import subprocess
import sys
from typing import Any

from tests.house.tree import ROOT


def bench(*words: str) -> dict[str, Any]:
    """Run `parley bench` and return its document."""
    done = subprocess.run(
        [sys.executable, "-m", "streams.doors.starting", "bench", *words, "--json"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document
