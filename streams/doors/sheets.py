"""A table where it fits, and where it does not a record of a few lines each: no id and no date is ever broken."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from streams.doors.wording import Row, escaped

_TEXT_MIN: Final = 24
_INDENT: Final = 4
_BETWEEN: Final = "   "


class Column(NamedTuple):
    """A column: its head, what it tells of a row, what a record says before that, whether it may be folded."""

    name: str
    tell: Callable[[Row], str]
    label: str = ""
    text: bool = False


class _Told(NamedTuple):
    """A column with what it tells of each row."""

    column: Column
    cells: list[str]

    @property
    def natural(self) -> int:
        return max(map(cell_len, [self.column.name, *(line for one in self.cells for line in one.splitlines())]))

    @property
    def least(self) -> int:
        """Return the width below which an id, or for a text a word, would be broken."""
        if not self.column.text:
            return self.natural
        words = [self.column.name, *(word for one in self.cells for word in one.split())]
        return max(min(_TEXT_MIN, self.natural), *map(cell_len, words))


@dataclass(frozen=True)
class Sheet:
    """Rows under a heading; columns that tell nothing of any row are left out."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it in the width that there is."""
        if not self.rows:
            yield Text(f"{escaped(self.title)}: none", style="bold")
            return
        yield Text(escaped(self.title), style="bold")
        told = [_Told(column, [escaped(column.tell(row)) for row in self.rows]) for column in self.columns]
        told = [one for one in told if any(one.cells)]
        room = options.max_width - 3 * len(told) - 1  # a frame on both sides of each, and the last one
        if sum(one.least for one in told) <= room:
            yield _table(told, room)
        else:
            yield from _records(told, options.max_width)


def _table(told: Sequence[_Told], room: int) -> Table:
    table = Table(expand=False)
    for one, width in zip(told, _widths(told, room), strict=True):
        table.add_column(one.column.name, no_wrap=not one.column.text, overflow="fold", width=width)
    for row in zip(*(one.cells for one in told), strict=True):
        table.add_row(*map(Text, row))
    return table


def _widths(told: Sequence[_Told], room: int) -> list[int]:
    """Give each what it needs, and what is left to the narrowest of those that want more."""
    widths, wanted = [one.least for one in told], [one.natural for one in told]
    for _ in range(room - sum(widths)):
        open_ones = [number for number, width in enumerate(widths) if width < wanted[number]]
        if not open_ones:
            break
        widths[min(open_ones, key=lambda number: widths[number])] += 1
    return widths


def _records(told: Sequence[_Told], width: int) -> Iterator[Text | Padding]:
    facts, texts = ([one for one in told if one.column.text is text] for text in (False, True))
    for number in range(len(told[0].cells)):
        said = [_said(one.column, one.cells[number]) for one in facts if one.cells[number]]
        first, *more = packed(said, width)
        yield Text.assemble((said[0], "bold"), first[len(said[0]) :], no_wrap=True, overflow="fold")
        yield from (Text(line, no_wrap=True, overflow="fold") for line in more)
        for text in (_said(one.column, one.cells[number]) for one in texts if one.cells[number]):
            yield Padding(Text(text), (0, 0, 0, _INDENT), expand=False)


def _said(column: Column, cell: str) -> str:
    return f"{column.label} {cell}" if column.label else cell


def packed(facts: Sequence[str], width: int) -> list[str]:
    """Put facts on lines of a width, each whole; all lines but the first are indented."""
    lines: list[str] = []
    for fact in facts:
        longer = lines[-1] + _BETWEEN + fact if lines else fact
        if lines and cell_len(longer) > width:
            lines.append(" " * _INDENT + fact)
        else:
            lines[-1:] = [longer]
    return lines
