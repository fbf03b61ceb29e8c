"""A command that somebody waits for loads what it needs, and not the frame of the worker."""

import subprocess
import sys
from pathlib import Path

HEAVY = {"faust", "mode", "aiohttp", "sqlite3"}
LOADED = "import sys, streams.doors.cli; print(*{name.partition('.')[0] for name in sys.modules})"


def test_the_command_line_loads_neither_faust_nor_sqlite() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", LOADED], cwd=root, capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stdout.split()) == set()
