"""A negotiation that outlives its process: its state as bytes under keys, and which of them have changed.

The parts lie in the cabinet. The rest is a head of fixed size; what only ever grows (ids, withdrawals) in sheets, each
at most half as long as the one before; meetings and what counters have made of them, by the page; and what the clock
was asked for, by the day.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any, TypeVar

import orjson

from ledger.cabinet import Cabinet
from ledger.history import Negotiation
from ledger.knowledge import Knowledge
from ledger.micros import from_micros, micros
from ledger.reports import Unit
from ledger.tallies import Tally
from schemas.codec import decode, encode
from schemas.encoding import plain_json
from schemas.events import MetricDefined, ReplayOpened, StackingRuleDefined

LAYOUT = "3"
"""What is saved, and how; to be raised when that changes."""
MEETINGS_A_PAGE = 64
T = TypeVar("T")
Ends = tuple[int, int, int]
"""How many ids, other ids and withdrawals there are up to the end of a sheet."""


@dataclass(slots=True)
class KeptNegotiation:
    """A negotiation and how much of it is saved already: where the sheets begin and end, and how many meetings."""

    negotiation: Negotiation
    ends: list[Ends] = field(default_factory=lambda: [(0, 0, 0)])
    meetings: int = 0

    @classmethod
    def begun(cls, name: str, leads: tuple[str, ...], cabinet: Cabinet) -> "KeptNegotiation":
        """Bring a negotiation back from its cabinet's store; a new one where there is nothing."""
        negotiation = Negotiation(name, leads, Knowledge(name, cabinet))
        kept = cls(negotiation)
        saved = cabinet.saved(_key(name, ""))
        if saved:
            kept._take_out(saved)
        return kept

    def changed(self) -> Mapping[str, bytes | None]:
        """Return what is to be saved (None: to be removed) of what does not lie in the cabinet."""
        found: dict[str, bytes | None] = {}
        name = self.negotiation.name
        self._add_sheet(found)
        self._add_pages(found)
        days = self.negotiation.wakes.days
        touched = self.negotiation.wakes.touched
        for day in touched:
            asked = [(*unit, micros(wake)) for unit, wake in days.get(day, {}).items()]
            found[_key(name, "day", day.isoformat())] = plain_json(asked) if asked else None
        touched.clear()
        found[_key(name, "head")] = plain_json(self._head())
        return found

    def _grown(self) -> tuple[dict[Any, Any], ...]:
        knowledge = self.negotiation.knowledge
        return knowledge.act_of, self.negotiation.others, knowledge.withdrawn

    def _add_sheet(self, found: dict[str, bytes | None]) -> None:
        """Put what has grown on a sheet, together with the sheets before it that are not twice as long.

        So there are few of them however often they are added, and an entry is written again only as their number grows.
        """
        grown = self._grown()
        counts: Ends = tuple([len(one) for one in grown])  # type: ignore[assignment] # three things, three counts
        if counts == self.ends[-1]:
            return
        sheets = len(self.ends) - 1
        while len(self.ends) > 1 and sum(self.ends[-1]) - sum(self.ends[-2]) < 2 * (sum(counts) - sum(self.ends[-1])):
            self.ends.pop()
        number = len(self.ends) - 1
        ids, others, withdrawn = (
            [*islice(reversed(one), len(one) - n)][::-1] for one, n in zip(grown, self.ends[-1], strict=True)
        )
        name, knowledge = self.negotiation.name, self.negotiation.knowledge
        sheet = [
            {name: knowledge.act_of[name] for name in ids},
            {name: self.negotiation.others[name].hex() for name in others},
            withdrawn,
        ]
        found.update(dict.fromkeys([_key(name, "sheet", str(n)) for n in range(number + 1, sheets)]))
        found[_key(name, "sheet", str(number))] = plain_json(sheet)
        self.ends.append(counts)

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
            found[_key(self.negotiation.name, "meetings", str(page))] = plain_json([on_it, told])
        self.meetings = len(meetings)
        tallies.looked_at.clear()

    def _head(self) -> dict[str, object]:
        one, knowledge = self.negotiation, self.negotiation.knowledge
        tallies = knowledge.tallies
        definitions: Iterable[MetricDefined | StackingRuleDefined] = (
            *knowledge.metrics.values(),
            *knowledge.rules.values(),
        )
        return {
            "present": micros(one.present),
            "events": one.events,
            "through": one.data_through.isoformat() if one.data_through is not None else None,
            "replay": encode(one.replay).decode() if one.replay is not None else None,
            "definitions": [encode(event).decode() for event in definitions],
            "ends": self.ends[1:],
            "meetings": self.meetings,
            "tallies": {
                metric: [micros(tally.at), list(touched)] for metric, (tally, touched) in tallies.of_metric.items()
            },
            "days": [day.isoformat() for day in one.wakes.days],
        }

    def _take_out(self, saved: Mapping[str, bytes]) -> None:
        one, knowledge = self.negotiation, self.negotiation.knowledge
        head = orjson.loads(_written(saved, one.name, "head"))
        one.present, one.events = from_micros(head["present"]), head["events"]
        one.data_through = None if head["through"] is None else date.fromisoformat(head["through"])
        if head["replay"] is not None:
            one.replay = _as(ReplayOpened, decode(head["replay"].encode()))
        self.ends += [(ids, others, withdrawn) for ids, others, withdrawn in head["ends"]]
        for number in range(len(head["ends"])):
            acts, others, withdrawn = orjson.loads(_written(saved, one.name, "sheet", str(number)))
            knowledge.act_of.update(acts)
            one.others.update({name: bytes.fromhex(content) for name, content in others.items()})
            knowledge.withdrawn.update(dict.fromkeys([(report, source) for report, source in withdrawn]))
        for text in head["definitions"]:
            event = decode(text.encode())
            knowledge.define(event if isinstance(event, StackingRuleDefined) else _as(MetricDefined, event))
        for day in head["days"]:
            for kind, name, wake in orjson.loads(_written(saved, one.name, "day", day)):
                one.wakes.ask(Unit(kind, name), from_micros(wake))
        one.wakes.touched.clear()
        self._take_out_meetings(saved, head)

    def _take_out_meetings(self, saved: Mapping[str, bytes], head: dict[str, Any]) -> None:
        name, knowledge = self.negotiation.name, self.negotiation.knowledge
        tallies = {metric: Tally(from_micros(at)) for metric, (at, _) in head["tallies"].items()}
        self.meetings = head["meetings"]
        for page in range(-(-self.meetings // MEETINGS_A_PAGE)):
            names, told = orjson.loads(_written(saved, name, "meetings", str(page)))
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


def _written(saved: Mapping[str, bytes], negotiation: str, *names: str) -> bytes:
    data = saved.get(_key(negotiation, *names))
    if data is None:
        raise LookupError(f"expected what was saved as {' '.join(names)} of {negotiation}, found nothing")
    return data
