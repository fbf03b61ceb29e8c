"""The whole history: definitions, then every report in the order in which it became public."""

from collections.abc import Iterator
from itertools import chain

from ledger.reports import public_at
from schemas.codec import encode
from schemas.events import AnyReport, Event
from streams.demo.convert import (
    claims,
    commitments,
    components,
    deadlines,
    meetings,
    proceedings,
    statements,
    witnesses,
)
from streams.demo.convert.corpus import Corpus
from streams.demo.convert.definitions import definitions
from streams.demo.convert.stacking import stacking_rules
from streams.demo.convert.telling import Telling


def history(corpus: Corpus) -> bytes:
    """Return the history as JSON Lines: one event a line, in canonical form."""
    return b"".join(encode(event) + b"\n" for event in events(corpus))


def events(corpus: Corpus) -> Iterator[Event]:
    """Give the definitions and rules, then the reports by (public from, source's own id)."""
    telling = Telling(corpus.acts)
    yield from definitions(telling.negotiation)
    yield from stacking_rules(telling.negotiation)
    yield from sorted(_reports(telling, corpus), key=lambda report: (public_at(report)[0], report.source.own_id or ""))


def _reports(telling: Telling, corpus: Corpus) -> Iterator[AnyReport]:
    for act in corpus.acts.values():
        own: list[AnyReport] = list(
            chain(
                components.own_reports(telling, act),
                deadlines.own_reports(telling, act),
                meetings.own_reports(telling, act),
                proceedings.own_reports(telling, act),
                commitments.own_reports(telling, act),
                statements.own_reports(telling, act),
            )
        )
        if not own:
            raise ValueError(f"{act.id}: expected a report of its issuer, got none; add it to the table of its kind")
        yield from own
        yield from witnesses.reports(telling, act)
    yield from claims.reports(telling, corpus.claims)
    yield statements.coverage(telling)
