"""Folds for the laws: a replay of a negotiation, and the same events with the times of a broker."""

from dataclasses import replace
from datetime import timedelta

from ledger.cabinet import Cabinet
from ledger.history import Negotiation, Outcome
from ledger.knowledge import Knowledge
from schemas.encoding import canonical_json
from schemas.events import ClockStruck, Event
from schemas.ids import event_id
from schemas.positions import Recorded
from streams.replay import replay
from tests.laws.negotiations import NEGOTIATION, noon

NO_FILE = "0" * 64


def recorded(events: tuple[Event, ...] | list[Event]) -> list[Recorded]:
    """Give events their ids and places, without a broker's time."""
    return [Recorded(event, event_id(event), 0, offset, None) for offset, event in enumerate(events)]


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


def fingerprint(log: list[Recorded], cabinet: Cabinet | None = None) -> bytes:
    """Give everything that a fold puts out, as bytes: changes, alerts and rows, in their order."""
    _, outcomes = folded(log, cabinet)
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
