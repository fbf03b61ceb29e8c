"""A negotiation that outlives its process: its state as bytes under keys, and which of them have changed.

The parts lie in the cabinet. The rest is a head of fixed size, what only ever grows (ids, withdrawals, meetings) in
sheets that are added one by one, and what the clock was asked for, by the day.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, TypeVar

import orjson

from ledger.cabinet import Cabinet
from ledger.history import Negotiation
from ledger.knowledge import Knowledge
from ledger.parts import from_micros, micros
from ledger.reports import Unit
from schemas.codec import decode, encode
from schemas.encoding import plain_json
from schemas.events import MetricDefined, ReplayOpened, StackingRuleDefined

SHEETS_MAX = 64
"""So many sheets, and they are written as one."""
T = TypeVar("T")


@dataclass(slots=True)
class KeptNegotiation:
    """A negotiation and how much of it is saved already: sheets, and entries in each thing that only grows."""

    negotiation: Negotiation
    sheets: int = 0
    saved: tuple[int, int, int, int] = (0, 0, 0, 0)

    @classmethod
    def begun(cls, name: str, leads: tuple[str, ...], cabinet: Cabinet) -> "KeptNegotiation":
        """Bring a negotiation back from its cabinet's store; a new one where there is nothing."""
        negotiation = Negotiation(name, leads, Knowledge(name, cabinet))
        head = cabinet.read(_key(name, "head"))
        kept = cls(negotiation)
        if head is not None:
            kept._take_out(cabinet, orjson.loads(head))
        return kept

    def changed(self) -> Mapping[str, bytes | None]:
        """Return what is to be saved (None: to be removed) of what does not lie in the cabinet."""
        found: dict[str, bytes | None] = {}
        name = self.negotiation.name
        if self.sheets >= SHEETS_MAX:
            found.update(dict.fromkeys([_key(name, "sheet", str(n)) for n in range(self.sheets)]))
            self.sheets, self.saved = 0, (0, 0, 0, 0)
        grown = self._grown()
        counts = tuple(len(one) for one in grown)
        if counts != self.saved:
            ids, others, withdrawn, meetings = (
                list(islice(one, n, None)) for one, n in zip(grown, self.saved, strict=True)
            )
            knowledge = self.negotiation.knowledge
            sheet = [
                {name: knowledge.act_of[name] for name in ids},
                {name: self.negotiation.others[name].hex() for name in others},
                withdrawn,
                meetings,
            ]
            found[_key(name, "sheet", str(self.sheets))] = plain_json(sheet)
            self.sheets, self.saved = self.sheets + 1, counts  # type: ignore[assignment] # four things, four counts
        days = self.negotiation.wakes.days
        touched = self.negotiation.wakes.touched
        for day in touched:
            asked = [(*unit, micros(wake)) for unit, wake in days.get(day, {}).items()]
            found[_key(name, "day", day.isoformat())] = plain_json(asked) if asked else None
        touched.clear()
        found[_key(name, "head")] = plain_json(self._head())
        return found

    def _grown(self) -> tuple[Mapping[Any, Any], ...]:
        knowledge = self.negotiation.knowledge
        return knowledge.act_of, self.negotiation.others, knowledge.withdrawn, knowledge.meetings

    def _head(self) -> dict[str, object]:
        one, knowledge = self.negotiation, self.negotiation.knowledge
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
            "sheets": self.sheets,
            "days": [day.isoformat() for day in one.wakes.days],
        }

    def _take_out(self, cabinet: Cabinet, head: dict[str, Any]) -> None:
        one, knowledge = self.negotiation, self.negotiation.knowledge
        one.present, one.events = from_micros(head["present"]), head["events"]
        one.data_through = None if head["through"] is None else date.fromisoformat(head["through"])
        if head["replay"] is not None:
            one.replay = _as(ReplayOpened, decode(head["replay"].encode()))
        self.sheets = head["sheets"]
        for number in range(self.sheets):
            acts, others, withdrawn, meetings = orjson.loads(_written(cabinet, one.name, "sheet", str(number)))
            knowledge.act_of.update(acts)
            one.others.update({name: bytes.fromhex(content) for name, content in others.items()})
            knowledge.withdrawn.update(dict.fromkeys([(report, source) for report, source in withdrawn]))
            knowledge.meetings.update(dict.fromkeys(meetings))
        for text in head["definitions"]:
            event = decode(text.encode())
            knowledge.define(event if isinstance(event, StackingRuleDefined) else _as(MetricDefined, event))
        for day in head["days"]:
            for kind, name, wake in orjson.loads(_written(cabinet, one.name, "day", day)):
                one.wakes.ask(Unit(kind, name), from_micros(wake))
        self.saved = tuple(len(grown) for grown in self._grown())  # type: ignore[assignment] # as above
        one.wakes.touched.clear()


def _as(kind: type[T], event: object) -> T:
    if not isinstance(event, kind):
        raise TypeError(f"expected {kind.__name__} as it was put away, got {event!r}")
    return event


def _key(negotiation: str, *names: str) -> str:
    return "\0".join((negotiation, *names))


def _written(cabinet: Cabinet, *names: str) -> bytes:
    data = cabinet.read(_key(*names))
    if data is None:
        raise LookupError(f"expected what was saved as {' '.join(names)}, found nothing")
    return data
