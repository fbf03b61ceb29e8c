"""What is on a ledger today must be read, and written, the same way for ever."""

from inspect import get_annotations
from types import UnionType
from typing import Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from schemas.cloudevents import headers
from schemas.codec import Undecodable, decode, encode
from schemas.events import EVENT_CLASSES, Event
from schemas.provenance import Document
from tests.contract.goldens import GOLDENS, Golden

every_golden = pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden.name)


def event_of(golden: Golden) -> Event:
    event = decode(golden.value)
    assert not isinstance(event, Undecodable), event
    return event


def test_every_event_type_has_golden_bytes() -> None:
    types = {str(shape.model_fields["type"].default) for shape in EVENT_CLASSES}
    assert {golden.type for golden in GOLDENS} == types


def test_the_union_and_the_list_of_event_classes_name_the_same_classes() -> None:
    assert set(get_args(Event)) == set(EVENT_CLASSES)


@every_golden
def test_golden_bytes_are_read_and_written_again_unchanged(golden: Golden) -> None:
    assert encode(event_of(golden)) == golden.value


@every_golden
def test_an_event_keeps_its_headers_and_so_its_id(golden: Golden) -> None:
    assert headers(event_of(golden)) == golden.headers


@every_golden
def test_an_event_read_twice_is_the_same_event(golden: Golden) -> None:
    assert event_of(golden) == event_of(golden)


@every_golden
def test_an_event_holds_no_set_of_the_fields_that_were_given(golden: Golden) -> None:
    kept = BaseModel.__dict__["__pydantic_fields_set__"]
    for value in values_in(event_of(golden)):
        with pytest.raises(AttributeError):
            kept.__get__(value)


def values_in(value: object) -> list[BaseModel]:
    """Give a value and the values that it holds."""
    match value:
        case BaseModel():
            return [value, *(one for name in type(value).model_fields for one in values_in(getattr(value, name)))]
        case tuple():
            return [one for its in value for one in values_in(its)]
        case dict():
            return [one for its in value.values() for one in values_in(its)]
        case _:
            return []


def test_what_differs_from_its_default_counts_as_given() -> None:
    document = Document(kind="remark", issuer="US", ref=None, refs=("a",))
    assert document.model_fields_set == {"kind", "issuer", "refs"}
    assert document.model_copy(update={"refs": ()}).model_fields_set == {"kind", "issuer"}


def test_the_goldens_show_every_field_of_every_event_and_of_all_it_holds() -> None:
    shown = {name for golden in GOLDENS for name in fields_set(event_of(golden))}
    assert shown == {name for shape in EVENT_CLASSES for name in fields_of(shape)}


def fields_set(value: object) -> set[str]:
    """Give the fields that a value sets, in itself and in what it holds, each with the class that has it."""
    return {
        f"{owner_of(type(one), name)}.{name}"
        for one in values_in(value)
        for name in one.model_fields_set | ({"type"} & type(one).model_fields.keys())
    }


def fields_of(annotation: object) -> set[str]:
    """Give the fields that a type has, in itself and in what it holds, each with the class that has it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        own = {f"{owner_of(annotation, name)}.{name}" for name in annotation.model_fields}
        return own.union(*(fields_of(field.annotation) for field in annotation.model_fields.values()))
    if get_origin(annotation) in {Union, UnionType, tuple, dict} or hasattr(annotation, "__metadata__"):
        return set().union(*(fields_of(one) for one in get_args(annotation)))
    return set()


def owner_of(shape: type[BaseModel], name: str) -> str:
    """Give the class that first declares a field; a field declared anew below it is the same field."""
    return next(base.__name__ for base in reversed(shape.__mro__) if name in get_annotations(base))
