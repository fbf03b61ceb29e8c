"""`python -m tests.house.readme README.md`: run the commands that a page shows and compare what they answer.

They run in a folder of their own, in which the files of the project are found and Parley's state is empty.
"""

import argparse
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import sysconfig
import tempfile
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from tests.house.blocks import Block, PageError, Shown, agrees, blocks, trimmed
from tests.house.tree import ROOT, paths

COLUMNS, LINES = 100, 40
SECONDS_AT_MOST = 300
KEPT = ("PARLEY_CACHE_DIRECTORY", "PARLEY_MAVEN_REPOSITORY")  # where Kafka comes from, not what Parley answers
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-Z\\-_]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where commands run: the folder and the environment."""

    folder: Path
    environment: Mapping[str, str]


@contextmanager
def place() -> Iterator[Place]:
    """Make a folder with links to the project's files, a `parley` on the path and an empty state; drop it after."""
    with tempfile.TemporaryDirectory(prefix="parley-readme-") as temporary:
        folder, programs = Path(temporary, "parley"), Path(temporary, "bin")
        folder.mkdir()
        programs.mkdir()
        for name in sorted({path.split("/")[0] for path in paths()}):
            (folder / name).symlink_to(ROOT / name)
        installed = Path(sysconfig.get_path("scripts"), "parley")
        if not installed.exists():
            parley = programs / "parley"
            parley.write_text(
                f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m streams.doors.starting "$@"\n'
            )
            parley.chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_") or name in KEPT}
        yield Place(
            folder,
            kept
            | {
                "PATH": os.pathsep.join((str(programs), str(installed.parent), os.environ.get("PATH", os.defpath))),
                "PARLEY_STATE_DIRECTORY": str(Path(temporary, "state")),
                "COLUMNS": str(COLUMNS),
                "LINES": str(LINES),
                "NO_COLOR": "1",
                "TERM": "dumb",
                "TZ": "UTC",
                "LC_ALL": "C.UTF-8",
            },
        )


def answer(command: str, where: Place, *, on_terminal: bool) -> tuple[list[str], int]:
    """Run a command as a reader's shell would; give what it printed, to either stream, and its exit code.

    TimeoutError after `SECONDS_AT_MOST`; whatever it started is killed then.
    """
    master, slave = pty.openpty() if on_terminal else os.pipe()
    if on_terminal:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    with subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=where.folder,
        env=where.environment,
        stdin=slave if on_terminal else subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    ) as process:
        os.close(slave)
        try:
            printed = b"".join(chunks(master))
            process.wait(SECONDS_AT_MOST)
        except (TimeoutError, subprocess.TimeoutExpired) as error:
            os.killpg(process.pid, signal.SIGKILL)
            raise TimeoutError(f"no end after {SECONDS_AT_MOST} s") from error
        finally:
            os.close(master)
    text = ESCAPES.sub("", printed.decode("utf-8", errors="replace")).replace("\r\n", "\n")
    return trimmed(text.split("\n")), process.returncode


def chunks(output: int) -> Iterator[bytes]:
    """Give what arrives until everybody has closed the other end; TimeoutError when that takes too long."""
    last = time.monotonic() + SECONDS_AT_MOST
    while True:
        ready, _, _ = select.select([output], [], [], max(0.0, last - time.monotonic()))
        if not ready:
            raise TimeoutError
        try:
            chunk = os.read(output, 1 << 16)
        except OSError:  # how Linux says that a terminal's last user is gone
            return
        if not chunk:
            return
        yield chunk


def difference(shown: Shown, block: Block, where: Place) -> str:
    """Run one command; give nothing if it answers as shown, else the difference for the one who mends it."""
    try:
        printed, code = answer(shown.command, where, on_terminal=block.on_terminal)
    except TimeoutError as error:
        return f"{error}: a command that stays up does not belong in a block that is run"
    if not agrees(shown.answer, printed):
        return "\n".join(unified_diff(shown.answer, printed, "the page shows", "it answers", lineterm=""))
    return "" if code == block.exits else f"exit code {code}, where {block.exits} was expected"


def check(page: Path, *, broker: bool) -> int:
    """Run the page's blocks in their order; give 0, or 1 at the first answer that is not the one shown."""
    ran, left_out = 0, 0
    with place() as where:
        for block in blocks(page.read_text(encoding="utf-8")):
            if block.not_run:
                print(f"{page.name}:{block.line}: not run: {block.not_run}", flush=True)
            elif block.needs_broker and not broker:
                left_out += 1
            else:
                for shown in block.shown:
                    begun = time.monotonic()
                    wrong = difference(shown, block, where)
                    verdict = "DIFFERS" if wrong else "ok"
                    print(f"{page.name}:{shown.line}: {verdict} {time.monotonic() - begun:.1f} s $ {shown.command}")
                    print(f"{wrong}\n" if wrong else "", end="", flush=True)
                    if wrong:
                        return 1
                    ran += 1
    print(f"{page.name}: {ran} commands answer as shown; {left_out} blocks left out that need a broker")
    return 0 if ran else 1


def main() -> int:
    """Read the command line, check the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="Example: python -m tests.house.readme README.md --no-broker"
    )
    parser.add_argument("page", type=Path)
    parser.add_argument("--no-broker", action="store_true", help="leave out blocks that need a broker")
    asked = parser.parse_args()
    try:
        return check(asked.page, broker=not asked.no_broker)
    except (PageError, FileNotFoundError) as error:
        print(f"{asked.page}: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
