"""Bytes to events and back. Decoding is total: an event, or an `Undecodable` that says what is wrong and where.

Limits: 256 KiB an event, 24 levels of nesting, 4,000 values, integers within 53 bits, no fractions outside strings, no
key twice. What they are for: whatever is appended, it is read or refused within a tenth of a second.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from schemas.complaints import expectation, perhaps, syntax
from schemas.encoding import canonical
from schemas.events import EVENT_CLASSES, Event
from schemas.upcasters import upcast

EVENT_BYTES_MAX = 256 * 1024
DEPTH_MAX = 24
VALUES_MAX = 4_000
"""More than the fullest event of any class holds; each value may be wrong in several ways."""
_BYTES_OF_FEW_VALUES = 2 * VALUES_MAX  # a value takes a byte and what separates it from the next
FAULTS_MAX = 2_000
"""Of so many the one to be told is looked for; among more it would take too long."""
INTEGER_MAX = 2**53 - 1
_REST_SHOWN = 20
_EXPECTED_CHARS = 400
_DIGITS_MAX = len(str(INTEGER_MAX))
MAJOR = 1
MINOR = 1

Code = Literal[
    "empty", "too_large", "not_utf8", "not_json", "not_object", "duplicate_key", "number", "too_deep", "unknown_type",
    "unknown_major", "unknown_field", "missing_field", "invalid_value",
]  # fmt: skip

_TAGGED: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])
_VALIDATORS: dict[str, Any] = {
    str(shape.model_fields["type"].default): shape.__pydantic_validator__ for shape in EVENT_CLASSES
}
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_EMPTY = re.compile(rb"[\[{][ \t\r\n]*+[\]}]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_TYPES = frozenset(str(shape.model_fields["type"].default) for shape in EVENT_CLASSES)


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Why bytes are not an event: a code, a reason for people, and the JSON pointer (RFC 6901) of the fault."""

    code: Code
    reason: str
    pointer: str = ""


class _Refused(Exception):  # noqa: N818 -- it carries a value out of the parser's callbacks, it is no error of ours
    def __init__(self, fault: Undecodable) -> None:
        self.fault = fault


def encode(event: Event) -> bytes:
    """Return the canonical bytes of an event."""
    return canonical(event)


def decode(data: bytes | None) -> Event | Undecodable:
    """Read an event from bytes. Total: never raises on data."""
    if not data:
        return Undecodable("empty", "expected one JSON object, got nothing")
    if len(data) > EVENT_BYTES_MAX:
        return Undecodable("too_large", f"expected at most {EVENT_BYTES_MAX:,} bytes, got {len(data):,}")
    event = _canonical_event(data)
    return decode_at_length(data) if event is None else event


def _canonical_event(data: bytes) -> Event | None:
    """Read an event of the present version from canonical bytes, as Parley's doors write them; None for all others.

    Bytes that come out of a parser and a canonical writer as they went in have no key twice, no escape that is half of
    a pair and no number in a second spelling; what else the limits forbid, the closed classes refuse.
    """
    if _too_many_values(data):
        return None
    try:
        parsed = orjson.loads(data)
        if orjson.dumps(parsed, option=orjson.OPT_SORT_KEYS) != data:
            return None
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    if not isinstance(parsed, dict) or "version" in parsed:
        return None
    validator = _VALIDATORS.get(str(parsed.get("type")))
    if validator is None:
        return None
    try:
        event: Event = validator.validate_json(data)
    except ValidationError:
        return None
    return event


def decode_at_length(data: bytes) -> Event | Undecodable:
    """Read an event the long way, which finds the reason where there is none. `decode` finds the same, sooner."""
    parsed = _refused_unread(data) or _parse(data)
    if isinstance(parsed, Undecodable):
        return parsed
    version = _version(parsed)
    if isinstance(version, Undecodable):
        return version
    kind = parsed.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        near = ", ".join(sorted(_TYPES))
        code: Code = "missing_field" if kind is None else "unknown_type"
        return Undecodable(code, f"expected type to be one of {near}; got {_shown(kind)}", "/type")
    major, minor = version
    document = upcast(kind, major, parsed)
    try:
        if document is parsed:
            return _TAGGED.validate_json(data, extra="allow" if minor > MINOR else None)
        return _TAGGED.validate_json(json.dumps(document), extra="allow" if minor > MINOR else None)
    except ValidationError as error:
        return _fault(error, parsed)


def _refused_unread(data: bytes) -> Undecodable | None:
    """Refuse what holds too many values before it is read value by value, which takes a hundred times as long."""
    if not _too_many_values(data):
        return None
    try:
        parsed = orjson.loads(data)
    except orjson.JSONDecodeError:
        parsed = None
        if _bare(data).count(b",") <= VALUES_MAX:
            return None  # the long way soon finds that it is nested too deep, or no JSON
    version = _version(parsed) if isinstance(parsed, dict) else None
    if isinstance(version, Undecodable):
        return version  # a later major version may hold more
    return Undecodable("too_large", f"expected at most {VALUES_MAX:,} values, got more")


def _too_many_values(data: bytes) -> bool:
    """Count what lists and objects hold, in the bytes: a parser forgets what stands under a key that comes again."""
    if len(data) <= _BYTES_OF_FEW_VALUES:
        return False
    bare = _bare(data)
    separated = bare.count(b",")
    if separated > VALUES_MAX:
        return True
    return separated + bare.count(b"[") + bare.count(b"{") - len(_EMPTY.findall(bare)) > VALUES_MAX


