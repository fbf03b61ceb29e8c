"""What a person sees: tables on a terminal, one JSON document in a pipe."""

import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

MARKS = {"unverified": " ?", "disputed": " ≠", "lapsed_unconfirmed": " ~"}
LEGEND = "? unverified   ≠ disputed   ~ lapsed as written, unconfirmed   not legal advice"
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
ENDED = frozenset({"expired", "revoked", "voided", "superseded", "withdrawn"})


class _Console(Console):
    """A console on which whatever is printed is `escaped`, before it is laid out where it is still plain text."""

    def render_str(self, text: str, **how: Any) -> Text:  # noqa: ANN401  Rich's own options
        return super().render_str(escaped(text), **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else escaped(text), style, control)


def console(*, stderr: bool = False) -> Console:
    """Return the console of standard output; text from reports is neither read as markup nor obeyed by a terminal."""
    return _Console(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=False)


def complain(message: str) -> None:
    """Say something to the person at the terminal, beside the answer."""
    console(stderr=True).print(message)


def emit_json(document: object) -> None:
    """Write one JSON document to standard output."""
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    sys.stdout.flush()


def escaped(text: str) -> str:
    """Write what a terminal would obey, or not show, as escapes: whoever wrote a report must not write the screen."""
    if text.isprintable():
        return text
    return "".join(
        one if one in "\n\t" or unicodedata.category(one) not in _UNSEEN else ascii(one)[1:-1] for one in text
    )


def wants_json(*, as_json: bool, as_table: bool) -> bool:
    """Tell whether JSON is wanted: asked for, or nobody is looking."""
    return as_json or (not as_table and not sys.stdout.isatty())


def rate_text(rate: object) -> str:
    """Write a rate for people."""
    match rate:
        case None:
            return "-"
        case str():
            return f"{rate}%"
        case {"low": low, "high": high}:
            return f"{low}-{high}%"
        case {"by_product": products}:
            return f"{len(products)} product groups"
        case {"ad_valorem": ad_valorem, "specific": specific}:
            return f"{ad_valorem}% or {specific['amount']} {specific['currency']}"
        case {"amount": amount, "currency": currency, "per": per}:
            return f"{amount} {currency} per {per}"
        case {"unknown": why}:
            return f"unknown: {why}"
        case _:
            return str(rate)


def measures_table(rows: Iterable[Mapping[str, Any]], *, ended: bool = False, title: str = "Measures") -> Table:
    """Return the table of measures: what holds, since when, until when, on what authority."""
    table = Table(title=title, title_justify="left", expand=False)
    for name in ("component", "on", "rate", "suspended", "force", "since", "until", "authority"):
        table.add_column(name, overflow="fold")
    for row in rows:
        if not ended and row["force"] in ENDED and not row.get("collected"):
            continue
        force = str(row["force"]).replace("_", " ") + MARKS.get(str(row["status"]), "")
        if row.get("collected") and not row.get("lawful"):
            force += ", still collected"
        table.add_row(
            str(row["component"]),
            direction(row),
            row_rate(row),
            suspended(row),
            force,
            since(row),
            day(row.get("until")),
            authority(row),
        )
    return table


def direction(row: Mapping[str, Any]) -> str:
    """Write who acts on whose goods."""
    origins = row.get("origins") or []
    return f"{row['imposer']}→{'+'.join(origins)}" if origins else str(row["imposer"])


def suspended(row: Mapping[str, Any]) -> str:
    """Write the suspended points, nothing where there are none."""
    return rate_text(row["suspended"]) if row.get("suspended") not in {None, "0"} else ""


def authority(row: Mapping[str, Any]) -> str:
    """Write the document that a measure rests on."""
    return str((row.get("refs") or [row.get("authority") or ""])[0])


def row_rate(row: Mapping[str, Any]) -> str:
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


def since(row: Mapping[str, Any]) -> str:
    """Write the day as its document prints it; for what follows from a written end, the day of that end."""
    if row["status"] == "lapsed_unconfirmed":
        return day(row.get("since"))
    return day(row.get("since_printed") or row.get("since")) if row.get("collected") or row.get("since") else ""


