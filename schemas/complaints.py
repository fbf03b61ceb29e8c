"""What was expected of a value, in words for whoever wrote it; the words of the libraries are for programmers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from json import JSONDecodeError
from typing import Any, Final, get_args

from pydantic import StringConstraints

from schemas.events import Version
from schemas.provenance import Url
from schemas.rates import Currency
from schemas.shape import Language, Line, Party, Quote, Reference, Shape, Slug
from schemas.times import Month, ZoneName

_TEXTS: Final = {
    Slug: 'a lower-case name such as "us-china"',
    Reference: 'an identifier such as "EO-14257", of letters, digits and _ . + : / -',
    Party: 'a party in capitals such as "US" or "CN"',
    Line: "one line of text",
    Quote: "text without control characters",
    Language: 'a language such as "en" or "zh-Hans"',
    Url: "an address that begins with http:// or https://",
    Currency: 'a currency such as "USD"',
    Version: 'a version such as "1.0"',
    Month: 'a month such as "2025-10"',
    ZoneName: "an IANA time zone such as America/New_York",
}
_OF_PATTERN: Final = {
    part.pattern: words
    for kind, words in _TEXTS.items()
    for part in get_args(kind)
    if isinstance(part, StringConstraints)
}
_OBJECTS: Final = {
    "When": 'an object such as {"on": "2025-10-31", "zone": "America/New_York"}',
    "Source": 'an object such as {"name": "Reuters", "grade": "wire"}',
    "Document": 'an object such as {"kind": "official-statement", "issuer": "US"}',
}
_NAME_CHARS: Final = 40
_EXPECTED: Final = "expected "
_DAY: Final = 'a day such as "2025-10-31"'
_WORDS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "missing": lambda _: "this field, which is missing",
    "extra_forbidden": lambda _: "no field of this name",
    "string_type": lambda _: "text in double quotes",
    "string_pattern_mismatch": lambda of: _OF_PATTERN.get(of["pattern"], f"text like {of['pattern']}"),
    "string_too_short": lambda of: (
        "text, got none" if of["min_length"] == 1 else f"at least {of['min_length']} characters"
    ),
    "string_too_long": lambda of: f"at most {of['max_length']} characters",
    "literal_error": lambda of: f"one of {of['expected'].replace(' or ', ', ')}".replace("'", ""),
    "bool_type": lambda _: "true or false, without quotes",
    "int_type": lambda _: "a whole number without quotes",
    "int_from_float": lambda _: "a whole number without quotes",
    "greater_than_equal": lambda of: f"at least {of['ge']}",
    "less_than_equal": lambda of: f"at most {of['le']}",
    "date_type": lambda _: f"{_DAY}, in double quotes",
    "date_parsing": lambda of: f"{_DAY} ({of['error']})",
    "date_from_datetime_parsing": lambda of: f"{_DAY} ({of['error']})",
    "date_from_datetime_inexact": lambda _: f"{_DAY}, without a time",
    "datetime_type": lambda _: 'an instant such as "2025-10-31T12:00:00-04:00"',
    "timezone_aware": lambda _: 'an instant with its offset, such as "2025-10-31T12:00:00-04:00"',
    "model_type": lambda of: _OBJECTS.get(of["class_name"], "an object in braces"),
    "dict_type": lambda _: "an object in braces",
    "tuple_type": lambda _: "a list in brackets",
    "union_tag_not_found": lambda of: f"an object that tells its {of['discriminator']}".replace("'", ""),
    "union_tag_invalid": lambda of: f"as {of['discriminator']} one of {of['expected_tags']}".replace("'", ""),
    "too_long": lambda of: f"at most {of['max_length']} of them",
    "too_short": lambda of: f"at least {of['min_length']} of them",
}
_SYNTAX: Final = {
    "Expecting property name enclosed in double quotes": "a name in double quotes",
    "Expecting ',' delimiter": "a comma, or the end of what is open",
    "Expecting ':' delimiter": "a colon after the name",
    "Expecting value": "a value",
    "Extra data": "nothing more, since a line holds one event",
    "Unterminated string starting at": "text that ends with double quotes",
    "Invalid control character at": "no control characters in text",
    "Unexpected UTF-8 BOM (decode using utf-8-sig)": "no mark of UTF-8",
    "Illegal trailing comma before end of object": "no comma before the end",
    "Illegal trailing comma before end of array": "no comma before the end",
}


def expectation(problems: Sequence[Mapping[str, Any]]) -> str:
    """Return what was expected of one value, from all that pydantic says about it: one of several shapes may fit."""
    ours = [one for one in problems if one["type"] == "value_error"]
    known = [one for one in problems if one["type"] != "extra_forbidden"]
    words = sorted({_words(one) for one in ours or known or problems})
    return _EXPECTED + " or ".join(text.removeprefix(_EXPECTED) for text in words)


def _words(problem: Mapping[str, Any]) -> str:
    words = _WORDS.get(problem["type"])
    return words(problem.get("ctx", {})) if words is not None else str(problem["msg"]).removeprefix("Value error, ")


def syntax(error: JSONDecodeError) -> str:
    """Return where text ceases to be JSON, and what was expected there."""
    return f"at character {error.pos + 1} {_SYNTAX.get(error.msg, f'JSON ({error.msg})')}"


def perhaps(name: str, beside: Iterable[str]) -> str:
    """Return, as the end of a sentence, the field that an unknown name may stand for; "" where none is near.

    beside: the fields that are there already
    """
    if len(name) > _NAME_CHARS:  # the look takes time with the square of it
        return ""
    alike = sorted(one for one in _names().difference(beside) if one[:1] == name[:1])
    near = get_close_matches(name, alike, n=1)
    return f"; perhaps {near[0]} is meant" if near else ""


def _names() -> set[str]:
    shapes, found = [Shape], set[str]()
    while shapes:
        shape = shapes.pop()
        found.update(shape.model_fields)
        shapes.extend(shape.__subclasses__())
    return found
