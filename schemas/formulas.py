"""Formulas of metrics, as data: a new negotiation or counter needs no code.

`kind` has no default: canonical bytes leave defaults out, and a formula without its kind cannot be read back.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.rates import Exact
from schemas.shape import Shape, Slug


class Term(Shape):
    """One component of a sum. With `product`, its rate on that product group."""

    component: Slug
    product: Slug | None = None


class SumOfRates(Shape):
    """The sum of the rates of components, as collected or as lawful, plus a constant that is part of the definition."""

    kind: Literal["sum_of_rates"]
    reading: Literal["collected", "lawful"]
    terms: Annotated[tuple[Term, ...], Field(min_length=1, max_length=100)]
    plus: Exact = "0"


class CountOfMeetings(Shape):
    """How many meetings had begun, of those that all `participants` attended and that fit the other conditions."""

    kind: Literal["count_of_meetings"]
    group: Slug
    counter: Slug
    participants: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=20)]
    formats: Annotated[tuple[Literal["in_person", "video", "phone"], ...], Field(min_length=1)]
    kinds: Annotated[tuple[Literal["round", "bilateral", "summit", "other"], ...], Field(min_length=1)]
    numbered: bool = False


Formula = Annotated[SumOfRates | CountOfMeetings, Field(discriminator="kind")]