def day(text: object) -> str:
    """Write the day of a printed time."""
    return str(text)[:10] if text else ""


def deadlines_table(rows: Iterable[Mapping[str, Any]], *, every: bool = False) -> Table:
    """Return the table of deadlines, those pending unless every one is wanted."""
    table = Table(title="Deadlines" if every else "Pending deadlines", title_justify="left", expand=False)
    for name in ("due", "kind", "what", "then", "state"):
        table.add_column(name, overflow="fold")
    for row in rows:
        if not every and row["state"] != "pending":
            continue
        state = str(row["state"]).replace("_", " ") + MARKS.get(str(row["status"]), "")
        table.add_row(due(row), str(row["kind"]), str(row["what"]), str(row["on_lapse"] or ""), state)
    return table


def due(row: Mapping[str, Any]) -> str:
    """Write when something is due, as printed: a day, or an instant with its offset."""
    return str(row["due"]).replace("T", " ").replace(":00-", "-").replace(":00+", "+")


def place(row: Mapping[str, Any]) -> str:
    """Write where people meet, and whether that is still ahead."""
    begun = "" if row["begun"] else " (planned)"
    return f"{row['place'] or row['format']}{begun}{MARKS.get(str(row['status']), '')}"


def meetings_table(rows: Iterable[Mapping[str, Any]], title: str = "Meetings") -> Table:
    """Return the table of meetings."""
    table = Table(title=title, title_justify="left", expand=False)
    for name in ("from", "to", "place", "kind", "no.", "counted in"):
        table.add_column(name, overflow="fold")
    for row in rows:
        number = str(row["number"]) if row["number"] is not None else ""
        table.add_row(
            day(row["from"]), day(row["to"]), place(row), str(row["kind"]), number, ", ".join(row["counted_in"])
        )
    return table


