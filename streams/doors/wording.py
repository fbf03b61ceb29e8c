"""How values are written for people: rates, days, marks of how well something is witnessed, words for what is empty."""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson

Row = Mapping[str, Any]
MARKS: Final = {"unverified": " ?", "disputed": " ≠", "lapsed_unconfirmed": " ~"}
LEGEND: Final = "not legal advice   ? unverified   ≠ disputed   ~ lapsed as written, unconfirmed"
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def escaped(text: str) -> str:
    """Write what a terminal would obey, or not show, as escapes: whoever wrote a report must not write the screen."""
    if text.isprintable():
        return text
    return "".join(
        one if one in "\n\t" or unicodedata.category(one) not in _UNSEEN else ascii(one)[1:-1] for one in text
    )


def marked(text: str, status: object) -> str:
    """Write something with the mark of its status, if that has one."""
    return text + MARKS.get(str(status), "")


def cell(name: str, value: object) -> str:
    """Write a value of any kind for people: no program's words for nothing, for yes and no, for before the first."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case int() if value < 0 and name == "cut":
            return "none yet"
        case dict() | list():
            return json_text(value)
        case _:
            return str(value)


def json_text(value: object) -> str:
    """Write a value as JSON, on one line."""
    return orjson.dumps(value, default=str).decode()


def rate_text(rate: object) -> str:
    """Write a rate for people."""
    match rate:
        case None:
            return "-"
        case str():
            return f"{rate}%"
        case {"low": low, "high": high}:
            return f"{low}-{high}%"
        case {"by_product": dict() as products}:
            return products_text(products)
        case {"ad_valorem": ad_valorem, "specific": specific}:
            return f"{ad_valorem}% or {specific['amount']} {specific['currency']}"
        case {"amount": amount, "currency": currency, "per": per}:
            return f"{amount} {currency} per {per}"
        case {"unknown": why}:
            return f"unknown: {why}"
        case _:
            return cell("", rate)


def products_text(products: Mapping[str, Any]) -> str:
    """Write the rates of products: each rate once, with those that have it."""
    having: dict[str, list[str]] = {}
    for product, rate in products.items():
        having.setdefault(rate_text(rate), []).append(product)
    return "; ".join(f"{rate} {', '.join(names)}" for rate, names in having.items())


def row_rate(row: Row) -> str:
    """Write the rate that a measure's row holds, or the rates of its products."""
    products: Mapping[str, Any] = row.get("by_product") or {}
    if row.get("rate") is None and products:
        rates = {rate_text(rate) for rate in products.values()}
        return f"{len(products)} products: {', '.join(sorted(rates))}"
    if row.get("rate") is None:
        return ""
    if "low" in row and row["low"] != row["high"]:
        return f"{row['low']}-{row['high']}%"
    return rate_text(row["rate"])


def suspended(row: Row) -> str:
    """Write the suspended points, nothing where there are none."""
    return rate_text(row["suspended"]) if row.get("suspended") not in (None, "0") else ""


def direction(row: Row) -> str:
    """Write who acts on whose goods."""
    origins = row.get("origins") or []
    return f"{row['imposer']}→{'+'.join(origins)}" if origins else str(row["imposer"])


def authority(row: Row) -> str:
    """Write the document that a measure rests on."""
    return str((row.get("refs") or [row.get("authority") or ""])[0])


def since(row: Row) -> str:
    """Write the day as its document prints it; for what follows from a written end, the day of that end."""
    if row["status"] == "lapsed_unconfirmed":
        return day(row.get("since"))
    return day(row.get("since_printed") or row.get("since")) if row.get("collected") or row.get("since") else ""


def day(text: object) -> str:
    """Write the day of a printed time."""
    return str(text)[:10] if text else ""


def due(row: Row) -> str:
    """Write when something is due, as printed: a day, or an instant with its offset."""
    return str(row["due"]).replace("T", " ").replace(":00-", "-").replace(":00+", "+")


def about(row: Row) -> str:
    """Write which component a deadline is of, or what its own name begins with."""
    return str(row.get("component") or str(row["deadline"]).split(".", maxsplit=1)[0])


def place(row: Row) -> str:
    """Write where people meet, and whether that is still ahead."""
    begun = "" if row["begun"] else " (planned)"
    return marked(f"{row['place'] or row['format']}{begun}", row["status"])


def metric_text(row: Row) -> str:
    """Write a metric's value, or its bounds where they differ, with the mark of its status."""
    return marked(_metric_value(row), row["status"])


def _metric_value(row: Row) -> str:
    low, high, value = row["low"], row["high"], row["value"]
    if low is not None and low != high:
        return f"{with_unit(value or '?', row['unit'])} ({low}-{high})"
    return with_unit(value, row["unit"]) if value is not None else f"cannot add: {row.get('reason')}"


def with_unit(value: object, unit: object) -> str:
    """Write a number of a metric with its unit; a count has none."""
    match unit:
        case "percent":
            return f"{value}%"
        case None | "count":
            return str(value)
        case _:
            return f"{value} {unit}"


def minute(instant: object) -> str:
    """Write an instant to the minute, in UTC."""
    return f"{datetime.fromisoformat(str(instant)).astimezone(UTC):%Y-%m-%dT%H:%MZ}"
