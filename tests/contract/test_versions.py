"""Newer and older producers: what this Parley does not know it keeps, refuses or asks to be upgraded for."""

import json
from typing import Any

import pytest

from schemas.codec import Undecodable, decode, encode
from schemas.encoding import canonical_json
from tests.contract.goldens import GOLDENS, Golden

EXTRA: dict[str, Any] = {"a": [1, {"z": None, "ä": "20.50"}], "b": {"on": "2024-02-30"}, "c": True}
every_golden = pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden.name)


def with_extra(golden: Golden, version: str) -> bytes:
    return canonical_json({**json.loads(golden.value), "version": version, "zz_new": EXTRA})


@every_golden
def test_an_unknown_field_of_a_newer_minor_version_is_kept_byte_for_byte(golden: Golden) -> None:
    data = with_extra(golden, "1.7")
    event = decode(data)
    assert not isinstance(event, Undecodable), event
    assert encode(event) == data


def test_an_unknown_field_deep_in_an_event_of_a_newer_minor_version_is_kept_too() -> None:
    document = json.loads(GOLDENS[0].value)
    document |= {"version": "1.7"}
    document["source"]["zz_new"] = EXTRA
    document["source"]["published"]["zz_new"] = EXTRA
    document["claims"][0]["value"]["zz_new"] = EXTRA
    data = canonical_json(document)
    event = decode(data)
    assert not isinstance(event, Undecodable), event
    assert encode(event) == data


@every_golden
def test_an_unknown_field_of_a_known_version_is_refused(golden: Golden) -> None:
    refused = decode(with_extra(golden, json.loads(golden.value).get("version", "1.0")))
    assert isinstance(refused, Undecodable)
    assert (refused.code, refused.pointer) == ("unknown_field", "/zz_new")


@every_golden
def test_a_newer_minor_version_does_not_excuse_a_wrong_value(golden: Golden) -> None:
    refused = decode(canonical_json({**json.loads(golden.value), "version": "1.7", "negotiation": 7}))
    assert isinstance(refused, Undecodable)
    assert (refused.code, refused.pointer) == ("invalid_value", "/negotiation")


@every_golden
def test_an_unknown_major_version_asks_for_an_upgrade_whatever_else_it_holds(golden: Golden) -> None:
    assert decode(with_extra(golden, "2.0")) == Undecodable(
        "unknown_major", "this is version 2.0 and this Parley reads up to 1.x: upgrade me", "/version"
    )
