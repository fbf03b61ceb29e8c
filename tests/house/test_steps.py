"""`python -m tests` runs its steps in order, says how each went, and stops at the first that fails."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.__main__ import Step, run, steps
from tests.house.tree import ROOT


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def without_times(printed: str) -> str:
    return re.sub(r" +\d+\.\d s", "", printed)


def test_the_steps_come_in_the_order_of_their_cost() -> None:
    names = ["format", "lint", "types", "layers", "tests", "alone", "readme"]
    assert [step.name for step in steps(broker=True)] == names


def test_what_measures_or_hurts_is_run_once_and_has_the_machine_for_itself() -> None:
    side_by_side, alone = (one.command for one in steps(broker=True) if one.name in {"tests", "alone"})
    assert "--numprocesses" in side_by_side
    assert "--numprocesses" not in alone
    assert [one.removeprefix("--ignore=") for one in side_by_side if one.startswith("--ignore=")] == list(alone[-2:])


def test_without_a_broker_the_same_steps_leave_out_what_needs_one() -> None:
    whole = {step.name: step.command for step in steps(broker=True)}
    assert [step.name for step in steps(broker=False)] == list(whole)
    not_kafka = ("-m", "not kafka")
    assert {step.name: step.command for step in steps(broker=False)} == whole | {
        "tests": (*("logical" if part == "3" else part for part in whole["tests"]), *not_kafka),
        "alone": (*whole["alone"], *not_kafka),
        "readme": (*whole["readme"], "--no-broker"),
    }


def test_each_step_that_holds_is_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert run([Step("format", python("print('noise')"), ""), Step("lint", python(""), "")]) == 0
    assert without_times(capfd.readouterr().out) == "format   ok\nlint     ok\n"


def test_a_failed_step_is_named_with_what_to_do_and_ends_the_run(capfd: pytest.CaptureFixture[str]) -> None:
    failing = Step("format", python("print('a.py is untidy'); raise SystemExit(2)"), "run `ruff format .`")
    assert run([failing, Step("lint", python("print('never')"), "", shows_output=True)]) == 1
    assert without_times(capfd.readouterr().out) == "a.py is untidy\nformat   FAILED: run `ruff format .`\n"


def test_a_step_sees_the_root_of_the_project_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run([Step("tests", python("import os; print(os.getcwd())"), "", shows_output=True)]) == 0
    assert capfd.readouterr().out.splitlines()[1] == str(ROOT)


def test_steps_keep_what_python_compiles(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    asked = python("import sys; print('compiled anew' if sys.dont_write_bytecode else 'kept')")
    assert run([Step("tests", asked, "", shows_output=True)]) == 0
    assert capfd.readouterr().out.splitlines()[1] == "kept"


def test_it_is_started_from_any_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests"), "--help"], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert (done.returncode, "--no-broker" in done.stdout) == (0, True)
