"""A page's commands are run for real, and a page that shows something else is caught."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import readme
from tests.house.tree import ROOT


def check(folder: Path, page: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    written = folder / "page"
    written.write_text(page, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "tests.house.readme", str(written), *arguments],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )


def test_a_page_whose_commands_answer_as_shown_passes(tmp_path: Path) -> None:
    done = check(tmp_path, "```console\n$ printf 'a\\nb\\n'\na\nb\n$ test -f pyproject.toml && echo here\nhere\n```\n")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        0,
        "page: 2 commands answer as shown; 0 blocks left out that need a broker",
    )


def test_a_wrong_expectation_is_caught_and_shown(tmp_path: Path) -> None:
    done = check(tmp_path, "```console\n$ echo us-china 20\nus-china 30\n```\n")
    assert done.returncode == 1
    assert done.stdout.splitlines()[1:] == [
        "--- the page shows",
        "+++ it answers",
        "@@ -1 +1 @@",
        "-us-china 30",
        "+us-china 20",
    ]


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("```console\n$ exit 3\n```\n", "exit code 3, where 0 was expected"),
        ("```console\n$ (echo x; exit 3) | tail -1\nx\n```\n", "exit code 3, where 0 was expected"),
        ("<!-- exits: 3 -->\n```console\n$ true\n```\n", "exit code 0, where 3 was expected"),
        ("```sh\necho unchecked\n```\n", "a block of sh is not run"),
        ("No commands here.\n", "0 commands answer as shown"),
    ],
)
def test_a_page_that_proves_nothing_is_caught(tmp_path: Path, page: str, complaint: str) -> None:
    done = check(tmp_path, page)
    assert (done.returncode, complaint in done.stdout) == (1, True), done.stdout


def test_a_command_writes_into_its_own_folder_and_the_next_one_finds_it(tmp_path: Path) -> None:
    done = check(tmp_path, "```console\n$ echo x > written.txt\n```\nThen\n```console\n$ cat written.txt\nx\n```\n")
    assert (done.returncode, (ROOT / "written.txt").exists()) == (0, False), done.stdout


def test_a_block_on_a_terminal_sees_one_of_100_columns(tmp_path: Path) -> None:
    ask = "python3 -c 'import os, sys; print(sys.stdout.isatty(), os.get_terminal_size().columns)'"
    done = check(tmp_path, f"<!-- tty -->\n```console\n$ {ask}\nTrue 100\n```\n")
    assert done.returncode == 0, done.stdout


def test_blocks_that_need_a_broker_are_left_out_on_demand(tmp_path: Path) -> None:
    page = "```console\n$ true\n```\n<!-- needs: broker -->\n```console\n$ false\n```\n"
    alone, whole = check(tmp_path, page, "--no-broker"), check(tmp_path, page)
    assert (alone.returncode, whole.returncode) == (0, 1)
    assert alone.stdout.endswith("1 commands answer as shown; 1 blocks left out that need a broker\n")


def test_a_command_that_never_ends_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readme, "SECONDS_AT_MOST", 0.2)
    page = tmp_path / "page"
    page.write_text("```console\n$ tail -f /dev/null\n```\n", encoding="utf-8")
    assert readme.check(page, broker=False) == 1
