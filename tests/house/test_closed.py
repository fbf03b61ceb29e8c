"""A new kind of event cannot be forgotten: mypy points at every match that does not name it."""

import re
import subprocess
import sys
from pathlib import Path

from schemas.events import EVENT_CLASSES
from tests.house.closed import gaps, with_gaps
from tests.house.tree import PACKAGES, Source, copy_of_tree, sources

NOT_EXHAUSTIVE = re.compile(
    r"^(\S+?):(\d+): error: .*(?:to \"assert_never\" has incompatible type|\[exhaustive-match\])", re.MULTILINE
)

FORCES = Source(
    "planted.py",
    """\
from enum import Enum
from typing import assert_never


class Force(Enum):
    IN_FORCE = 1
    SUSPENDED = 2


def collected(force: Force) -> bool:
    match force:
        case Force.IN_FORCE:
            return True
        case Force.SUSPENDED:
            return False
        case _:
            assert_never(force)


def word(rate: int | str) -> str:
    match rate:
        case int():
            return "a number"
        case str():
            return "a word"
""",
)


def not_exhaustive(tree: Path, *arguments: str) -> set[tuple[str, int]]:
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--hide-error-context", *arguments],
        cwd=tree,
        check=False,
        capture_output=True,
        text=True,
    )
    assert checked.returncode in (0, 1), checked.stdout + checked.stderr
    return {(path, int(line)) for path, line in NOT_EXHAUSTIVE.findall(checked.stdout)}


def test_each_closed_match_is_found_and_loses_one_case() -> None:
    assert [(gap.line, gap.lost) for gap in gaps(FORCES)] == [(17, "Force.IN_FORCE"), (21, "int()")]


def test_a_match_with_a_default_of_its_own_is_not_closed() -> None:
    code = "match rate:\n    case str():\n        print(rate)\n    case _:\n        print()\n"
    assert list(gaps(Source("planted.py", code))) == []


def test_mypy_points_at_a_match_that_lost_a_case_and_at_no_other(tmp_path: Path) -> None:
    tree = copy_of_tree(tmp_path)
    (tree / "whole.py").write_text(FORCES.text, encoding="utf-8")
    (tree / "planted.py").write_text(with_gaps(FORCES, gaps(FORCES)), encoding="utf-8")
    assert not_exhaustive(tree, "whole.py", "planted.py") == {("planted.py", 17), ("planted.py", 21)}


def test_mypy_points_at_every_closed_match_of_the_tree_that_lost_a_case(tmp_path: Path) -> None:
    tree = copy_of_tree(tmp_path, *PACKAGES)
    planted = {source: found for source in sources(*PACKAGES, suffix=".py") if (found := tuple(gaps(source)))}
    events = {event.__name__ for event in EVENT_CLASSES}
    over_events = [gap for lost in planted.values() for gap in lost if set(re.findall(r"\w+", gap.lost)) & events]
    assert over_events, "no match over the events is closed by assert_never"
    for source, lost in planted.items():
        (tree / source.path).write_text(with_gaps(source, lost), encoding="utf-8")
    expected = {(gap.path, gap.line) for lost in planted.values() for gap in lost}
    assert not_exhaustive(tree, *(source.path for source in planted)) == expected
