"""Truth is a function of a set of reports: neither the order of arrival nor what came later has a say."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

import ledger.resolution
from ledger import answer, reports
from ledger.answer import Asked, Known, state
from ledger.knowledge import Knowledge
from ledger.reports import Entry
from schemas.events import AnyReport, Event, MetricDefined
from schemas.positions import Recorded
from tests.laws.folding import recorded
from tests.laws.holding import catches, holds
from tests.laws.negotiations import NEGOTIATION, Told


def told_at(events: tuple[Event, ...], told: Told) -> dict[str, Any]:
    return state(NEGOTIATION, recorded(events), Asked(told.at, told.known_at))


def the_order_of_arrival_never_matters(told: Told) -> None:
    one, other = told_at(told.events, told), told_at(told.other_order, told)
    assert {**one, "position": None} == {**other, "position": None}


def known_at_never_sees_a_later_report(told: Told) -> None:
    heard = tuple(event for event in told.events if is_public(event, told.known_at))
    assert of_the_world(told_at(told.events, told)) == of_the_world(told_at(heard, told))


def is_public(event: Event, by: datetime) -> bool:
    return isinstance(event, MetricDefined) or reports.public_at(event)[0] <= by  # type: ignore[arg-type]


def of_the_world(told: dict[str, Any]) -> dict[str, Any]:
    """Leave out what speaks of the ledger: how far it reaches, and what follows from that."""
    of_the_ledger = {"data_through", "digest", "position"}
    kept = {name: value for name, value in told.items() if name not in of_the_ledger}
    kept["warnings"] = [one for one in told["warnings"] if one["code"] != "beyond_the_data"]
    return kept


def arriving_twice_is_arriving_once(told: Told) -> None:
    assert told_at(told.events, told)["digest"] == told_at((*told.events, *told.other_order), told)["digest"]


def test_the_order_of_arrival_never_matters_to_the_truth() -> None:
    holds(the_order_of_arrival_never_matters, 100)


def test_known_at_never_sees_a_later_report() -> None:
    holds(known_at_never_sees_a_later_report)


def test_what_arrives_twice_is_told_once() -> None:
    holds(arriving_twice_is_arriving_once)


def test_a_truth_that_depends_on_arrival_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_order_of_arrival(one: Recorded, report: AnyReport, heard_at: datetime) -> Entry:
        entry = entry_of(one, report, heard_at)
        return entry._replace(order=(entry.public_at.min, "", f"{entry.offset:09}"))

    entry_of = reports.entry_of
    monkeypatch.setattr(answer, "entry_of", in_order_of_arrival)
    catches(the_order_of_arrival_never_matters)


def test_a_last_word_that_wins_because_it_came_last_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger.resolution, "rank", lambda entry, *_, **__: (entry.offset, 0, 0, 0))
    catches(the_order_of_arrival_never_matters)


def test_a_report_heard_before_it_is_public_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def heard_as_made(one: Recorded, report: AnyReport, heard_at: datetime) -> Entry:
        return entry_of(one, report, heard_at)._replace(public_at=reports.made_at(report))

    entry_of = reports.entry_of
    monkeypatch.setattr(answer, "entry_of", heard_as_made)
    catches(known_at_never_sees_a_later_report)


def test_a_foreign_withdrawal_that_shields_from_the_next_one_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def last_one_only(self: Knowledge, entry: Entry) -> bool:
        by = [source for report, source in self.withdrawn if report == entry.id]
        return not by or by[-1] != entry.event.source.name

    monkeypatch.setattr(Knowledge, "stands", last_one_only)
    catches(the_order_of_arrival_never_matters)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of a long counter-example that is expected
def test_counting_a_redelivery_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def known_with_copies(events: list[Recorded], asked: Asked) -> Known:
        return known([replace(one, id=f"{one.id}-{one.offset}") for one in events], asked)

    known = answer.known
    monkeypatch.setattr(answer, "known", known_with_copies)
    catches(arriving_twice_is_arriving_once)
