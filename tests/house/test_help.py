"""Whoever asks `parley` for help is shown one real example."""

import subprocess
import sys

from streams.doors.cli import app
from tests.house.examples import tree_of, wrong_helps
from tests.house.tree import ROOT


def test_every_help_shows_a_real_example() -> None:
    assert list(wrong_helps(tree_of(app))) == []


def test_help_on_the_command_line_shows_its_example() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "streams.doors.cli", "--help"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert (done.returncode, "$ parley" in done.stdout) == (0, True), done.stdout + done.stderr
