"""Decoding never raises: not on random bytes, and not on what is almost an event."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, get_args

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import Code, Undecodable, decode, decode_at_length, encode
from tests.contract.goldens import GOLDENS

Path = tuple[str | int, ...]
CODES = frozenset(get_args(Code))
DOCUMENTS = tuple(json.loads(golden.value) | {"version": "1.0"} for golden in GOLDENS)
lawful = settings(max_examples=100, deadline=None, derandomize=True)

ODD_TEXTS = (
    "", " ", "0", "-0", "1e3", "20.0", "+5", "\u0662\u0660", "\x00", "\ud800", "\U0001f91d", "x" * 301, "NaN", "null",
    "2024-02-30", "2024-02-29", "0000-00-00", "0001-01-01", "9999-12-31", "2024-13", "2200-12-31T23:59:59-23:59",
    "1900-01-01T00:00:00+23:59", "2024-01-01T24:00:00Z", "2024-01-01T00:00:60Z", "1711922460", "UTC", "right/UTC",
    "localtime", "America", "Europe/Sylvania", "../../etc/passwd", "posixrules", "component_changed", "1.1", "1.999",
    "2.0", "999.999", "01.0", "1.0.0", "unknown_type",
)  # fmt: skip
ODD_VALUES: tuple[object, ...] = (*ODD_TEXTS, None, True, 0, -1, 2**53, 0.5, [], {}, [[]], {"on": "2024-01-01"}, ["x"])
odd_numbers = st.sampled_from([0, -1, 2**53 - 1, 2**53, -(2**53), 10**400, 0.5, float("nan"), float("inf"), -0.0])
leaves = st.none() | st.booleans() | odd_numbers | st.sampled_from(ODD_TEXTS) | st.text(max_size=8)
values = leaves | st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


def places(node: object, here: Path = ()) -> Iterator[Path]:
    """Give the way to every value in a document."""
    pairs: list[tuple[str | int, object]] = []
    match node:
        case dict():
            pairs = list(node.items())
        case list():
            pairs = list(enumerate(node))
        case _:
            pass
    for step, below in pairs:
        yield (*here, step)
        yield from places(below, (*here, step))


def parent_of(document: Any, place: Path) -> Any:  # noqa: ANN401 -- any JSON value
    for step in place[:-1]:
        document = document[step]
    return document


@st.composite
def near_misses(draw: st.DrawFn) -> bytes:
    """Draw a golden with one to three faults: a value left out or put in place of another, a key twice, bytes lost."""
    document = deepcopy(draw(st.sampled_from(DOCUMENTS)))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(places(document))))
        node, last = parent_of(document, place), place[-1]
        match draw(st.sampled_from(["drop", "replace", "add", "nest", "swap"])):
            case "drop":
                del node[last]
            case "replace":
                node[last] = draw(values)
            case "add" if isinstance(node, dict):
                node[draw(st.sampled_from(["on", "at", "zone", "version", "low", "by_product"]) | st.text())] = draw(
                    values
                )
            case "nest":
                node[last] = {"value": [node[last]]}
            case _:
                other = draw(st.sampled_from(list(places(document))))
                node[last] = deepcopy(parent_of(document, other)[other[-1]])
    data = json.dumps(document).encode()
    if draw(st.integers(0, 9)) == 0:
        cut = draw(st.integers(0, len(data)))
        data = data[:cut] + draw(st.sampled_from([b"", b'"', b"\xff", b"}", b',"type":"x"'])) + data[cut:]
    return data


def canonical_form(data: bytes) -> Iterator[bytes]:
    """Give the same JSON as canonical bytes would have it, which takes the short way; nothing if that cannot be."""
    try:
        document = orjson.loads(data)
        if isinstance(document, dict) and document.get("version") == "1.0":
            del document["version"]
        yield orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return


def judge(data: bytes) -> str:
    """Hold the answer against what every answer must be; give its code, or `event`."""
    found = decode(data)
    for form in (data, *canonical_form(data)) if data else ():
        assert decode(form) == decode_at_length(form)
    if isinstance(found, Undecodable):
        assert found.code in CODES
        assert found.reason.encode().strip()
        assert "\n" not in found.reason
        assert found.pointer == "" or found.pointer.startswith("/")
        return found.code
    assert decode(encode(found)) == found
    return "event"


@lawful
@given(st.binary(max_size=200))
def test_random_bytes_are_never_more_than_undecodable(data: bytes) -> None:
    judge(data)


@settings(lawful, max_examples=50)
@given(values)
def test_random_json_is_never_more_than_undecodable(value: object) -> None:
    judge(json.dumps(value).encode())


@lawful
@given(near_misses())
def test_what_is_almost_an_event_is_read_or_refused_and_never_raises(data: bytes) -> None:
    judge(data)


def test_every_value_of_every_golden_left_out_or_replaced_by_something_odd_is_read_or_refused() -> None:
    found: set[str] = set()
    done: set[Path] = set()  # what all reports have is tried in the first of them
    for document in DOCUMENTS:
        for number, place in enumerate(sorted({*places(document)} - done, key=str)):
            done.add(place)
            node, last = parent_of(document, place), place[-1]
            kept = node[last]
            for odd in ODD_VALUES if place == ("version",) else ODD_VALUES[number % 3 :: 3]:
                node[last] = odd
                found.add(judge(json.dumps(document).encode()))
            node[last] = kept
            shorter = deepcopy(document)
            del parent_of(shorter, place)[last]
            found.add(judge(json.dumps(shorter).encode()))
    of_bytes = {"empty", "too_large", "not_utf8", "not_object", "too_deep", "duplicate_key"}
    assert found == (CODES | {"event"}) - of_bytes
