"""What code reaches for beyond its arguments: clocks, chance, ids, the environment, the disk.

The checker follows imports and their aliases to full names, so `from datetime import datetime as d; d.now` is
`datetime.datetime.now`. It sees names, not types: a value that was handed in is not suspected.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.house.tree import CORE, Offence, Source


@dataclass(frozen=True, slots=True)
class Rule:
    """Names (with all below them) that only some files may use, or none; exceptions are names that anybody may use."""

    names: tuple[str, ...]
    instead: str
    homes: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()

    def forbids(self, name: str, path: str) -> bool:
        """Tell whether the file at `path` may not use `name`."""
        return path not in self.homes and lies_in(name, self.names) and not lies_in(name, self.exceptions)


CLOCKS = (
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
    "time.ctime",
    "time.asctime",
    "time.strftime",
    "time.clock_gettime",
    "time.clock_gettime_ns",
)
ENVIRONMENT = ("os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv", "os.unsetenv")

CORE_RULES = (
    Rule((*CLOCKS, "time"), "time is an argument here: take the instant from the caller"),
    Rule(("uuid", "random", "secrets"), "ids are computed from what they name; chance has no place in a fold"),
    Rule(("os", "sys", "pathlib", "io", "open", "print", "input"), "the core touches neither system nor disk"),
    Rule(("hash", "id"), "differs from process to process: use a digest or the value itself"),
    Rule(("__import__", "importlib", "eval", "exec"), "write the import, so that the layers can be checked"),
)
STREAMS_RULES = (
    # the engine imports nothing of Parley
    Rule(CLOCKS, "ask streams/now.py", homes=("streams/now.py", "streams/engine/behind_fence.py")),
    Rule(ENVIRONMENT, "add a setting to streams/settings.py", homes=("streams/settings.py",)),
    Rule(
        ("uuid.uuid1", "uuid.uuid4", "os.urandom", "os.getrandom", "secrets", "random"),
        "ask streams/uuids.py, or take a seeded random.Random as an argument",
        homes=("streams/uuids.py",),
        exceptions=("random.Random",),
    ),
)


def lies_in(name: str, names: tuple[str, ...]) -> bool:
    """Tell whether a dotted name is one of the names or lies below one."""
    return any(name == other or name.startswith(f"{other}.") for other in names)


def offences(source: Source) -> Iterator[Offence]:
    """Give every reach that the file's package does not allow."""
    rules = CORE_RULES if source.path.split("/")[0] in CORE else STREAMS_RULES
    for line, name in sorted(set(names_used(ast.parse(source.text, source.path)))):
        for rule in rules:
            if rule.forbids(name, source.path):
                yield Offence(source.path, line, name, rule.instead)
                break


def names_used(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Give each name that is read, in full, with its line; built-in names only where the module does not bind them."""
    imported = dict(imports(tree))
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    bound |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for chain in outermost(tree):
        root, *rest = dotted(chain)
        if root in imported or root not in bound:
            yield chain.lineno, ".".join((imported.get(root, root), *rest))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Give each imported name as the module calls it, with its full name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.split(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (root, root)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def outermost(node: ast.AST) -> Iterator[ast.Attribute | ast.Name]:
    """Give the names and the longest attribute chains on names that are read; `__hash__` may call `hash`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef) and child.name == "__hash__":
            continue
        if isinstance(child, ast.Attribute | ast.Name) and isinstance(child.ctx, ast.Load) and dotted(child):
            yield child
        else:
            yield from outermost(child)


def dotted(node: ast.expr) -> tuple[str, ...]:
    """Give `a.b.c` in parts, and nothing for a chain that does not begin with a name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else ()
