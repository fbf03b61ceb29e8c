"""Bad input is refused with a code, a reason and the place; good input beside it is not touched."""

import json
from typing import Any

import pytest

from schemas import codec
from schemas.codec import DEPTH_MAX, EVENT_BYTES_MAX, FAULTS_MAX, INTEGER_MAX, VALUES_MAX, Undecodable, decode, encode
from schemas.events import ComponentChanged, Goods, Members, StatementMade
from schemas.rates import ByProduct, EitherRate, Specific
from tests.contract.goldens import GOLDENS

COMPONENT = next(golden.value for golden in GOLDENS if golden.type == "component_changed")
METRIC = next(golden.value for golden in GOLDENS if golden.name == "metric_defined.v1")


def changed(path: str, value: Any, document: bytes = COMPONENT) -> bytes:  # noqa: ANN401 -- any JSON value
    """Give a golden with the value at a JSON pointer put in place of its own."""
    whole = json.loads(document)
    *way, last = path.split("/")[1:]
    node = whole
    for step in way:
        node = node[int(step)] if isinstance(node, list) else node[step]
    node[last] = value
    return json.dumps(whole).encode()


def without(name: str) -> bytes:
    whole = json.loads(COMPONENT)
    del whole[name]
    return json.dumps(whole).encode()


