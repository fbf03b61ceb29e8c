"""Every `--help` has an example, and the example is one that the command would take."""

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

EXAMPLE = re.compile(r"\$ (parley\b[^\n`]*)")
ENDS_THE_COMMAND = frozenset({"|", ">", ">>", "<", "&", "&&", "||", ";"})


def tree_of(app: typer.Typer) -> TyperCommand | TyperGroup:
    """Give the command, or the tree of them, that an app makes."""
    command = get_command(app)
    if not isinstance(command, TyperCommand | TyperGroup):
        raise TypeError(f"expected commands made by typer, got {command!r}")
    return command


def wrong_helps(command: TyperCommand | TyperGroup, *path: str) -> Iterator[str]:
    """Give each command, as it is typed, whose help has no example of it or one that it refuses, with the reason."""
    typed = " ".join(("parley", *path))
    shown = [example[1].strip() for example in EXAMPLE.finditer(f"{command.help}\n{command.epilog}")]
    if not any(f"{example} ".startswith(f"{typed} ") for example in shown):
        yield f"{typed} --help shows no example; add a line such as: Example: $ {typed} ..."
    if isinstance(command, TyperGroup):
        for name, below in command.commands.items():
            if isinstance(below, TyperCommand | TyperGroup):
                yield from wrong_helps(below, *path, name)
    else:
        for example in shown:
            if f"{example} ".startswith(f"{typed} ") and (reason := refused(command, example, path)):
                yield f"{example}: {reason}"


def refused(command: TyperCommand, example: str, path: tuple[str, ...]) -> str:
    """Give why a command does not take its example, or nothing; files of an example need not exist."""
    words = list(takewhile(lambda word: word not in ENDS_THE_COMMAND, shlex.split(example)))
    try:
        command.make_context(path[-1], words[1 + len(path) :])
    except TyperException as error:
        return "" if "does not exist" in str(error) else str(error)
    return ""
