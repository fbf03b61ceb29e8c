"""The YAML of a compose file, as far as such a file should go: mappings, lists, text.

A small closed reader, since nothing that Parley depends on reads YAML. It refuses what it does not know (anchors,
tags, text over several lines, keys twice) instead of guessing, so what it reads any YAML reader reads alike, but for
numbers, which stay text here.
"""

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

Node = str | list["Node"] | dict[str, "Node"]
ENTRY = re.compile(r"(?P<key>[A-Za-z_][\w-]*):(?: (?P<value>\S.*))?")
PLAIN = re.compile(r"[\w./@:$%+-][\w./@:$%+, -]*")


class NotRead(ValueError):  # noqa: N818 - says what stands there
    """A line that the reader does not know; says which, and what it knows."""


class Line(NamedTuple):
    """One line with something on it: its number, its spaces, its text."""

    number: int
    indent: int
    text: str


def read(text: str) -> dict[str, Node]:
    """Read a file whose top is a mapping; NotRead for anything beyond the closed subset."""
    lines = [
        Line(number, len(line) - len(line.lstrip(" ")), line.strip())
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    node, rest = block(lines, 0)
    if rest:
        raise NotRead(f"line {rest[0].number}: expected {rest[0].indent} spaces to be fewer, or a key above it")
    if not isinstance(node, dict):
        raise NotRead("expected a mapping at the top")
    return node


def block(lines: Sequence[Line], indent: int) -> tuple[Node, Sequence[Line]]:
    """Read the mapping or list that begins here; give what follows it."""
    entries: list[Node] = []
    mapping: dict[str, Node] = {}
    while lines and lines[0].indent == indent:
        line, lines = lines[0], lines[1:]
        if line.text.startswith("- ") and not mapping:
            entries.append(scalar(line, line.text.removeprefix("- ")))
            continue
        entry = ENTRY.fullmatch(line.text)
        if entry is None or entries or entry["key"] in mapping:
            raise NotRead(f"line {line.number}: expected `key: value` with a new key, or `- value`; got {line.text!r}")
        if entry["value"] is not None:
            mapping[entry["key"]] = scalar(line, entry["value"])
        elif lines and lines[0].indent > indent:
            mapping[entry["key"]], lines = block(lines, lines[0].indent)
        else:
            mapping[entry["key"]] = ""
    return (entries or mapping), lines


def scalar(line: Line, text: str) -> Node:
    """Read text, plain or in double quotes, or a list of quoted text in one line."""
    if text.startswith(('"', "[")):
        try:
            found = json.loads(text)
        except ValueError as error:
            raise NotRead(f"line {line.number}: expected text or a list as JSON writes them: {error}") from error
        if isinstance(found, str) or (isinstance(found, list) and all(isinstance(one, str) for one in found)):
            return found
    elif PLAIN.fullmatch(text) and ": " not in text:
        return text
    raise NotRead(f'line {line.number}: expected plain text, "text" or ["text"], got {text!r}')