PRODUCT, PUBLISHED = "/rate/by_product/machines", "/source/published/on"
REFUSED = {
    "nothing": (b"", "empty", ""),
    "not JSON": (b"rate: 20", "not_json", ""),
    "two objects": (b"{}{}", "not_json", ""),
    "cut off": (COMPONENT[:-1], "not_json", ""),
    "a list": (b"[]", "not_object", ""),
    "not UTF-8": (b'{"type":"\xff"}', "not_utf8", ""),
    "half a surrogate pair": (changed("/title", "\ud800"), "not_json", ""),
    "half a surrogate pair in a name": (changed("/\udfff", 1), "not_json", ""),
    "1 MiB": (changed("/title", "x" * 1024 * 1024), "too_large", ""),
    "a byte too many": (b" " * (EVENT_BYTES_MAX + 1 - len(COMPONENT)) + COMPONENT, "too_large", ""),
    "too deep": (changed("/goods", json.loads("[" * DEPTH_MAX + "]" * DEPTH_MAX)), "too_deep", ""),
    "far too deep": (b'{"type":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep", ""),
    "too many values": (changed("/origins", [1] * VALUES_MAX), "too_large", ""),
    "too many values, further in": (changed("/rate", {"by_product": {"a": [[]] * VALUES_MAX}}), "too_large", ""),
    "too many fields": (changed("/source", {f"f{n}": 1 for n in range(VALUES_MAX)}), "too_large", ""),
    "many values, all wrong": (changed("/goods", {"listed": "a", "hts": [1] * (FAULTS_MAX + 1)}), "invalid_value", ""),
    "fewer values, all wrong": (
        changed("/goods", {"listed": "a", "hts": [1] * (FAULTS_MAX - 50)}), "invalid_value", "/goods/hts/0"
    ),
    "too many values of a later major version": (
        changed("/version", "2.0", changed("/origins", [1] * VALUES_MAX)), "unknown_major", "/version"
    ),
    "the same key twice": (b'{"type":"a","type":"b"}', "duplicate_key", ""),
    "the same key twice, further in": (b'{"source":{"name":"a","name":"b"}}', "duplicate_key", ""),
    "no type": (without("type"), "missing_field", "/type"),
    "an unknown type": (changed("/type", "tariff_raised"), "unknown_type", "/type"),
    "a type that is a number": (changed("/type", 7), "unknown_type", "/type"),
    "a later major version": (changed("/version", "2.0"), "unknown_major", "/version"),
    "a version of its own kind": (changed("/version", "one"), "invalid_value", "/version"),
    "a version in other digits": (changed("/version", "\u0661.\u0660"), "invalid_value", "/version"),
    "a version before the first": (changed("/version", "0.1"), "invalid_value", "/version"),
    "no source": (without("source"), "missing_field", "/source"),
    "no name of the source": (changed("/source", {"grade": "wire"}), "missing_field", "/source/name"),
    "no announcement": (without("announced"), "missing_field", "/announced"),
    "a field nobody knows": (changed("/colour", "red"), "unknown_field", "/colour"),
    "a field nobody knows, further in": (changed("/source/colour", "red"), "unknown_field", "/source/colour"),
    "a rate abc": (changed("/rate", "abc"), "invalid_value", "/rate"),
    "a rate with trailing zeros": (changed("/rate", "20.0"), "invalid_value", "/rate"),
    "a rate with a percent sign": (changed("/rate", "20%"), "invalid_value", "/rate"),
    "a rate in other digits": (changed("/rate", "\u0662\u0660"), "invalid_value", "/rate"),
    "a rate that is a number": (changed("/rate", 20), "invalid_value", "/rate"),
    "a rate with a fraction": (changed("/rate", 7.5), "number", ""),
    "a rate that is no number": (changed("/rate", float("nan")), "number", ""),
    "a rate without end": (changed("/rate", float("inf")), "number", ""),
    "a rate abc for one product": (changed(PRODUCT, "abc"), "invalid_value", PRODUCT),
    "an integer out of bounds": (changed("/members/count", INTEGER_MAX + 1), "number", ""),
    "an integer of 4,301 digits": (b'{"type":' + b"9" * 4301 + b"}", "number", ""),
    "a count below zero": (changed("/members/count", -1), "invalid_value", "/members/count"),
    "a revision that is true": (changed("/revision", value=True, document=METRIC), "invalid_value", "/revision"),
    "a date that does not exist": (changed("/announced/on", "2024-02-30"), "invalid_value", "/announced/on"),
    "a date with an hour": (changed("/announced/on", "2024-02-28T00:00:00"), "invalid_value", "/announced/on"),
    "a year before all records": (changed("/announced/on", "0001-01-01"), "invalid_value", "/announced/on"),
    "a publication in year 1": (changed(PUBLISHED, "0001-01-01"), "invalid_value", PUBLISHED),
    "a publication in year 9999": (changed(PUBLISHED, "9999-12-31"), "invalid_value", PUBLISHED),
    "an instant without offset": (changed("/effective/at", "2024-04-01T00:01:00"), "invalid_value", "/effective/at"),
    "an instant that does not exist": (changed("/effective/at", "2024-04-31T00:01Z"), "invalid_value", "/effective/at"),
    "an instant in seconds since 1970": (changed("/effective/at", "1711922460"), "invalid_value", "/effective/at"),
    "a month that does not exist": (changed("/until/month", "2024-13"), "invalid_value", "/until/month"),
    "a zone that does not exist": (changed("/effective/zone", "Europe/Sylvania"), "invalid_value", "/effective/zone"),
    "a zone that differs by machine": (changed("/effective/zone", "localtime"), "invalid_value", "/effective/zone"),
    "a zone with leap seconds": (changed("/effective/zone", "right/UTC"), "invalid_value", "/effective/zone"),
    "a zone that is a path": (changed("/effective/zone", "../../etc/passwd"), "invalid_value", "/effective/zone"),
    "a day and an instant": (changed("/effective/on", "2024-04-01"), "invalid_value", "/effective"),
    "an unknown grade": (changed("/source/grade", "rumour"), "invalid_value", "/source/grade"),
    "a quote of 301 characters": (changed("/source/quote", "x" * 301), "invalid_value", "/source/quote"),
    "a translation by nobody": (changed("/source/translator", None), "invalid_value", "/source"),
    "a negotiation with blanks": (changed("/negotiation", "us china"), "invalid_value", "/negotiation"),
    "an address that is none": (changed("/source/url", "javascript:alert(1)"), "invalid_value", "/source/url"),
    "a name with a slash in it": (changed("/source/a~b|c", 1).replace(b"|", b"/"), "unknown_field", "/source/a~0b~1c"),
}  # fmt: skip


@pytest.mark.parametrize("data", [bad for bad, _, _ in REFUSED.values()], ids=list(REFUSED))
def test_bad_input_is_refused_with_its_code_and_its_place(data: bytes) -> None:
    _, code, pointer = next(one for one in REFUSED.values() if one[0] is data)
    refused = decode(data)
    assert isinstance(refused, Undecodable)
    assert (refused.code, refused.pointer) == (code, pointer), refused.reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            changed("/rate", "abc"),
            (
                "/rate: expected a decimal string without plus sign or needless zeros, "
                'such as "20", "7.5" or "-10"; got "abc"'
            ),
        ),
        (without("source"), "/source: expected this field, which is missing"),
        (changed("/version", "2.0"), "this is version 2.0 and this Parley reads up to 1.x: upgrade me"),
        (b'{"a":1,"b":2,"b":3}', 'expected each key once, got "b" twice'),
        (b" " * 1024 * 1024, "expected at most 262,144 bytes, got 1,048,576"),
        (
            changed("/effective/at", "tomorrow"),
            '/effective/at: expected an instant such as 2025-10-31T12:00:00-04:00; got "tomorrow"',
        ),
    ],
)
def test_the_reason_says_what_was_expected_and_what_came(data: bytes, reason: str) -> None:
    refused = decode(data)
    assert isinstance(refused, Undecodable)
    assert refused.reason == reason


