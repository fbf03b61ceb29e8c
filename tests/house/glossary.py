"""The README's glossary and the code share their words: every name quoted there exists in the tree."""

import ast
import re
from collections.abc import Iterable, Iterator

from tests.house.tree import Offence, Source

HEADING = re.compile(r"^## Glossary\s*$")
QUOTED = re.compile(r"`([^`]+)`")


def rows(page: str) -> Iterator[tuple[int, str, str]]:
    """Give each row of the glossary: its line, its word, the rest; the heading and the ruler are left out."""
    inside, ruled = False, False
    for number, line in enumerate(page.split("\n"), start=1):
        if line.startswith("## "):
            inside = HEADING.match(line) is not None
        elif inside and line.startswith("|"):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if ruled:
                yield number, cells[0], " | ".join(cells[1:])
            ruled = ruled or set(line) <= set("|-: ")


def wrong_rows(page: Source, known: frozenset[str]) -> Iterator[Offence]:
    """Give each row that quotes no name, and each quoted name that the code does not know."""
    for number, word, meaning in rows(page.text):
        quoted = QUOTED.findall(f"{word} {meaning}")
        if not quoted:
            yield Offence(
                page.path, number, f"{word} names nothing", "quote the name it has in the code, as in `Event`"
            )
        for name in quoted:
            if name not in known:
                yield Offence(page.path, number, f"`{name}` is not in the code", "use the name that the code uses")


def names(sources: Iterable[Source], paths: Iterable[str]) -> frozenset[str]:
    """Give what the code calls things: files, modules, whatever it defines, also as `module.name`, and its strings."""
    found = set(paths)
    for source in sources:
        module = source.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        defined = {name for node in ast.walk(ast.parse(source.text, source.path)) for name in told_by(node)}
        found |= {module, source.path.rsplit("/", 1)[0] + "/"} | defined | {f"{module}.{name}" for name in defined}
    return frozenset(found)


def told_by(node: ast.AST) -> tuple[str, ...]:
    """Give the names that one node brings: what it defines, or the text of a string."""
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return (node.name,)
        case ast.arg():
            return (node.arg,)
        case ast.Name(ctx=ast.Store()):
            return (node.id,)
        case ast.Constant(value=str(text)):
            return (text,)
        case _:
            return ()
