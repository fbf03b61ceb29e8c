"""An environment of its own for a peer, made once from the package registry at pinned versions."""

import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from streams.bench.place import Tell
from streams.settings import Settings

_PINS = Path(__file__).with_name("quix.txt")


def python_with_quix(tell: Tell) -> str:
    """Return the Python of an environment that has Quix Streams."""
    name = f"quix-{sha256(_PINS.read_bytes()).hexdigest()[:12]}"
    folder = Settings().cache_directory / "peers" / name
    if not (folder / "complete").exists():
        tell("making an environment for Quix Streams")
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        python = str(folder / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", str(_PINS)], check=True)
        (folder / "complete").touch()
    return str(folder / "bin" / "python")
