"""`python -m tests`: what CI runs, step by step; the first step that fails ends it.

`python -m tests --no-broker` leaves out what needs Kafka and takes one to two minutes.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ALONE = ("tests/bench", "tests/faults")  # what measures or hurts has the machine for itself


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that must hold: the command that tells, and what to do when it does not."""

    name: str
    command: tuple[str, ...]
    remedy: str
    shows_output: bool = False


def module(*arguments: str) -> tuple[str, ...]:
    """Give the command that runs a module with the Python that runs this."""
    return (sys.executable, "-m", *arguments)


def steps(*, broker: bool) -> tuple[Step, ...]:
    """Give the steps in their order; without a broker the tests and blocks that need one are left out."""
    # import-linter has no __main__
    imports = (sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")
    pytest = module("pytest", "--verbosity=0", "--durations=5")
    chosen = () if broker else ("-m", "not kafka")
    # each process of the tests has a broker of its own, so they are few
    side_by_side = ("--numprocesses", "3" if broker else "logical", "--dist", "loadfile")
    tests = (*pytest, *(f"--ignore={folder}" for folder in ALONE), *side_by_side, *chosen)
    alone = (*pytest, *ALONE, *chosen)
    readme = module("tests.house.readme", "README.md", *(() if broker else ("--no-broker",)))
    return (
        Step("format", module("ruff", "format", "--check", "."), "run `ruff format .`"),
        Step("lint", module("ruff", "check", "."), "run `ruff check --fix .`, then mend by hand what is left"),
        Step("types", module("mypy"), "mend what mypy names above"),
        Step("layers", (*imports, "--no-logo"), "move the import: streams may use ledger, ledger may use schemas"),
        Step("tests", tests, "run one alone with `pytest PATH::NAME`", shows_output=True),
        Step("alone", alone, "run one alone with `pytest PATH::NAME`", shows_output=True),
        Step("readme", readme, "mend the code, or show in README.md what it answers now", shows_output=True),
    )


def environment() -> dict[str, str]:
    """Give the environment of the steps: Python keeps what it has compiled, for it is started a thousand times."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run(todo: Sequence[Step]) -> int:
    """Run the steps in order, a line with its time for each; give 0, or 1 at the first that failed."""
    for step in todo:
        if step.shows_output:
            print(f"{step.name}: {' '.join(step.command[1:])}", flush=True)
        begun = time.monotonic()
        done = subprocess.run(
            step.command,
            cwd=ROOT,
            env=environment(),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=None if step.shows_output else subprocess.PIPE,
            stderr=None if step.shows_output else subprocess.STDOUT,
        )
        seconds = time.monotonic() - begun
        if done.returncode != 0:
            print((done.stdout or b"").decode(errors="replace"), end="")
            print(f"{step.name:<8} FAILED {seconds:6.1f} s: {step.remedy}", flush=True)
            return 1
        print(f"{step.name:<8} ok     {seconds:6.1f} s", flush=True)
    return 0


def main() -> int:
    """Read the command line and run what it asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests", description=__doc__, epilog="Example: python -m tests --no-broker"
    )
    parser.add_argument("--no-broker", action="store_true", help="leave out what needs Kafka; one to two minutes")
    return run(steps(broker=not parser.parse_args().no_broker))


if __name__ == "__main__":
    sys.exit(main())
