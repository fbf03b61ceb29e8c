"""What a page shows: the commands in its ```console blocks, and what it says they answer.

A line `...` stands for any lines, `…` inside a line for any characters. Comments right above a block say how it is run:
`<!-- needs: broker -->`, `<!-- tty -->` (on a terminal), `<!-- exits: 3 -->`, `<!-- not run: REASON -->`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

FENCE = re.compile(r"^\s*```(\S*)")
COMMENT = re.compile(r"^\s*<!--\s*(.*?)\s*-->\s*$")
ILLUSTRATIONS = frozenset({"", "text", "json", "jsonl", "mermaid", "csv"})
MARKS = re.compile(r"(needs: broker|tty|exits: (?P<exits>\d+)|not run: (?P<reason>\S.*))")


class PageError(ValueError):
    """A block that cannot be understood; says where, what was expected and what stands there."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A command with the lines that the page shows below it."""

    line: int
    command: str
    answer: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of commands and how to run it; with a reason in `not_run` it is not run."""

    line: int
    shown: tuple[Shown, ...]
    needs_broker: bool = False
    on_terminal: bool = False
    exits: int = 0
    not_run: str = ""


def blocks(page: str) -> Iterator[Block]:
    """Give the blocks of a page that hold commands; PageError for one that nobody would check."""
    marks: list[str] = []
    lines = iter(enumerate(page.split("\n"), start=1))
    for number, line in lines:
        if comment := COMMENT.match(line):
            marks.append(comment[1])
        elif fence := FENCE.match(line):
            body = tuple(until_fence(lines, number))
            if fence[1] not in ILLUSTRATIONS:
                yield read_block(number, fence[1], body, tuple(mark for mark in marks if MARKS.fullmatch(mark)))
            marks = []
        elif line.strip():
            marks = []


def until_fence(lines: Iterator[tuple[int, str]], opened: int) -> Iterator[tuple[int, str]]:
    """Give the lines up to the closing fence, and take that one too."""
    for number, line in lines:
        if FENCE.match(line):
            return
        yield number, line.rstrip()
    raise PageError(f"line {opened}: the block that begins here has no end; close it with ```")


def read_block(number: int, language: str, body: Sequence[tuple[int, str]], marks: Sequence[str]) -> Block:
    """Read one block with the marks above it."""
    read = [found for mark in marks if (found := MARKS.fullmatch(mark))]
    reason = "".join(mark["reason"] or "" for mark in read)
    if language != "console" and not reason:
        raise PageError(
            f"line {number}: a block of {language} is not run, so nothing holds it true; write it as console with `$ `"
            " before each command, or say why it cannot be run: <!-- not run: REASON -->"
        )
    return Block(
        line=number,
        shown=() if reason else tuple(commands(body, number)),
        needs_broker="needs: broker" in marks,
        on_terminal="tty" in marks,
        exits=sum(int(mark["exits"] or 0) for mark in read),
        not_run=reason,
    )


def commands(body: Sequence[tuple[int, str]], opened: int) -> Iterator[Shown]:
    """Give each command of a block; one that ends in a backslash goes on in the next line."""
    if not body or not body[0][1].startswith("$ "):
        raise PageError(f"line {opened}: a console block begins with a command, as in `$ parley state us-china`")
    starts = [place for place, (_, line) in enumerate(body) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(body)], strict=True):
        number, line = body[start]
        words, rest = [line.removeprefix("$ ")], [text for _, text in body[start + 1 : end]]
        while words[-1].endswith("\\") and rest:
            words.append(rest.pop(0))
        yield Shown(number, "\n".join(words), tuple(trimmed(rest)))


def trimmed(lines: Sequence[str]) -> list[str]:
    """Leave out spaces at the ends of lines, and empty lines at the end."""
    return "\n".join(line.rstrip() for line in lines).rstrip("\n").split("\n") if "".join(lines).strip() else []


def agrees(expected: Sequence[str], actual: Sequence[str]) -> bool:
    """Tell whether an answer is the one that was shown; `...` and `…` may stand for what was left out."""
    parts: list[list[str]] = [[]]
    for line in expected:
        if line.strip() == "...":
            parts.append([])
        else:
            parts[-1].append(line)
    if len(parts) == 1:
        return len(expected) == len(actual) and same(expected, actual)
    first, *middle, last = parts
    if len(first) > len(actual) or not same(first, actual):
        return False
    begin = len(first)
    for part in middle:  # the earliest place is the best one: it leaves most to the parts behind it
        places = range(begin, len(actual) - len(part) + 1)
        found = next((place for place in places if same(part, actual[place:])), None)
        if found is None:
            return False
        begin = found + len(part)
    return begin + len(last) <= len(actual) and same(last, actual[len(actual) - len(last) :])


def same(expected: Sequence[str], actual: Sequence[str]) -> bool:
    """Compare line by line, as far as the expected ones go."""
    return all(
        re.fullmatch(".*".join(re.escape(piece) for piece in line.split("…")), answered)
        for line, answered in zip(expected, actual, strict=False)
    )
