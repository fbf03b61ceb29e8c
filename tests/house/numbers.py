"""Rates and amounts are decimals: binary floating point has no place in `schemas` and `ledger`."""

import ast
from collections.abc import Iterator

from tests.house.tree import Offence, Source

INSTEAD = "use Decimal, an int, or a timedelta divided with //"
ROUNDED = ("timestamp", "total_seconds")  # their results are floats, off by a microsecond now and then


def floats(source: Source) -> Iterator[Offence]:
    """Give every float literal, every use of the name `float` but to refuse one, and every call that gives a float."""
    tree = ast.parse(source.text, source.path)
    refusals = {name for node in ast.walk(tree) for name in ast.walk(refused(node))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield Offence(source.path, node.lineno, repr(node.value), INSTEAD)
        elif isinstance(node, ast.Name) and node.id == "float" and node not in refusals:
            yield Offence(source.path, node.lineno, "float", INSTEAD)
        elif isinstance(node, ast.Attribute) and node.attr in ROUNDED:
            yield Offence(source.path, node.lineno, f".{node.attr}", INSTEAD)


def refused(node: ast.AST) -> ast.AST:
    """Give the part of a node that only asks for a type, or promises it and always raises, as a parser's hook may."""
    match node:
        case ast.FunctionDef(returns=ast.expr() as promised, body=[ast.Raise()]):
            return promised
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, kinds]):
            return kinds
        case ast.MatchClass(cls=kind):
            return kind
        case _:
            return ast.Module(body=[], type_ignores=[])
