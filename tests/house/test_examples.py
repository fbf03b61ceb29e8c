"""Whoever asks for help is shown one real example."""

from typing import Annotated

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from tests.house.examples import tree_of, wrong_helps


def planted(example: str) -> TyperCommand | TyperGroup:
    app, letters = typer.Typer(epilog="Example: $ parley state us-china"), typer.Typer(epilog="$ parley letters show")

    @app.command(epilog="Example: $ parley state us-china --limit 3 | head -1")
    def state(negotiation: str, limit: Annotated[int, typer.Option()] = 1) -> None:
        """Say what is in force."""

    @letters.command(epilog=example)
    def show(position: int) -> None:
        """Show a dead letter."""

    app.add_typer(letters, name="letters")
    return tree_of(app)


@pytest.mark.parametrize(
    ("example", "caught"),
    [
        ("Example: $ parley letters show 3", []),
        ("", ["parley letters show --help shows no example; add a line such as: Example: $ parley letters show ..."]),
        ("$ parley letters list", ["parley letters show --help shows no example"]),
        ("$ parley letters show three", ["parley letters show three: "]),
        ("$ parley letters show 3 --colour", ["parley letters show 3 --colour: "]),
    ],
)
def test_a_help_without_a_real_example_is_caught(example: str, caught: list[str]) -> None:
    found = list(wrong_helps(planted(example)))
    assert [line[: len(start)] for line, start in zip(found, caught, strict=True)] == caught
