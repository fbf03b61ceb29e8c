"""Several runs in one line each: the median, and the lowest and highest where there is more than one."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

from rich.table import Table

from streams.bench.faults import BenchFailed


class Spread(NamedTuple):
    """One figure over several runs."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float | None]) -> "Spread | None":
        """Return the spread of the values that there are; None where there is none."""
        known = sorted(value for value in values if value is not None)
        return cls(round(median(known), 3), known[0], known[-1]) if known else None


def nearest_rank(values: Iterable[float], *shares: int) -> list[float]:
    """Return the percentiles of some values, by the nearest rank. BenchFailed where there is none."""
    ordered = sorted(values)
    if not ordered:
        raise BenchFailed("expected at least one value to take percentiles of")
    return [ordered[max(0, -(-len(ordered) * share // 100) - 1)] for share in shares]


def written(spread: Spread | None, digits: int = 0) -> str:
    """Write a spread for people: `98,214 (97,002-99,870)`."""
    if spread is None:
        return ""
    text = f"{spread.median:,.{digits}f}"
    return text if spread.low == spread.high else f"{text} ({spread.low:,.{digits}f}-{spread.high:,.{digits}f})"


def table(title: str, columns: Sequence[str], lines: Iterable[Sequence[str]]) -> Table:
    """Return lines as a table for a terminal; all but the first column to the right."""
    found = Table(title=title, title_justify="left", expand=False)
    for place, name in enumerate(columns):
        found.add_column(name, overflow="fold", justify="right" if place else "left")
    for line in lines:
        found.add_row(*line)
    return found


def markdown(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return lines as a table of a Markdown page."""
    ruler = ["---", *(["--:"] * (len(columns) - 1))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (columns, ruler, *lines))
