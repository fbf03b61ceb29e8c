"""Matches that name every case: mypy must complain as soon as one is missing."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.house.tree import Source


@dataclass(frozen=True, slots=True)
class Gap:
    """A closed match and the case it can lose: the lines of that case, and the line mypy must then point at."""

    path: str
    line: int
    lost: str
    lost_from: int
    lost_to: int


def gaps(source: Source) -> Iterator[Gap]:
    """Give, for each match that ends in `assert_never` or has no default, its first plain case."""
    taken_to = 0
    matches = (node for node in ast.walk(ast.parse(source.text, source.path)) if isinstance(node, ast.Match))
    for node in sorted(matches, key=lambda match: match.lineno):
        line, case = must_point_at(node), first_plain_case(node)
        if line and case and node.lineno > taken_to:  # a match inside a case that is lost is lost with it
            taken_to = max(statement.end_lineno or statement.lineno for statement in case.body)
            yield Gap(source.path, line, ast.unparse(case.pattern), case.pattern.lineno, taken_to)


def with_gaps(source: Source, lost: Iterable[Gap]) -> str:
    """Give the text of a file with the cases blanked out; every other line stays where it is."""
    blank = {number for gap in lost for number in range(gap.lost_from, gap.lost_to + 1)}
    return "\n".join("" if n in blank else line for n, line in enumerate(source.text.split("\n"), start=1))


def must_point_at(node: ast.Match) -> int:
    """Give the line that a missing case makes wrong: the `assert_never`, or the match without a default; 0 if none."""
    last = node.cases[-1]
    if not isinstance(last.pattern, ast.MatchAs) or last.pattern.pattern or last.guard:
        return node.lineno
    said = last.body[0]
    call = said.value if isinstance(said, ast.Expr | ast.Return) else None
    closes = isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] == "assert_never"
    return said.lineno if closes else 0


def first_plain_case(node: ast.Match) -> ast.match_case | None:
    """Give the first case that has no guard and names classes or values, if another case is left besides it."""
    named = (ast.MatchClass, ast.MatchOr, ast.MatchValue, ast.MatchSingleton)
    plain = [case for case in node.cases if case.guard is None and isinstance(case.pattern, named)]
    return plain[0] if plain and len(node.cases) > 1 else None