def _bare(data: bytes) -> bytes:
    return _STRING.sub(b"0", data)


def _parse(data: bytes) -> dict[str, Any] | Undecodable:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return Undecodable("not_utf8", f"expected UTF-8, got byte {data[error.start]:#04x} at {error.start}")
    try:
        parsed = json.loads(
            text, object_pairs_hook=_pairs, parse_int=_integer, parse_float=_fraction, parse_constant=_fraction
        )
    except _Refused as refused:
        return refused.fault
    except RecursionError:
        return Undecodable("too_deep", f"expected at most {DEPTH_MAX} levels of nesting")
    except json.JSONDecodeError as error:
        rest = text[error.pos : error.pos + _REST_SHOWN]
        came = f"got {_shown(rest)}" if rest else "there it ends"
        return Undecodable("not_json", f"expected one JSON object, and {syntax(error)}; {came}")
    if not isinstance(parsed, dict):
        return Undecodable("not_object", f"expected a JSON object, got {_shown(parsed)}")
    if _deeper_than(parsed, DEPTH_MAX):
        return Undecodable("too_deep", f"expected at most {DEPTH_MAX} levels of nesting")
    if _SURROGATE_ESCAPE.search(text) is not None and not _is_unicode(parsed):
        return Undecodable("not_json", "expected Unicode text, got an escape that is half of a surrogate pair")
    return parsed


def _is_unicode(document: object) -> bool:
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise _Refused(Undecodable("duplicate_key", f"expected each key once, got {_shown(twice)} twice"))
    return document


def _integer(text: str) -> int:
    if len(text) > _DIGITS_MAX + 1 or abs(int(text)) > INTEGER_MAX:
        raise _Refused(Undecodable("number", f"expected integers within ±{INTEGER_MAX}, got {text[:40]}"))
    return int(text)


def _fraction(text: str) -> float:
    raise _Refused(Undecodable("number", f'expected decimals as strings such as "7.5", got the number {text[:40]}'))


def _deeper_than(document: object, levels: int) -> bool:
    """Walk level by level, so that depth costs no stack."""
    layer: list[object] = [document]
    for _ in range(levels):
        below: list[object] = []
        for node in layer:
            if isinstance(node, dict):
                below.extend(value for value in node.values() if isinstance(value, dict | list))
            elif isinstance(node, list):
                below.extend(value for value in node if isinstance(value, dict | list))
        if not below:
            return False
        layer = below
    return True


def _version(document: dict[str, Any]) -> tuple[int, int] | Undecodable:
    text = document.get("version", "1.0")
    if not isinstance(text, str) or text.count(".") != 1 or not text.replace(".", "").isascii():
        return Undecodable("invalid_value", f'expected a version such as "1.0", got {_shown(text)}', "/version")
    first, second = text.split(".")
    if not (first.isdecimal() and second.isdecimal() and len(text) <= 7):  # noqa: PLR2004 -- 999.999
        return Undecodable("invalid_value", f'expected a version such as "1.0", got {_shown(text)}', "/version")
    if int(first) > MAJOR:
        reason = f"this is version {text} and this Parley reads up to {MAJOR}.x: upgrade me"
        return Undecodable("unknown_major", reason, "/version")
    return int(first), int(second)


def _fault(error: ValidationError, document: object) -> Undecodable:
    """Choose the first complaint that lies deepest in the document: of a union's members, the one that came closest."""
    if error.error_count() > FAULTS_MAX:
        return Undecodable("invalid_value", f"expected an event; found {error.error_count():,} faults in it")
    problems = error.errors(include_url=False, include_input=False)
    located = [
        (_pointer(problem["loc"], document, missing=problem["type"] == "missing"), problem) for problem in problems
    ]
    pointer, problem = max(located, key=lambda pair: pair[0].count("/"))
    kind = problem["type"]
    code: Code = "invalid_value"
    if kind == "missing":
        code = "missing_field"
    elif kind == "extra_forbidden":
        code = "unknown_field"
    elif kind == "json_invalid":
        code = "not_json"
    expected = expectation([entry for place, entry in located if place == pointer])[:_EXPECTED_CHARS]
    return Undecodable(code, f"{pointer or '/'}: {expected}{_came(code, document, pointer)}", pointer)


def _came(code: Code, document: object, pointer: str) -> str:
    if code == "missing_field":
        return ""
    came = f"; got {_shown(_at(document, pointer))}"
    if code != "unknown_field":
        return came
    place, _, name = pointer.rpartition("/")
    beside = _at(document, place)
    return came + perhaps(name, beside if isinstance(beside, dict) else ())


def _pointer(location: tuple[str | int, ...], document: object, *, missing: bool) -> str:
    """Follow a pydantic location through the document, passing over the names of union members in it."""
    node, pointer = document, ""
    for index, step in enumerate(location):
        last = index == len(location) - 1
        if isinstance(node, dict) and isinstance(step, str) and (step in node or (last and missing)):
            node, pointer = node.get(step), f"{pointer}/{step.replace('~', '~0').replace('/', '~1')}"
        elif isinstance(node, list) and isinstance(step, int) and 0 <= step < len(node):
            node, pointer = node[step], f"{pointer}/{step}"
    return pointer


def _at(document: object, pointer: str) -> object:
    node = document
    for part in pointer.split("/")[1:]:
        step = part.replace("~1", "/").replace("~0", "~")
        node = node[int(step)] if isinstance(node, list) else node.get(step) if isinstance(node, dict) else None
    return node


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= 80 else f"{text[:77]}…"  # noqa: PLR2004 -- one line of a terminal
