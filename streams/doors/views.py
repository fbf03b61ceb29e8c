"""Whole answers on a terminal: the state at an instant, and the rows that the worker wrote."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from streams.doors import tabling
from streams.doors.wording import LEGEND, Row, escaped


def state_view(answer: Mapping[str, Any]) -> RenderableType:
    """Return the whole state for a terminal."""
    heard = f", recorded by {answer['recorded_by']}" if "recorded_by" in answer else ""
    head = f"{answer['negotiation']} at {answer['at']}, as known at {answer['known_at']}{heard}"
    through = f"data through {answer['data_through']}" if answer["data_through"] else "no report says how far data goes"
    tail = [Text(escaped(through), style="dim")]
    tail.append(Text(LEGEND, style="dim"))
    tail.extend(Text(f"warning: {_warning(one)}", style="yellow") for one in answer["warnings"])
    return Group(Text(escaped(head), style="bold"), *_apart(_state(answer)), Text(), *tail)


def _state(answer: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield tabling.metrics_table(answer["metrics"])
    yield from tabling.measures_tables([*answer["measures"], *answer["commitments"]])
    yield from tabling.deadlines_tables(answer["deadlines"])
    for pair, group in answer["meetings"].items():
        counts = ", ".join(f"{name} {value}" for name, value in group.items() if isinstance(value, int))
        yield tabling.group_table(f"Meetings of {pair}: {counts}", _meetings(group))
    if others := _meetings(answer["other_meetings"]):
        yield tabling.meetings_table("Other meetings", others)
    if answer["disputed"]:
        yield tabling.disputes_table(answer["disputed"])
    if answer["stacking_rules"]:
        yield tabling.rules_table(answer["stacking_rules"])
    yield from tabling.left_out(answer)


def _meetings(group: Mapping[str, Any]) -> list[Row]:
    return [*group["list"], *group["calls"], *group["planned"]]


def _warning(one: Row) -> str:
    text = str(one["code"]).replace("_", " ")
    if "count" in one:
        return f"{text}: {one['count']}"
    return f"{text}: reports were looked for through {one['data_through']}, later ones may be missing"


def tables_view(rows: Mapping[str, Mapping[str, Row]], chosen: Sequence[str]) -> RenderableType:
    """Return the rows that the worker wrote."""
    _, *parts = _apart(part for name in chosen for part in _table(name, rows[name]))
    return Group(*parts)


def _table(name: str, rows: Mapping[str, Row]) -> Iterator[RenderableType]:
    match name:
        case "measures":
            yield from tabling.measures_tables(rows.values())
        case "deadlines":
            yield from tabling.deadlines_tables(sorted(rows.values(), key=lambda row: str(row["earliest"])))
        case "meetings":
            yield tabling.meetings_table("Meetings", sorted(rows.values(), key=lambda row: str(row["from"])))
        case _:
            yield tabling.metrics_table(rows)


def _apart(parts: Iterable[RenderableType]) -> Iterator[RenderableType]:
    for part in parts:
        yield Text()
        yield part
