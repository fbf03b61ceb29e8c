"""Whoever asks `parley` for help is shown one real example; and which version it is."""

import subprocess
import sys
import tomllib

from schemas.changes import FOLD_VERSION
from streams.doors.cli import app
from tests.house.examples import tree_of, wrong_helps
from tests.house.tree import ROOT


def parley(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "streams.doors.starting", *words]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)


def test_every_help_shows_a_real_example() -> None:
    assert list(wrong_helps(tree_of(app))) == []


def test_help_on_the_command_line_shows_its_example() -> None:
    done = parley("--help")
    assert (done.returncode, "$ parley" in done.stdout) == (0, True), done.stdout + done.stderr


def test_the_version_is_that_of_the_package_and_of_the_fold() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert parley("--version").stdout == f"parley {version}, fold version {FOLD_VERSION}\n"