def metrics_table(rows: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return the table of metrics with their bounds and definitions."""
    table = Table(title="Metrics", title_justify="left", expand=False)
    for name in ("metric", "value", "status", "definition"):
        table.add_column(name, overflow="fold")
    for name, row in rows.items():
        table.add_row(name, metric_text(row), str(row["status"]), str(row["definition"]))
    return table


def metric_text(row: Mapping[str, Any]) -> str:
    """Write a metric's value, or its bounds where they differ."""
    unit = "%" if row["unit"] == "percent" else ""
    low, high, value = row["low"], row["high"], row["value"]
    if low is not None and low != high:
        return f"{value or '?'}{unit} ({low}-{high})"
    return f"{value}{unit}" if value is not None else f"cannot add: {row.get('reason')}"


def state_view(answer: Mapping[str, Any]) -> RenderableType:
    """Return the whole state for a terminal."""
    heard = f", recorded by {answer['recorded_by']}" if "recorded_by" in answer else ""
    head = Text(f"{answer['negotiation']} at {answer['at']}, as known at {answer['known_at']}{heard}", style="bold")
    tail = [Text(f"data through {answer['data_through']}   {LEGEND}", style="dim")]
    tail.extend(Text(f"warning: {_warning(one)}", style="yellow") for one in answer["warnings"])
    parts: list[RenderableType] = [head, metrics_table(answer["metrics"])]
    parts += [measures_table(answer["measures"]), deadlines_table(answer["deadlines"])]
    for pair, group in answer["meetings"].items():
        counts = ", ".join(f"{name} {value}" for name, value in group.items() if isinstance(value, int))
        parts.append(meetings_table(_meetings(group), f"Meetings of {pair}: {counts}"))
    if others := _meetings(answer["other_meetings"]):
        parts.append(meetings_table(others, "Other meetings"))
    return Group(*parts, *tail)


def _meetings(group: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*group["list"], *group["calls"], *group["planned"]]


def _warning(one: Mapping[str, Any]) -> str:
    text = str(one["code"]).replace("_", " ")
    return f"{text}: {one['count']}" if "count" in one else f"{text}: nothing is known after {one['data_through']}"


def tables_view(rows: Mapping[str, Mapping[str, Mapping[str, Any]]], chosen: Sequence[str]) -> RenderableType:
    """Return the rows that the worker wrote."""
    parts: list[RenderableType] = []
    for name in chosen:
        values = list(rows[name].values())
        match name:
            case "measures":
                parts.append(measures_table([row for row in values if row["instrument"] != "commitment"]))
            case "deadlines":
                parts.append(deadlines_table(sorted(values, key=lambda row: str(row["earliest"]))))
            case "meetings":
                parts.append(meetings_table(sorted(values, key=lambda row: str(row["from"]))))
            case _:
                parts.append(metrics_table(rows[name]))
    return Group(*parts)


def change_line(change: Mapping[str, Any]) -> str:
    """Write a change in one line: when, what, from what to what, on whose word."""
    name = str(change["key"]).split("/", 1)[1]
    cause = change["cause"]
    by = cause["act"] or cause["type"]
    before, after = change["before"], change["after"]
    if change["kind"] == "finding":
        return f"{minute(change['at'])}  finding {name}: {after['reason']}"
    told = _told(change["table"], before, after)
    return f"{minute(change['at'])}  {change['table']} {name}: {told}  [{by}, {cause['source']}]"


def _told(table: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if not before:
        match table:
            case "deadlines":
                return f"due {after['due']}, {after['what']}"
            case "meetings":
                return f"{after['stage']}, {after['from']} {after['place'] or ''}"
            case "metrics":
                return f"defined, {after['value']}"
            case _:
                return f"{after['force']}, {after.get('title') or ''}"
    shown = [name for name in ("value", "rate", "force", "state", "due", "stage", "begun", "next") if name in after]
    if not shown:
        return ", ".join(sorted(after)) + " changed"
    return ", ".join(f"{name} {_short(name, before.get(name))} → {_short(name, after[name])}" for name in shown)


def _short(name: str, value: object) -> str:
    match value:
        case None:
            return "none"
        case _ if name == "rate":
            return rate_text(value)
        case {"rate": rate, "force": force, "from": begin}:
            held = str(force).replace("_", " ") if rate is None else rate_text(rate)
            return f"{held} from {minute(begin)}"
        case _:
            return str(value)


def minute(instant: object) -> str:
    """Write an instant to the minute, in UTC."""
    return f"{datetime.fromisoformat(str(instant)).astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def alert_line(alert: Mapping[str, Any]) -> str:
    """Write an alert in one line."""
    then = f"; then: {alert['on_lapse']}" if alert["on_lapse"] else ""
    of = str(alert["deadline"]).split(".", maxsplit=1)[0]
    late = f" (late by {alert['late_by_seconds']} s)" if alert["late_by_seconds"] else ""
    return (
        f"{minute(alert['warn_at'])}  ALERT {alert['lead']} before {alert['due']}{late}: {alert['what']}{then}  [{of}]"
    )


def appended_view(report: Mapping[str, Any]) -> RenderableType:
    """Return what became of appended lines: how many landed, and each that was refused with its reason."""
    refused = [*report["refused"]]
    counts = f"{report['accepted']} accepted, {report['duplicates']} there before, "
    told = Text(counts + f"{len(refused) + report.get('refused_more', 0)} refused")
    return Group(told, plain_table("Refused", refused)) if refused else told


def plain_table(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return records as a table, a column for each field."""
    table = Table(title=title, title_justify="left", expand=False)
    for name in rows[0] if rows else ():
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    return table


def dead_letters_view(lines: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return a line on each dead letter, and the reason below it: columns would leave no room for that."""
    wide = max((len(str(line["position"])) for line in lines), default=0)
    parts: list[RenderableType] = []
    for line in lines:
        at = datetime.fromisoformat(str(line["at"])).astimezone(UTC)
        head = f"{line['position']!s:<{wide}}  {at:%Y-%m-%d %H:%M:%SZ}  {line['state']:<9}  {line['code']}"
        where = f" at {line['pointer']}" if line["pointer"] else ""
        parts.append(Text(escaped(f"{head}{where}"), no_wrap=True, overflow="ellipsis"))
        parts.append(Padding(Text(escaped(str(line["reason"]))), (0, 0, 0, wide + 2), expand=False))
    return Group(*parts)
