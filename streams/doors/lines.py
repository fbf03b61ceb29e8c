"""Changes and alerts, a line each: when, what, from what to what, on whose word, and where to go on from."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from streams.doors import wording
from streams.doors.tabling import promise
from streams.doors.wording import Row, marked, minute

_SHOWN: Final = (
    "value", "rate", "suspended", "by_product", "force", "status", "state", "due", "stage", "begun", "until", "next",
    "reports",
)  # fmt: skip
_WORDS: Final = frozenset({"force", "status", "state", "stage"})
_BOUNDS: Final = ("low", "high")


def change_line(change: Row) -> str:
    """Write a change in one line."""
    name = str(change["key"]).split("/", 1)[1]
    cause, after = change["cause"], change["after"]
    grade = cause.get("grade")
    source = marked(f"{cause['source']}{f', {grade}' if grade else ''}", grade)
    tail = f"[{cause['act'] or cause['type']}, {source}]  {cursor(change)}"
    if change["kind"] == "finding":
        return f"{minute(change['at'])}  finding {name}: {after['reason']}  {tail}"
    told = _told(change["table"], change["before"], after)
    witnessed = after.get("status") or (grade if after.keys() != {"reports"} else None)  # one more report says no more
    return f"{minute(change['at'])}  {change['table']} {marked(name, witnessed)}: {told}  {tail}"


def cursor(record: Row) -> str:
    """Write the place of a change or an alert as `--since` takes it."""
    return ":".join(map(str, record["sequence"]))


def _told(table: str, before: Row, after: Row) -> str:
    if not before:
        return _first(table, after)
    shown = [name for name in _SHOWN if name in after] or [name for name in _BOUNDS if name in after]
    if after.get("suspended") == "0" and before.get("suspended") is None:
        shown.remove("suspended")  # the first rate says so by itself
    unit = _unit(before, after) if table == "metrics" else None
    told = [
        f"{name.replace('_', ' ')} {_short(name, before.get(name), unit)} → {_short(name, after[name], unit)}"
        for name in shown
    ]
    told += [f"not in force: {one}" for one in _lesser(before, after)]
    return ", ".join(told) or ", ".join(sorted(after)) + " changed"


def _first(table: str, row: Row) -> str:
    match table:
        case "deadlines":
            return f"due {row['due']}, {row['what']}"
        case "meetings":
            return f"{row['stage']}, {row['from']} {row['place'] or ''}".rstrip()
        case "metrics":
            return f"defined, {wording.metric_text(row)}: {row['definition']}"
        case _ if row.get("instrument") == "commitment":
            to = f" to {row['beneficiary']}" if row.get("beneficiary") else ""
            return f"{row['force']}, {row['imposer']}{to}: {promise(row)}"
        case _:
            return ", ".join(str(one).replace("_", " ") for one in (row["force"], row.get("title")) if one)


def _unit(before: Row, after: Row) -> str | None:
    """Return the unit of a metric: told with the first change, later by what it is made of."""
    unit = after.get("unit") or before.get("unit")
    return unit or ("percent" if "lines" in after else None)


def _lesser(before: Row, after: Row) -> Iterator[str]:
    known = before.get("not_in_force") or []
    for one in after.get("not_in_force") or []:
        if one not in known:
            rate = f" {wording.rate_text(one['rate'])}" if one["rate"] is not None else ""
            yield marked(f"{one['stage']}{rate}", one["status"])


def _short(name: str, value: Any, unit: str | None) -> str:  # noqa: ANN401 -- any property of a row
    match value:
        case _ if value in (None, "", {}):
            return "none"
        case str() if unit is not None and name in {"value", *_BOUNDS}:
            return wording.with_unit(value, unit)
        case _ if name in {"rate", "suspended"}:
            return wording.rate_text(value)
        case {"rate": _, "force": _, "from": _}:
            return _next(value)
        case str() if name in _WORDS:
            return value.replace("_", " ")
        case dict() if name == "by_product":
            return wording.products_text(value)
        case _:
            return wording.cell(name, value)


def _next(value: Mapping[str, Any]) -> str:
    rate = {"by_product": value["by_product"]} if value.get("by_product") else value["rate"]
    held = str(value["force"]).replace("_", " ") if rate is None else wording.rate_text(rate)
    return f"{held} from {minute(value['from'])}"


def alert_line(alert: Row) -> str:
    """Write an alert in one line."""
    then = f"; then: {alert['on_lapse']}" if alert["on_lapse"] else ""
    of = str(alert["deadline"]).split(".", maxsplit=1)[0]
    late = f" (late by {alert['late_by_seconds']} s)" if alert["late_by_seconds"] else ""
    what = marked(f"{alert['what']}{then}", alert["status"])
    return (
        f"{minute(alert['warn_at'])}  ALERT {alert['lead']} before {alert['due']}{late}: {what}  [{of}]"
        f"  {cursor(alert)}"
    )
