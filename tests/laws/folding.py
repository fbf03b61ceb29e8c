"""Folds for the laws: a replay of a negotiation, and the same events with the times of a broker."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from ledger.cabinet import Cabinet
from ledger.history import LEADS, Negotiation, Outcome
from ledger.keeping import KeptNegotiation
from ledger.knowledge import Knowledge
from schemas.codec import encode
from schemas.encoding import canonical_json
from schemas.events import ClockStruck, Event
from schemas.ids import event_id
from schemas.positions import Recorded
from streams.replay import replay
from tests.laws.negotiations import NEGOTIATION, noon

NO_FILE = "0" * 64


def recorded(events: tuple[Event, ...] | list[Event]) -> list[Recorded]:
    """Give events their ids and places, without a broker's time. Every other one was written over many lines."""
    return [
        Recorded(event, event_id(event), 0, offset, None, _over_lines(encode(event)) if offset % 2 else encode(event))
        for offset, event in enumerate(events)
    ]


def _over_lines(document: bytes) -> bytes:
    return json.dumps(json.loads(document), indent=1).encode()


def replayed(events: tuple[Event, ...]) -> list[Recorded]:
    """Give the log of a replay: the opening, the reports and the strikes between them."""
    return recorded([played.event for played in replay(events, NO_FILE)])


def live(events: tuple[Event, ...]) -> list[Recorded]:
    """Give the log of a live ledger: an event a day from New Year on, and each strike as soon as it is due."""
    fold, log = Negotiation(NEGOTIATION), list[Recorded]()

    def append(one: Recorded) -> None:
        log.append(replace(one, offset=len(log)))
        fold.evolve(log[-1])

    for number, one in enumerate(recorded(events)):
        at = noon(7 * number)
        while fold.next_wake is not None and fold.next_wake <= at:
            strike = ClockStruck(negotiation=NEGOTIATION, at=fold.next_wake, mode="live")
            append(Recorded(strike, event_id(strike), 0, 0, strike.at + timedelta(seconds=2)))
        append(replace(one, recorded_at=at))
    return log


def folded(log: list[Recorded], cabinet: Cabinet | None = None) -> tuple[Negotiation, list[Outcome]]:
    """Fold a log; give the state and what each event did."""
    fold = Negotiation(NEGOTIATION, knowledge=Knowledge(NEGOTIATION, cabinet or Cabinet()))
    return fold, [fold.evolve(one) for one in log]


@dataclass(slots=True)
class SavedBytes:
    """A store in memory: what a process leaves behind for the next one."""

    saved: dict[bytes, bytes] = field(default_factory=dict)

    def get(self, key: bytes) -> bytes | None:
        return self.saved.get(key)

    def keys(self, prefix: bytes) -> list[bytes]:
        return [key for key in self.saved if key.startswith(prefix)]

    def get_all(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        return {key: self.saved[key] for key in keys if key in self.saved}

    def save(self, changed: Mapping[str, bytes | None]) -> None:
        for key, data in changed.items():
            if data is None:
                self.saved.pop(key.encode(), None)
            else:
                self.saved[key.encode()] = data


def folded_by_many(log: list[Recorded], at_once: int) -> tuple[Negotiation, list[Outcome]]:
    """Fold a log by one process after the other, each for so many events, with nothing between them but saved bytes.

    Of those some are drawn after each event, as an engine does ahead of a save.
    """
    store, outcomes = SavedBytes(), list[Outcome]()
    kept = KeptNegotiation.begun(NEGOTIATION, LEADS, Cabinet(store))
    for first in range(0, len(log), at_once):
        cabinet = Cabinet(store, loaded_max=2)
        kept = KeptNegotiation.begun(NEGOTIATION, LEADS, cabinet)
        for one in log[first : first + at_once]:
            outcomes.append(kept.negotiation.evolve(one))
            for _ in zip(range(one.offset % 4), cabinet.draw(), strict=False):
                pass
        store.save(cabinet.changed())
        store.save(kept.changed())
    return kept.negotiation, outcomes


def told_whole(outcomes: list[Outcome]) -> bytes:
    """Give everything that was put out, as bytes: changes, alerts and rows, in their order."""
    return b"\n".join(
        canonical_json(
            {
                "changes": list(one.changes),
                "alerts": list(one.alerts),
                "rows": [[*key, row] for key, row in one.rows.items()],
            }
        )
        for one in outcomes
    )


def fingerprint(log: list[Recorded], cabinet: Cabinet | None = None) -> bytes:
    """Give everything that a fold puts out, as bytes: changes, alerts and rows, in their order."""
    return told_whole(folded(log, cabinet)[1])
