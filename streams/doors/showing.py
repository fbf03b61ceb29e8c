"""What a person sees: tables on a terminal, one JSON document in a pipe."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from streams.doors.lines import alert_line, change_line
from streams.doors.views import state_view, tables_view
from streams.doors.wording import LEGEND, cell, escaped, json_text

__all__ = [
    "LEGEND",
    "alert_line",
    "appended_view",
    "begins_lines",
    "change_line",
    "complain",
    "console",
    "dead_letters_view",
    "emit_json",
    "escaped",
    "json_text",
    "plain_table",
    "state_view",
    "tables_view",
    "wants_json",
]


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
    """Say something to the person at the terminal, beside the answer; in a log it stays on one line."""
    out = console(stderr=True)
    out.print(message, soft_wrap=not out.is_terminal)


def emit_json(document: object) -> None:
    """Write one JSON document to standard output."""
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    sys.stdout.flush()


def wants_json(*, as_json: bool, as_table: bool) -> bool:
    """Tell whether JSON is wanted: asked for, or nobody is looking."""
    return as_json or (not as_table and not sys.stdout.isatty())


def begins_lines(*, as_json: bool) -> bool:
    """Tell whether lines for a person follow, and if so what the marks on them mean."""
    if wants_json(as_json=as_json, as_table=False):
        return False
    complain(LEGEND)
    return True


def appended_view(report: Mapping[str, Any]) -> RenderableType:
    """Return what became of appended lines: how many landed, and each that was refused with its reason."""
    refused = [*report["refused"]]
    counts = f"{report['accepted']} accepted, {report['duplicates']} there before, "
    told = Text(counts + f"{len(refused) + report.get('refused_more', 0)} refused")
    return Group(told, plain_table("Refused", refused)) if refused else told


def plain_table(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return records as a table, a column for each field, in words for people."""
    table = Table(title=title, title_justify="left", expand=False)
    for name in rows[0] if rows else ():
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(cell(name, value) for name, value in row.items()))
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
