"""Duties as they are written: exact decimals, never floats.

A percentage is a decimal string without trailing zeros. A rate may also be a range over the listed goods, a specific
amount, either of two, a set by product, or unknown with a reason.
"""

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from schemas.shape import Line, Shape, Slug

_EXACT = re.compile(r"0|-?(0\.\d{0,8}[1-9]|[1-9]\d{0,14}(\.\d{0,8}[1-9])?)", re.ASCII)


def _exact_text(text: str) -> str:
    if _EXACT.fullmatch(text) is None:
        raise ValueError('expected a decimal string without plus sign or needless zeros, such as "20", "7.5" or "-10"')
    return text


Exact = Annotated[str, StringConstraints(max_length=26), AfterValidator(_exact_text)]
"""A decimal number as text, without trailing zeros: "20", "7.5", "-115"."""
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class RateRange(Shape):
    """The lowest and the highest percentage on the goods in scope."""

    low: Exact
    high: Exact


class Specific(Shape):
    """An amount of money per unit of goods."""

    amount: Exact
    currency: Currency
    per: Line


class EitherRate(Shape):
    """A percentage or a specific amount, at the choice of whoever pays or collects."""

    ad_valorem: Exact
    specific: Specific


class RateUnknown(Shape):
    """No figure, and why there is none."""

    unknown: Line


PlainRate = Exact | RateRange | Specific | EitherRate | RateUnknown


class ByProduct(Shape):
    """A set of rates, one for each named product group; goods outside the set are untouched."""

    by_product: Annotated[dict[Slug, PlainRate], Field(min_length=1, max_length=200)]


Rate = PlainRate | ByProduct


def exact(number: Decimal) -> str:
    """Write a decimal without exponent and without trailing zeros."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def bounds(rate: PlainRate) -> tuple[Decimal, Decimal] | None:
    """Return the lowest and highest percentage of a rate, or None where it is not a percentage."""
    match rate:
        case str():
            value = Decimal(rate)
            return value, value
        case RateRange():
            return Decimal(rate.low), Decimal(rate.high)
        case _:
            return None


Unit = Literal["percent", "percentage_points", "count", "date", "instant", "million_tonnes", "usd_billion", "text"]
