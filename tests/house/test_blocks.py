"""How a page's blocks are read, and when an answer is the one shown."""

import pytest

from tests.house.blocks import Block, PageError, Shown, agrees, blocks


def test_a_block_is_its_commands_their_answers_and_the_marks_above_it() -> None:
    page = """\
# Parley

<!-- needs: broker -->
<!-- exits: 3 -->

```console
$ parley append x.jsonl
line 1: refused

$ parley state us-china \\
    --ledger demo
30 %
...
```

<!-- not run: CI installs it -->
```sh
pip install .
```

<!-- a remark -->
```json
{}
```
"""
    assert list(blocks(page)) == [
        Block(
            line=6,
            shown=(
                Shown(7, "parley append x.jsonl", ("line 1: refused",)),
                Shown(10, "parley state us-china \\\n    --ledger demo", ("30 %", "...")),
            ),
            needs_broker=True,
            exits=3,
        ),
        Block(line=17, shown=(), not_run="CI installs it"),
    ]


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("```sh\nparley demo\n```\n", "line 1: a block of sh is not run"),
        ("<!-- not run: -->\n```python\nimport ledger\n```\n", "line 2: a block of python is not run"),
        ("<!-- not run: for a reason -->\nBut text between.\n```sh\nls\n```\n", "line 3: a block of sh is not run"),
        ("\n```console\nparley demo\n```\n", "line 2: a console block begins with a command"),
        ("```console\n$ parley demo\n", "line 1: the block that begins here has no end"),
    ],
)
def test_a_block_that_nobody_would_check_is_refused(page: str, complaint: str) -> None:
    with pytest.raises(PageError, match=complaint):
        list(blocks(page))


@pytest.mark.parametrize(
    ("expected", "actual", "verdict"),
    [
        ("", "", True),
        ("a\nb", "a\nb", True),
        ("a\nb", "a\nb\nc", False),
        ("a\nb\nc", "a\nb", False),
        ("a\nc", "a\nb", False),
        ("...", "", True),
        ("...", "a\nb", True),
        ("a\n...", "a\nb\nc", True),
        ("...\nc", "a\nb\nc", True),
        ("a\n...\nb\n...\nc", "a\nx\nb\ny\nb\nc", True),
        ("a\n...\nb\n...\nc", "a\nx\ny\nc", False),
        ("a\n...\na", "a", False),
        ("a\n...\nb\n...\nb", "a\nb", False),
        ("rate … %", "rate 30 %", True),
        ("rate … %", "rate 30 % more", False),
        ("rate … %", "rate %", False),
        ("a.c", "abc", False),
    ],
)
def test_an_answer_is_compared_whole(expected: str, actual: str, *, verdict: bool) -> None:
    assert agrees(expected.split("\n"), actual.split("\n")) is verdict
