"""How files are named, how long they are, and what their text must not name."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.house.tree import Offence, Source

VAGUE = frozenset(
    {"base", "common", "data", "helper", "helpers", "info", "manager", "managers", "misc", "util", "utils"}
)
VAGUE_PREFIXES = ("base_", "common_", "helper_", "util_", "utils_")
LINES_AT_MOST = 400

# put together here, so that this file names none of them
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("registry", "npmjs", "org"),
        ("proxy", "golang", "org"),
    )
)
ONE_MACHINE = re.compile(r"(?<![\w.~/-])/(?:root|home|Users|work|mnt)/[\w.-]+")
NAMED_PAGE = re.compile(r"(?<![\w./-])((?:\.{1,2}/)*[\w-]+(?:/[\w-]+)*\.md)\b")


def vague_names(paths: Iterable[str]) -> Iterator[Offence]:
    """Give each Python module or package whose name says nothing about what is in it."""
    for path in paths:
        for part in path.removesuffix(".py").split("/") if path.endswith(".py") else ():
            if part in VAGUE or part.startswith(VAGUE_PREFIXES):
                yield Offence(path, 1, f"the name {part}", "name it for what it holds, in the domain's words")


def long_files(sources: Iterable[Source]) -> Iterator[Offence]:
    """Give each Python file that is too long to be read in one sitting."""
    for source in sources:
        lines = source.text.count("\n")
        if source.path.endswith(".py") and lines > LINES_AT_MOST:
            yield Offence(source.path, lines, f"{lines} lines", f"split it; {LINES_AT_MOST} is the most")


def foreign_places(sources: Iterable[Source]) -> Iterator[Offence]:
    """Give each registry host and each path that exists on one machine only."""
    for source in sources:
        for number, line in enumerate(source.text.splitlines(), start=1):
            for host in REGISTRIES:
                if host in line:
                    yield Offence(source.path, number, host, "name the package; whoever installs it knows from where")
            for place in ONE_MACHINE.finditer(line):
                yield Offence(source.path, number, place.group(), "this path exists on one machine only")


def links_out(root: Path, names: Iterable[str]) -> Iterator[Offence]:
    """Give each symbolic link that leads out of the tree: whoever clones it has nothing there."""
    for name in names:
        if (root / name).is_symlink() and not (root / name).resolve().is_relative_to(root.resolve()):
            yield Offence(name, 1, f"a link to {(root / name).readlink()}", "keep it out of the tree")


def missing_pages(sources: Iterable[Source], paths: Iterable[str]) -> Iterator[Offence]:
    """Give each page (`*.md`) that code or prose names and the tree does not hold, under that path or that name."""
    names = {page.rsplit("/", 1)[-1] for page in paths}
    for source in sources:
        for number, line in enumerate(source.text.splitlines(), start=1):
            for page in NAMED_PAGE.findall(line):
                if page.rsplit("/", 1)[-1] not in names:
                    yield Offence(source.path, number, page, "there is no such page; say the thing itself")


def packages_without_decisions(paths: Iterable[str]) -> Iterator[Offence]:
    """Give each package at the top of the tree that does not say why it is as it is."""
    known = set(paths)
    for path in sorted(known):
        package, _, rest = path.partition("/")
        if rest == "__init__.py" and f"{package}/decisions.md" not in known:
            yield Offence(f"{package}/decisions.md", 1, "missing", "write down what was decided, and why")
