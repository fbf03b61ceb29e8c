"""Who may import whom. The real import-linter reads a copy of the tree with one line planted in it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, copy_of_tree

LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINT, "--no-logo", "--no-cache"], cwd=tree, check=False, capture_output=True, text=True
    )


def test_the_tree_keeps_its_layers(tmp_path: Path) -> None:
    done = lint(copy_of_tree(tmp_path, *PACKAGES))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("planted_in", "line", "verdict"),
    [
        ("ledger", "import asyncio", "ledger is not allowed to import asyncio"),
        ("ledger", "from pathlib import Path", "ledger is not allowed to import pathlib"),
        ("ledger", "import logging", "ledger is not allowed to import logging"),
        ("schemas", "import aiokafka", "schemas is not allowed to import aiokafka"),
        ("schemas", "import os.path", "schemas is not allowed to import os"),
        ("schemas", "import random", "schemas is not allowed to import random"),
        ("schemas", "from time import sleep", "schemas is not allowed to import time"),
        ("ledger", "from streams import engine", "ledger is not allowed to import streams"),
        ("schemas", "import ledger", "schemas is not allowed to import ledger"),
        ("schemas", "import streams.now", "schemas is not allowed to import streams"),
        ("streams/engine", "import schemas", "streams.engine is not allowed to import schemas"),
        ("streams/engine", "import ledger", "streams.engine is not allowed to import ledger"),
        ("streams/engine", "import streams.now", "streams.engine is not allowed to import streams.now"),
    ],
)
def test_a_forbidden_import_is_caught(tmp_path: Path, planted_in: str, line: str, verdict: str) -> None:
    tree = copy_of_tree(tmp_path, *PACKAGES)
    (tree / planted_in / "planted.py").write_text(f"{line}\n", encoding="utf-8")
    done = lint(tree)
    assert (done.returncode, verdict in done.stdout) == (1, True), done.stdout + done.stderr


def test_the_engine_may_import_its_own_modules(tmp_path: Path) -> None:
    tree = copy_of_tree(tmp_path, *PACKAGES)
    (tree / "streams/engine/planted.py").write_text("from streams.engine import other\n", encoding="utf-8")
    (tree / "streams/engine/other.py").write_text("import asyncio\n", encoding="utf-8")
    done = lint(tree)
    assert done.returncode == 0, done.stdout + done.stderr
