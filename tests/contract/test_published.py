"""The published JSON Schema is that of the code."""

import json

import pytest

from schemas.events import EVENT_CLASSES
from tests.contract.published import FOLDER, published

HOW = "run `python -m tests.contract.published` and describe the change in schemas/CHANGELOG.md"


@pytest.mark.parametrize("name", sorted(published()))
def test_the_published_schema_is_up_to_date(name: str) -> None:
    assert (FOLDER / name).read_bytes() == published()[name], HOW


def test_nothing_else_is_published() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(published()), HOW


def test_the_schema_of_an_event_names_every_type_and_admits_no_unknown_field() -> None:
    schema = json.loads(published()["event.v1.json"])
    assert set(schema["discriminator"]["mapping"]) == {shape.model_fields["type"].default for shape in EVENT_CLASSES}
    shapes = [definition for definition in schema["$defs"].values() if definition["type"] == "object"]
    assert all(definition["additionalProperties"] is False for definition in shapes)
