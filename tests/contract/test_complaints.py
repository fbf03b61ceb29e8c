"""A refusal says what was expected in words for whoever wrote the event, whatever is wrong with it."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from schemas.codec import Undecodable, decode
from schemas.complaints import perhaps
from tests.contract.goldens import GOLDENS, Golden

WRONG: tuple[object, ...] = (
    5,
    -1,
    10**15,
    "",
    "No!",
    "x" * 1_000,
    "\x01",
    "2025-02-30",
    [],
    [5] * 1_000,
    {},
    {"x": 1},
    None,
)
LIBRARY = ("Input should", "String should", "Field required", "not permitted", "Value error", "Extra data", "Expecting")


def places(document: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Give the path to everything in a document."""
    if path:
        yield path
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in inner:
        yield from places(value, (*path, key))


def put(document: dict[str, Any], path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    changed: Any = deepcopy(document)
    node = changed
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return changed  # type: ignore[no-any-return]


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden.name)
def test_no_refusal_speaks_the_words_of_a_library(golden: Golden) -> None:
    document = json.loads(golden.value)
    refused = 0
    for path in places(document):
        for wrong in WRONG:
            found = decode(json.dumps(put(document, path, wrong)).encode())
            if isinstance(found, Undecodable):
                refused += 1
                assert "expected" in found.reason or found.code == "unknown_major", (path, wrong)
                assert not any(words in found.reason for words in LIBRARY), (path, wrong, found.reason)
    assert refused > len(WRONG)


NO_JSON = {
    b'{"a": "b"': "at character 10 a comma, or the end of what is open; there it ends",
    b'{"a": "b"} [1]': 'at character 12 nothing more, since a line holds one event; got "[1]"',
    b"{'a': 1}": "at character 2 a name in double quotes; got \"'a': 1}\"",
    b"nope": 'at character 1 a value; got "nope"',
}


@pytest.mark.parametrize(("line", "reason"), NO_JSON.items())
def test_what_is_no_json_is_told_with_its_place(line: bytes, reason: str) -> None:
    found = decode(line)
    assert isinstance(found, Undecodable)
    assert (found.code, found.reason) == ("not_json", f"expected one JSON object, and {reason}")


def test_a_misspelt_field_is_told_what_is_meant() -> None:
    document = json.loads(GOLDENS[0].value)
    assert perhaps("titel", document) in {"; perhaps title is meant", ""}
    found = decode(json.dumps({**document, "negotiaton": "a"}).encode())
    assert isinstance(found, Undecodable)
    assert (found.code, found.pointer) == ("unknown_field", "/negotiaton")
    assert perhaps("x" * 1_000_000, ()) == ""
