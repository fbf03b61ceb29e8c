"""The screen of the demonstration: the log scrolling by, three tables, the metrics, in as much room as there is."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from streams.doors import wording
from streams.doors.sheets import packed

Row = Mapping[str, Any]
_LOG_LINES: Final = 40
_LOG_LINES_MIN: Final = 3
_METRIC_LINES: Final = 2
_AROUND: Final = 13  # counts, frame of the log, three heads of tables, metrics, the legend, the line of the cursor
_WIDE: Final = 100


class Column(NamedTuple):
    """A column: its head, what it tells of a row, how wide it may be, whether only a wide screen has it."""

    name: str
    tell: Callable[[Row], str]
    width_max: int
    wide: bool = False


_MARK: Final = Column("", lambda row: wording.marked("", row["status"]).strip(), 1)
_MEASURES: Final = (
    Column("tariffs in force", lambda row: str(row["component"]), 18),
    Column("on", wording.direction, 10),
    Column("rate", wording.row_rate, 12),
    _MARK,
    Column("suspended", wording.suspended, 9),
    Column("since", wording.since, 10),
    Column("until", lambda row: wording.day(row.get("until")), 10),
    Column("authority", wording.authority, 80, wide=True),
)
_DEADLINES: Final = (
    Column("pending deadlines", wording.due, 25),
    _MARK,
    Column("kind", lambda row: str(row["kind"]), 9),
    Column("of", wording.about, 22, wide=True),
    Column("then", lambda row: str(row["on_lapse"] or ""), 12),
    Column("what", lambda row: str(row["what"]), 100),
)
_MEETINGS: Final = (
    Column("meetings from", lambda row: wording.day(row["from"]), 13),
    Column("to", lambda row: wording.day(row["to"]), 10),
    Column("kind", lambda row: str(row["kind"]), 9),
    Column("no.", lambda row: str(row["number"] or ""), 3),
    Column("place", wording.place, 25),
    Column("counted in", lambda row: ", ".join(row["counted_in"]), 60),
)


@dataclass(slots=True)
class Shown:
    """What the viewer has seen of the worker's outputs so far."""

    tables: dict[str, dict[str, dict[str, Any]]] = field(
        default_factory=lambda: {"measures": {}, "deadlines": {}, "meetings": {}, "metrics": {}}
    )
    log: deque[str] = field(default_factory=lambda: deque(maxlen=_LOG_LINES))
    at: str = ""
    events: int = 0
    total: int = 0
    changes: int = 0
    alerts: int = 0
    expected: tuple[int, int] | None = None
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    def expect(self, changes: int, alerts: int) -> None:
        """Say how many changes and alerts there will be; `complete` is set once they were seen."""
        self.expected = (changes, alerts)
        self._look()

    def _look(self) -> None:
        if self.expected is not None and self.changes >= self.expected[0] and self.alerts >= self.expected[1]:
            self.complete.set()

    def alert(self, alert: Row) -> None:
        """Take in an alert."""
        self.alerts += 1
        self.at = max(self.at, alert["warn_at"])
        self._look()

    def change(self, change: Row) -> None:
        """Take in a change: patch the row, note the line."""
        self.changes += 1
        self.at = max(self.at, change["at"])
        if change["kind"] == "row":
            self.tables[change["table"]].setdefault(change["key"].split("/", 1)[1], {}).update(change["after"])
        self._look()

    def view(self, width: int, height: int) -> RenderableType:
        """Return the screen for a terminal of that size: every row is one line, so that all three tables fit."""
        deadlines = sorted(self.tables["deadlines"].values(), key=lambda row: str(row["earliest"]))
        pending = [row for row in deadlines if row["state"] == "pending"]
        meetings = [row for row in self.tables["meetings"].values() if row["counted_in"]]
        tariffs = self._tariffs()
        wanted = (len(tariffs), len(pending), len(meetings), len(self.log))
        *rooms, lines = shares(height - _AROUND - _LOG_LINES_MIN, wanted)
        lines += _LOG_LINES_MIN
        head = f"{self.at[:10]}   event {self.events} of {self.total}   changes {self.changes}   alerts {self.alerts}"
        held = sorted(meetings, key=lambda row: str(row["from"]))
        return Group(
            Text(head, style="bold"),
            Panel(_one_line("\n".join(list(self.log)[-lines:])), title="the ledger", height=lines + 2),
            _table(_MEASURES, tariffs[: rooms[0]], width),
            _table(_DEADLINES, pending[: rooms[1]], width),
            _table(_MEETINGS, held[len(held) - rooms[2] :], width),
            *(_one_line(line, style="bold") for line in self._metrics(width)),
            _one_line(wording.LEGEND, style="dim"),
        )

    def _tariffs(self) -> list[Row]:
        """Return the duties that are collected: those on all goods first, then the latest."""
        rows: list[Row] = [
            row for row in self.tables["measures"].values() if row["instrument"] == "tariff" and row["collected"]
        ]
        latest = sorted(rows, key=lambda row: str(row["since"]), reverse=True)
        return sorted(latest, key=lambda row: row["scope"]["goods"] != "all")

    def _metrics(self, width: int) -> list[str]:
        """Return the metrics that are not nothing, in the order of their definitions, counts of meetings last.

        Each is whole; how many there was no room for is told.
        """
        rows = {name: row for name, row in self.tables["metrics"].items() if row["value"] not in {None, "0"}}
        names = sorted(rows, key=lambda name: name.startswith("meetings."))
        told = [f"{name.removeprefix('meetings.')} {wording.metric_text(rows[name])}" for name in names]
        for shown in range(len(told), 0, -1):
            more = [f"{len(told) - shown} more"] if shown < len(told) else []
            if len(lines := packed([*told[:shown], *more], width)) <= _METRIC_LINES:
                return lines
        return ["no duties on all goods yet"]


def shares(room: int, wanted: Sequence[int]) -> list[int]:
    """Share lines out among parts: nobody gets more than wanted, what one leaves goes to the others in turn."""
    given = [0] * len(wanted)
    while room > 0 and given != list(wanted):
        for part, want in enumerate(wanted):
            if room > 0 and given[part] < want:
                given[part] += 1
                room -= 1
    return given


def _one_line(text: str, style: str = "") -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _table(columns: Sequence[Column], rows: Sequence[Row], width: int) -> Table:
    """Draw a table; the last column takes what the others leave, and no row is wrapped."""
    shown = [column for column in columns if width >= _WIDE or not column.wide]
    cells = [[column.tell(row) for row in rows] for column in shown]
    table = Table(
        box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold", width=width
    )
    for column, told in zip(shown, cells, strict=True):
        natural = min(column.width_max, max(map(len, [column.name, *told, "?"])))
        last = column is shown[-1]
        table.add_column(
            column.name, no_wrap=True, overflow="ellipsis", width=None if last else natural, ratio=1 if last else None
        )
    for row in zip(*cells, strict=True):
        table.add_row(*row)
    return table
