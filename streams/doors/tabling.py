"""The tables of an answer: what each tells of a row, and which rows have a table of their own."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ledger.answer import ENDED
from ledger.timeline import IN_EFFECT
from streams.doors import wording
from streams.doors.sheets import Column, Sheet
from streams.doors.wording import Row, escaped, marked


def _lines(tell: Callable[[Row], Iterator[str]]) -> Callable[[Row], str]:
    return lambda row: "\n".join(tell(row))


def _group(row: Row) -> str:
    match row["schema"]:
        case "parley.commitment/1":
            return "commitment"
        case "parley.proceeding/1":
            return "case"
        case _ if row.get("collected") or row["force"] in IN_EFFECT:
            return "in effect"
        case _:
            return "ended" if row["force"] in ENDED else "ahead"


def _name(row: Row) -> str:
    return str(row["component"]).split("/", maxsplit=1)[-1]


def _rate(row: Row) -> str:
    rate, suspended = wording.row_rate(row), wording.suspended(row)
    if row.get("by_product") and row.get("rate") is None:
        rate = "by product"
    return ", ".join([*([rate] if rate else []), *([f"{suspended} suspended"] if suspended else [])])


def _force(row: Row) -> str:
    force = marked(str(row["force"]).replace("_", " "), row["status"])
    return f"{force}, still collected" if row.get("collected") and not row.get("lawful") else force


@_lines
def _told_of_measure(row: Row) -> Iterator[str]:
    authority = wording.authority(row)
    if row.get("title") or authority:
        yield f"{row.get('title') or ''}{f' [{authority}]' if authority else ''}".strip()
    if row.get("by_product"):
        yield wording.products_text(row["by_product"])
    if row.get("contingent_on"):
        yield f"on condition: {row['contingent_on']}"
    if lapse := row.get("on_lapse"):
        yield f"then, if it lapses: {_held(lapse['to'], lapse['force'])} [{lapse['authority']}]"
    if following := row.get("next"):
        rate = {"by_product": following["by_product"]} if following.get("by_product") else following["rate"]
        yield f"announced: {_held(rate, following['force'])} from {wording.minute(following['from'])}"
    for one in row.get("not_in_force") or ():
        if one["rate"] is None and one["stage"] == row["force"]:
            continue  # the row says so itself
        yield marked(f"not in force: {_held(one['rate'], one['stage'])}", one["status"])
    yield from _in_part(row)


def _held(rate: object, force: object) -> str:
    held = str(force).replace("_", " ")
    return held if rate is None else f"{wording.rate_text(rate)}, {held}"


@_lines
def _told_of_case(row: Row) -> Iterator[str]:
    if row.get("title"):
        yield str(row["title"])
    said = [str(row[name]).replace("_", " ") for name in ("forum", "holding", "effect") if row.get(name)]
    if row.get("on_components"):
        said.append(f"on {', '.join(row['on_components'])}")
    if said:
        yield ", ".join(said)
    yield from _in_part(row)


def _promised_to(row: Row) -> str:
    return f"{row['imposer']} to {row['beneficiary']}" if row.get("beneficiary") else str(row["imposer"])


@_lines
def _told_of_commitment(row: Row) -> Iterator[str]:
    quantity = " ".join(str(row[name]) for name in ("quantity", "unit") if row.get(name))
    yield f"{promise(row)}{f' ({quantity})' if quantity else ''} [{row['on_the_word_of']}]"
    yield from _in_part(row)


def promise(row: Row) -> str:
    """Write what was promised."""
    return str(row.get("what") or row.get("title") or "")


@_lines
def _told_of_deadline(row: Row) -> Iterator[str]:
    yield str(row["what"])
    if row.get("trail"):
        yield f"moved from {row['trail'][-1]['due']}"
    yield from _in_part(row)


def _in_part(row: Row) -> Iterator[str]:
    """Say of which lists the row holds only a part, and how long they are in all."""
    if in_all := row.get("in_all"):
        yield "in part: " + ", ".join(f"of {count} {str(name).replace('_', ' ')}" for name, count in in_all.items())


def _value(value: object) -> str:
    return wording.rate_text(value) if isinstance(value, Mapping) else wording.cell("", value)


@_lines
def _told_of_metric(row: Row) -> Iterator[str]:
    yield str(row["definition"])
    yield from _in_part(row)


@_lines
def _told_of_meeting(row: Row) -> Iterator[str]:
    yield str(row.get("title") or "")
    yield from _in_part(row)


_MEASURES = (
    Column("component", lambda row: str(row["component"])),
    Column("on", wording.direction),
    Column("rate", _rate),
    Column("force", _force),
    Column("since", wording.since, "since"),
    Column("until", lambda row: wording.day(row.get("until")), "until"),
    Column("what, and on what authority", _told_of_measure, text=True),
)
_CASES = (
    Column("case", _name),
    Column("by", lambda row: str(row["imposer"])),
    Column("stage", _force),
    Column("since", lambda row: wording.day(row.get("since_printed") or row["since"]), "since"),
    Column("what", _told_of_case, text=True),
)
_COMMITMENTS = (
    Column("commitment", _name),
    Column("by", _promised_to),
    Column("stage", _force),
    Column("due", lambda row: str(row["due"] or ""), "due"),
    Column("what, and on whose word", _told_of_commitment, text=True),
)
_DEADLINES = (
    Column("due", wording.due),
    Column("kind", lambda row: marked(str(row["kind"]), row["status"])),
    Column("of", wording.about, "of"),
    Column("what", _told_of_deadline, text=True),
    Column("then", lambda row: str(row["on_lapse"] or ""), "then:", text=True),
)
_MEETINGS = (
    Column("from", lambda row: wording.day(row["from"])),
    Column("to", lambda row: wording.day(row["to"]), "to"),
    Column("place", wording.place, text=True),
    Column("kind", lambda row: str(row["kind"])),
    Column("no.", lambda row: str(row["number"]) if row["number"] is not None else "", "no."),
    Column("counted in", lambda row: ", ".join(row["counted_in"]), "counted in", text=True),
)
_ANY_MEETINGS = (*_MEETINGS, Column("what", _told_of_meeting, text=True))
_METRICS = (
    Column("metric", lambda row: str(row["metric"])),
    Column("value", wording.metric_text),
    Column("status", lambda row: str(row["status"]).replace("_", " ")),
    Column("definition", _told_of_metric, text=True),
)
_DISPUTES = (
    Column("subject", lambda row: str(row["subject"])),
    Column("property", lambda row: marked(str(row["property"]), "disputed" if row["contested"] else "")),
    Column("values", lambda row: ";  ".join(map(_value, row["values"])), text=True),
)
_RULES = (Column("rule", lambda row: str(row["rule"])), Column("text", lambda row: str(row["text"]), text=True))


def measures_tables(rows: Iterable[Row]) -> Iterator[RenderableType]:
    """Give the tables of measures: what is in effect, what is not yet, cases, promises; what has ended by name."""
    of: dict[str, list[Row]] = {"in effect": [], "ahead": [], "ended": [], "case": [], "commitment": []}
    for row in rows:
        of[_group(row)].append(row)
    yield Sheet("Measures", _MEASURES, of["in effect"])
    if of["ahead"]:
        yield Sheet("Announced or threatened, not in force", _MEASURES, of["ahead"])
    if of["ended"]:
        ended = ", ".join(f"{row['component']} ({row['force']})" for row in of["ended"])
        yield Text(escaped(f"Ended, whole with --json: {ended}"))
    if of["case"]:
        yield Sheet("Investigations and court cases", _CASES, of["case"])
    if of["commitment"]:
        yield Sheet("Commitments", _COMMITMENTS, of["commitment"])


def deadlines_tables(rows: Iterable[Row]) -> Iterator[RenderableType]:
    """Give the deadlines that are pending, those that passed without a word, and how many are over."""
    states: dict[str, list[Row]] = {"pending": [], "lapsed_unconfirmed": []}
    over = Counter[str]()
    for row in rows:
        if row["state"] in states:
            states[row["state"]].append(row)
        else:
            over[str(row["state"])] += 1
    yield Sheet("Pending deadlines", _DEADLINES, states["pending"])
    if states["lapsed_unconfirmed"]:
        yield Sheet("Deadlines that passed with no outcome recorded", _DEADLINES, states["lapsed_unconfirmed"])
    if over:
        yield Text(f"Deadlines that are over, listed with --json: {_counted(over)}")


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {escaped(name)}" for name, count in sorted(counts.items(), key=lambda one: -one[1]))


def group_table(title: str, rows: Sequence[Row]) -> Sheet:
    """Return the table of meetings that a group of counters is about."""
    return Sheet(title, _MEETINGS, rows)


def meetings_table(title: str, rows: Sequence[Row]) -> Sheet:
    """Return the table of any meetings, with what each was."""
    return Sheet(title, _ANY_MEETINGS, rows)


def metrics_table(rows: Mapping[str, Row]) -> Sheet:
    """Return the table of metrics with their bounds and definitions."""
    return Sheet("Metrics", _METRICS, [{**row, "metric": name} for name, row in rows.items()])


def disputes_table(rows: Sequence[Row]) -> Sheet:
    """Return what reports differ on: the value that is shown, then the others; those of equal weight first."""
    title = "Reports differ on (the value that is shown comes first; ≠ where equals differ)"
    return Sheet(title, _DISPUTES, sorted(rows, key=lambda row: not row["contested"]))


def rules_table(rows: Sequence[Row]) -> Sheet:
    """Return the rules by which rates are added."""
    return Sheet("Rules of addition", _RULES, rows)


def left_out(answer: Mapping[str, Any]) -> Iterator[Text]:
    """Say how much is on no table: acts with their sources, and what was said in words and numbers."""
    counts = [
        _count(name, answer) for name in ("acts", "figures", "statements", "quotes", "searches") if answer.get(name)
    ]
    if counts:
        yield Text(f"On no table, listed with --json: {', '.join(counts)}")


def _count(name: str, answer: Mapping[str, Any]) -> str:
    listed = len(answer[name])
    in_all = (answer.get("in_all") or {}).get(name, listed)
    return f"{name} {listed}" if in_all == listed else f"{name} {listed} of {in_all}"