def test_a_reason_can_always_be_written_down() -> None:
    refused = decode(b'{"\\ud800":1,"\\ud800":2}')
    assert isinstance(refused, Undecodable)
    assert refused.reason.encode().decode() == 'expected each key once, got "\\ud800" twice'


def test_a_whole_pair_of_surrogates_is_one_character() -> None:
    event = decode(
        b'{"says":"\\ud83e\\udd1d",'
        + next(g.value for g in GOLDENS if "plain" in g.name)[1:].replace(b'"says":"No.",', b"")
    )
    assert isinstance(event, StatementMade)
    assert event.says == "🤝"


def test_an_event_of_exactly_the_largest_size_is_read() -> None:
    assert not isinstance(decode(b" " * (EVENT_BYTES_MAX - len(COMPONENT)) + COMPONENT), Undecodable)


@pytest.mark.parametrize(
    ("keys", "refusal"),
    [
        (VALUES_MAX - 2, Undecodable("duplicate_key", 'expected each key once, got "zz" twice')),
        (25_000, Undecodable("too_large", f"expected at most {VALUES_MAX:,} values, got more")),
    ],
)
def test_many_keys_with_one_twice_are_refused_without_comparing_each_with_each(keys: int, refusal: Undecodable) -> None:
    names = [*(f"{number:x}" for number in range(keys)), "zz", "zz"]
    assert decode(("{" + ",".join(f'"{name}":0' for name in names) + "}").encode()) == refusal


def filled(begin: bytes, unit: bytes, end: bytes) -> bytes:
    """Fill an event of the largest size with as many of something as it takes."""
    count = (EVENT_BYTES_MAX - len(begin) - len(end)) // (len(unit) + 1)
    return begin + b",".join([unit] * count) + end


WORST = {
    "numbers under a key that comes again": filled(b'{"a":[', b"1", b'],"a":1}'),
    "lists under a key that comes again": filled(b'{"a":[', b"[1]", b'],"a":1}'),
    "empty lists": filled(b'{"a":[', b"[ ]", b'],"a":1}'),
    "one key again and again": filled(b"{", b'"a":1', b"}"),
    "numbers, then nothing": filled(b'{"a":[', b"1", b'],"a":'),
    "fractions": filled(b'{"a":[', b"1.5", b"]}"),
    "lists in lists in a list": filled(b"[", b"[" * 20 + b"]" * 20, b"]"),
}


@pytest.mark.parametrize("shape", WORST)
def test_what_holds_too_many_values_is_refused_before_they_are_read(
    shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec, "_parse", None)
    assert len(WORST[shape]) <= EVENT_BYTES_MAX
    refused = decode(WORST[shape])
    assert refused == Undecodable("too_large", f"expected at most {VALUES_MAX:,} values, got more")


@pytest.mark.parametrize("text", ["," * 9_000, "[{" * 9_000, '\\",[' * 4_000, "\\" * 9_000])
def test_what_stands_in_a_text_is_no_value(text: str) -> None:
    refused = decode(json.dumps({"type": "statement_made", "says": text}).encode())
    assert isinstance(refused, Undecodable)
    assert refused.code != "too_large"


def test_empty_lists_hold_nothing() -> None:
    few = decode(b'{"a":[' + b",".join([b"[\n]"] * (VALUES_MAX - 1)) + b"]}")
    assert isinstance(few, Undecodable)
    assert (few.code, few.pointer) == ("missing_field", "/type")
    more = b'{"a":[' + b",".join([b"{}"] * VALUES_MAX) + b"]}"
    assert decode(more) == Undecodable("too_large", f"expected at most {VALUES_MAX:,} values, got more")


def test_the_fullest_event_is_within_the_limits() -> None:
    part = decode(COMPONENT)
    assert isinstance(part, ComponentChanged)
    either = EitherRate(ad_valorem="1", specific=Specific(amount="1", currency="USD", per="kg"))
    rates = ByProduct(by_product={f"p{n}": either for n in range(200)})
    full = part.model_copy(
        update={
            "rate": rates,
            "on_lapse": rates,
            "origins": ("CN",) * 100,
            "exceptions": ("x",) * 50,
            "supersedes": ("a",) * 50,
            "goods": Goods(listed="x", hts=("1",) * 500),
            "members": Members(count=500, named=("x",) * 500),
            **dict.fromkeys(("signed", "published", "retroactive_from", "operational", "until"), part.effective),
        }
    )
    assert decode(encode(full)) == full
    assert isinstance(decode(b" " + encode(full)), ComponentChanged)
