"""The files of the project, as the rules read them, and copies of them to plant offences in."""

import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CORE = ("schemas", "ledger")
PACKAGES = (*CORE, "streams")


@dataclass(frozen=True, slots=True)
class Source:
    """One file as text; `path` is relative to the root, with slashes."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, order=True)
class Offence:
    """Where a rule is broken, by what, and what to do instead."""

    path: str
    line: int
    what: str
    instead: str

    def __str__(self) -> str:
        """Say it in one line, in the form that editors jump to."""
        return f"{self.path}:{self.line}: {self.what}: {self.instead}"


def report(offences: Iterable[Offence]) -> str:
    """List offences for the person who must mend them."""
    return "\n".join(str(offence) for offence in sorted(offences))


def paths() -> tuple[str, ...]:
    """Give every file of the project: tracked by git, or new and not ignored."""
    return tuple(sorted(name for name in listed() if (ROOT / name).is_file()))


def listed() -> frozenset[str]:
    """Give every name that is tracked by git, or new and not ignored, whatever stands behind it."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return frozenset(names.stdout.decode().split("\0")) - {""}


def sources(*folders: str, suffix: str = "") -> tuple[Source, ...]:
    """Read the text files whose names end in `suffix`, in the given folders or in the whole tree."""
    found: list[Source] = []
    for path in paths():
        if path.endswith(suffix) and (not folders or path.startswith(tuple(f"{folder}/" for folder in folders))):
            content = (ROOT / path).read_bytes()
            if b"\0" not in content:
                found.append(Source(path, content.decode("utf-8")))
    return tuple(found)


def copy_of_tree(into: Path, *folders: str) -> Path:
    """Copy `pyproject.toml` and the Python files of the given packages, times kept; give the new root."""
    for path in paths():
        if path == "pyproject.toml" or (path.endswith(".py") and path.split("/")[0] in folders):
            target = into / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, target)
    return into
