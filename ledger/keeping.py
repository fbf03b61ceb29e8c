"""A negotiation that outlives its process: its state as bytes under keys, and which of them have changed.

The parts lie in the cabinet. The rest is a head of fixed size; what only ever grows (ids, withdrawals) on sheets, each
at most half as long as the one before, whose ids are read when one of them is asked for; meetings and what counters
have made of them, by the page; and what the clock was asked for, by the day.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, TypeVar

import orjson

from ledger.cabinet import Cabinet
from ledger.heard import Meaning, Sheet, joined, read_marks, write_marks
from ledger.history import Negotiation
from ledger.knowledge import Knowledge
from ledger.micros import from_micros, micros
from ledger.reports import Unit
from ledger.tallies import Tally
from schemas.codec import decode, encode
from schemas.encoding import plain_json
from schemas.events import MetricDefined, ReplayOpened, StackingRuleDefined

LAYOUT = "5"
"""What is saved, and how; to be raised when that changes."""
MEETINGS_A_PAGE = 64
T = TypeVar("T")
Definition = MetricDefined | StackingRuleDefined


@dataclass(slots=True)
class KeptNegotiation:
    """A negotiation, how many of its meetings are saved already, and its definitions with how they are written."""

    negotiation: Negotiation
    meetings: int = 0
    defined: tuple[tuple[Definition, str], ...] = ()

    @classmethod
    def begun(cls, name: str, leads: tuple[str, ...], cabinet: Cabinet) -> "KeptNegotiation":
        """Bring a negotiation back from its cabinet's store; a new one where there is nothing."""
        negotiation = Negotiation(name, leads, Knowledge(name, cabinet))
        kept = cls(negotiation)
        head = cabinet.read(_key(name, "head"))
        if head is not None:
            kept._take_out(orjson.loads(head))
        return kept

    def changed(self) -> Mapping[str, bytes | None]:
        """Return what is to be saved (None: to be removed) of what does not lie in the cabinet."""
        found: dict[str, bytes | None] = {}
        name = self.negotiation.name
        self._add_sheet(found)
        self._add_pages(found)
        wakes = self.negotiation.wakes
        for day in wakes.touched:
            asked = [(*unit, micros(wake)) for unit, wake in (wakes.days.get(day) or {}).items()]
            found[_day(name, day)] = plain_json(asked) if asked else None
        wakes.touched.clear()
        found[_key(name, "head")] = plain_json(self._head())
        return found

    def _add_sheet(self, found: dict[str, bytes | None]) -> None:
        """Put the new ids on a sheet, together with the sheets before it that are not twice as long.

        So there are few of them however often they are added, and an id is written again only as their number grows.
        """
        name, knowledge = self.negotiation.name, self.negotiation.knowledge
        sheets, ids, withdrawals = knowledge.heard.sheets, knowledge.heard.new, knowledge.withdrawn
        if not ids:
            return
        number, count = len(sheets), len(ids)
        while number and len(sheets[number - 1].marks) < 2 * count:
            number -= 1
            count += len(sheets[number].marks)
        for gone in range(number, len(sheets)):
            found[_marks(name, gone)] = found[_ids(name, gone)] = None
        withdrawn = withdrawals[sum(len(one.withdrawn) for one in sheets[:number]) :]
        sheet = joined(sheets[number:], ids, tuple(withdrawn))
        found[_marks(name, number)] = b"\n".join([plain_json(sheet.withdrawn), write_marks(sheet.marks)])
        found[_ids(name, number)] = _put_away(sheet.ids)
        sheets[number:] = [sheet]
        knowledge.heard.new = {}

    def _add_pages(self, found: dict[str, bytes | None]) -> None:
        """Write the pages of the meetings that are new, or that a counter has looked at."""
        knowledge = self.negotiation.knowledge
        meetings, tallies = knowledge.meetings, knowledge.tallies
        places = [*range(self.meetings, len(meetings)), *[meetings[name] for name in tallies.looked_at]]
        pages = {place // MEETINGS_A_PAGE for place in places}
        names = list(meetings) if pages else []
        for page in pages:
            on_it = names[page * MEETINGS_A_PAGE : (page + 1) * MEETINGS_A_PAGE]
            told = {
                metric: [tally.put_away(name) for name in on_it] for metric, (tally, _) in tallies.of_metric.items()
            }
            found[_page(self.negotiation.name, page)] = plain_json([on_it, told])
        self.meetings = len(meetings)
        tallies.looked_at.clear()

    def _head(self) -> dict[str, object]:
        one, knowledge = self.negotiation, self.negotiation.knowledge
        tallies = knowledge.tallies
        return {
            "present": micros(one.present),
            "events": one.events,
            "through": one.data_through.isoformat() if one.data_through is not None else None,
            "replay": encode(one.replay).decode() if one.replay is not None else None,
            "definitions": self._definitions(),
            "sheets": len(knowledge.heard.sheets),
            "meetings": self.meetings,
            "tallies": {
                metric: [micros(tally.at), list(touched)] for metric, (tally, touched) in tallies.of_metric.items()
            },
            "days": [day.isoformat() for day in one.wakes.days],
        }

    def _definitions(self) -> list[str]:
        knowledge = self.negotiation.knowledge
        definitions: tuple[Definition, ...] = (*knowledge.metrics.values(), *knowledge.rules.values())
        known = len(definitions) == len(self.defined)
        if not known or any(one is not its for one, (its, _) in zip(definitions, self.defined, strict=True)):
            self.defined = tuple([(one, encode(one).decode()) for one in definitions])
        return [written for _, written in self.defined]

    def _take_out(self, head: dict[str, Any]) -> None:
        one, knowledge = self.negotiation, self.negotiation.knowledge
        pages = range(-(-head["meetings"] // MEETINGS_A_PAGE))
        sheets = range(head["sheets"])
        saved = knowledge.cabinet.read_all(
            [*(_page(one.name, page) for page in pages), *(_marks(one.name, number) for number in sheets)]
        )
        one.present, one.events = from_micros(head["present"]), head["events"]
        one.data_through = None if head["through"] is None else date.fromisoformat(head["through"])
        if head["replay"] is not None:
            one.replay = _as(ReplayOpened, decode(head["replay"].encode()))
        for number in sheets:
            line, _, marks = _needed(saved.get, _marks(one.name, number)).partition(b"\n")
            withdrawn = tuple([(report, source) for report, source in orjson.loads(line)])
            knowledge.take_back(withdrawn)
            read = partial(_ids_on, knowledge.cabinet, _ids(one.name, number))
            knowledge.heard.sheets.append(Sheet(read_marks(marks), withdrawn, read))
        for text in head["definitions"]:
            event = decode(text.encode())
            knowledge.define(event if isinstance(event, StackingRuleDefined) else _as(MetricDefined, event))
        one.wakes.days = {date.fromisoformat(day): None for day in head["days"]}
        one.wakes.read = partial(_wakes_of, knowledge.cabinet, one.name)
        self._take_out_meetings(head, [_needed(saved.get, _page(one.name, page)) for page in pages])

    def _take_out_meetings(self, head: dict[str, Any], pages: list[bytes]) -> None:
        knowledge = self.negotiation.knowledge
        tallies = {metric: Tally(from_micros(at)) for metric, (at, _) in head["tallies"].items()}
        self.meetings = head["meetings"]
        for page in pages:
            names, told = orjson.loads(page)
            knowledge.meetings.update({one: len(knowledge.meetings) + place for place, one in enumerate(names)})
            for metric in tallies.keys() & told.keys():
                for one, what in zip(names, told[metric], strict=True):
                    tallies[metric].take_out(one, *what)
        for metric, tally in tallies.items():
            tally.in_order.sort()
            knowledge.tallies.of_metric[metric] = (tally, dict.fromkeys(head["tallies"][metric][1]))


def _as(kind: type[T], event: object) -> T:
    if not isinstance(event, kind):
        raise TypeError(f"expected {kind.__name__} as it was put away, got {event!r}")
    return event


def _key(negotiation: str, *names: str) -> str:
    return "\0".join((negotiation, "kept", *names))


def _page(negotiation: str, page: int) -> str:
    return _key(negotiation, "meetings", str(page))


def _marks(negotiation: str, number: int) -> str:
    return _key(negotiation, "marks", str(number))


def _ids(negotiation: str, number: int) -> str:
    return f"{negotiation}\0ids\0{number}"


def _put_away(ids: Mapping[str, Meaning]) -> bytes:
    acts = {name: act for name, act in ids.items() if isinstance(act, str)}
    return plain_json([acts, {name: told.hex() for name, told in ids.items() if isinstance(told, bytes)}])


def _ids_on(cabinet: Cabinet, key: str) -> dict[str, Meaning]:
    acts, others = orjson.loads(_needed(cabinet.read, key))
    return {**acts, **{name: bytes.fromhex(told) for name, told in others.items()}}


def _day(negotiation: str, day: date) -> str:
    return f"{negotiation}\0day\0{day.isoformat()}"


def _wakes_of(cabinet: Cabinet, negotiation: str, day: date) -> dict[Unit, datetime]:
    asked = orjson.loads(_needed(cabinet.read, _day(negotiation, day)))
    return {Unit(kind, name): from_micros(wake) for kind, name, wake in asked}


def _needed(get: Callable[[str], bytes | None], key: str) -> bytes:
    data = get(key)
    if data is None:
        raise LookupError(f"expected what was saved as {key!r}, found nothing")
    return data
