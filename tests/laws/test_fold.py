"""The fold is total, deterministic, and says each thing once; rows are what the reports say at the fold's present."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Literal

import pytest

from ledger import history, knowledge, packing, parts, wakes
from ledger.acts import ActOnComponent
from ledger.cabinet import Cabinet
from ledger.heard import Sheet
from ledger.history import KINDS, Negotiation, Outcome
from ledger.keeping import KeptNegotiation
from ledger.knowledge import Knowledge
from ledger.parts import OfUnit, OnComponent, RowKey
from ledger.reports import Unit
from ledger.timeline import NEVER, Timeline, extended
from ledger.views import view
from schemas.changes import Json
from schemas.events import ClockStruck
from schemas.ids import event_id
from schemas.positions import Recorded
from schemas.times import parse_instant
from tests.house.tree import ROOT
from tests.laws.folding import fingerprint, folded, folded_by_many, live, replayed, told_whole
from tests.laws.holding import EXAMPLES, catches, holds
from tests.laws.negotiations import NEGOTIATION, Told
from tests.laws.telling import TELLINGS


def logs(told: Told) -> tuple[list[Recorded], list[Recorded]]:
    return replayed(told.events), live(told.other_order)


def redelivery_changes_nothing(told: Told) -> None:
    for log in logs(told):
        fold = Negotiation(NEGOTIATION)
        for one in log:
            fold.evolve(one)
            before = fold.rows, wakes_of(fold), fold.present
            assert fold.evolve(replace(one, offset=len(log))) == Outcome()
            assert (fold.rows, wakes_of(fold), fold.present) == before


def wakes_of(fold: Negotiation) -> dict[Unit, datetime]:
    """Give the next instant that each unit asks the clock for."""
    return {unit: wake for day in fold.wakes.days for unit, wake in fold.wakes.of_day(day).items()}


def the_same_id_with_other_content_is_a_finding_and_nothing_else(told: Told) -> None:
    log = replayed(told.events)
    fold, _ = folded(log)
    rows = dict(fold.rows)
    forged = replace(log[-1], id=log[0].id)
    outcome = fold.evolve(forged)
    assert fold.rows == rows
    assert [(one["kind"], one["key"], one["after"]) for one in outcome.changes] == [
        (
            "finding",
            f"{NEGOTIATION}/conflicting_duplicate",
            {"code": "conflicting_duplicate", "reason": "the same id came before with other content"},
        )
    ]
    assert (outcome.alerts, outcome.rows) == ([], {})


def rows_are_what_is_known_at_the_present_of_the_fold(told: Told) -> None:
    for log in logs(told):
        fold, outcomes = folded(log)
        outcomes += struck_up_to_the_present(fold, len(log))
        assert fold.rows == rendered(fold)
        assert fold.rows == put_out(outcomes)


def struck_up_to_the_present(fold: Negotiation, offset: int) -> list[Outcome]:
    """Strike what is due by now and was not struck: a log may end between an instant and its strike."""
    outcomes: list[Outcome] = []
    while fold.next_wake is not None and fold.next_wake <= fold.present:
        mode: Literal["live", "replay"] = "live" if fold.replay is None else "replay"
        strike = ClockStruck(negotiation=NEGOTIATION, at=fold.next_wake, mode=mode)
        outcomes.append(fold.evolve(Recorded(strike, event_id(strike), 0, offset + len(outcomes), None)))
    return outcomes


def rendered(fold: Negotiation) -> dict[RowKey, Json]:
    found: dict[RowKey, Json] = {}
    known = fold.knowledge
    for kind in KINDS:
        for unit in [Unit(kind, name) for name in known.units(kind)]:
            found |= view(known, unit, known.unit(unit), fold.present).rows
    return found


def put_out(outcomes: list[Outcome]) -> dict[RowKey, Json]:
    """Give the rows as a reader of the tables has them, who sees nothing but what is put out."""
    kept: dict[RowKey, Json] = {}
    for key, row in chain.from_iterable(one.rows.items() for one in outcomes):
        kept.pop(key, None)
        if row is not None:
            kept[key] = row
    return kept


def changes_tell_the_rows(told: Told) -> None:
    for log in logs(told):
        fold, outcomes = folded(log)
        told_rows: dict[str, Json] = {}
        for change in chain.from_iterable(one.changes for one in outcomes):
            if change["kind"] == "row":
                key = f"{change['table']}/{change['key']}"
                row = told_rows.setdefault(key, {})
                assert {name: row.get(name) for name in change["before"]} == change["before"]
                gone = change["before"].keys() - change["after"].keys()
                told_rows[key] = {name: value for name, value in (row | change["after"]).items() if name not in gone}
        rows = {f"{table}/{NEGOTIATION}/{name}": row for (table, name), row in fold.rows.items()}
        assert {key: row for key, row in told_rows.items() if row} == rows


def change_ids_and_sequences_are_unique(told: Told) -> None:
    for log in logs(told):
        changes = list(chain.from_iterable(one.changes for one in folded(log)[1]))
        assert len({change["id"] for change in changes}) == len(changes)
        assert [change["sequence"] for change in changes] == sorted(change["sequence"] for change in changes)


def an_alert_comes_once_and_never_early(told: Told) -> None:
    for log in logs(told):
        seen: set[tuple[str, int, str]] = set()
        for one, outcome in zip(log, folded(log)[1], strict=True):
            for alert in outcome.alerts:
                key = (alert["deadline"], alert["revision"], alert["lead"])
                assert key not in seen
                seen.add(key)
                assert parse_instant(alert["warn_at"]) <= struck_at(one)
                assert parse_instant(alert["warn_at"]) < parse_instant(alert["earliest"])


def struck_at(one: Recorded) -> datetime:
    assert one.event.type == "clock_struck"
    return one.event.at


def independent_negotiations_commute(told: Told) -> None:
    first, second = logs(told)
    mixed: dict[str, tuple[Negotiation, list[list[str]]]] = {
        name: (Negotiation(NEGOTIATION), []) for name in ("first", "second")
    }
    turns = [("first", one) for one in first] + [("second", one) for one in second]
    for name, one in sorted(turns, key=lambda turn: (turn[1].offset, turn[0])):
        fold, ids = mixed[name]
        outcome = fold.evolve(one)
        ids.append([change["id"] for change in outcome.changes])
    for name, log in (("first", first), ("second", second)):
        alone, outcomes = folded(log)
        assert mixed[name][0].rows == alone.rows
        assert mixed[name][1] == [[change["id"] for change in one.changes] for one in outcomes]


def a_state_that_is_put_away_goes_on_as_if_it_had_not_been(told: Told) -> None:
    for log in logs(told):
        assert fingerprint(log, Cabinet(loaded_max=0)) == fingerprint(log)


def a_state_that_is_saved_and_brought_back_goes_on_as_if_it_had_not_been(told: Told) -> None:
    for log in logs(told):
        fold, outcomes = folded(log)
        for at_once in (1, 7):
            other, others = folded_by_many(log, at_once)
            assert told_whole(others) == told_whole(outcomes)
            assert (other.rows, wakes_of(other), other.present) == (fold.rows, wakes_of(fold), fold.present)


@pytest.mark.parametrize(
    "law",
    [
        a_state_that_is_saved_and_brought_back_goes_on_as_if_it_had_not_been,
        a_state_that_is_put_away_goes_on_as_if_it_had_not_been,
        redelivery_changes_nothing,
        the_same_id_with_other_content_is_a_finding_and_nothing_else,
        rows_are_what_is_known_at_the_present_of_the_fold,
        changes_tell_the_rows,
        change_ids_and_sequences_are_unique,
        an_alert_comes_once_and_never_early,
        independent_negotiations_commute,
    ],
)
def test_law(law: Callable[[Told], None]) -> None:
    holds(law, EXAMPLES)


def test_other_processes_with_other_hash_seeds_give_the_same_bytes() -> None:
    one, other = told_with("1"), told_with("4242")
    assert one == other
    assert len(one.split()) == TELLINGS


def test_a_fold_that_follows_the_order_of_a_set_is_caught() -> None:
    assert told_with("1", "--planted") != told_with("4242", "--planted")


def told_with(hash_seed: str, *options: str) -> bytes:
    command = [sys.executable, "-m", "tests.laws.telling", *options]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(command, check=True, capture_output=True, env=environment, cwd=ROOT, timeout=60).stdout


def test_a_wake_that_is_not_asked_for_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def instants_but_of_components(
        known: Knowledge, unit: Unit, leads: tuple[str, ...], seen: wakes.Seen, since: datetime
    ) -> set[datetime]:
        return set() if unit.kind == "component" else wakes.instants(known, unit, leads, seen, since)

    monkeypatch.setattr(history, "instants", instants_but_of_components)
    catches(rows_are_what_is_known_at_the_present_of_the_fold)


def test_a_row_that_stays_too_long_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "stays_until", lambda *_: NEVER)
    catches(rows_are_what_is_known_at_the_present_of_the_fold)


def test_a_report_that_is_wrongly_taken_for_a_confirmation_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knowledge, "confirms", lambda *_: True)
    catches(a_state_that_is_put_away_goes_on_as_if_it_had_not_been)


def test_a_timeline_that_takes_every_act_for_the_last_one_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_more(before: OnComponent | None, acts: list[ActOnComponent]) -> Timeline | None:
        return extended(before.timeline, acts[-1]) if before is not None and acts else None

    monkeypatch.setattr(knowledge, "_one_more", one_more)
    catches(a_state_that_is_put_away_goes_on_as_if_it_had_not_been)


def test_an_early_alert_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def alert_ahead(self: Negotiation, outcome: Outcome, recorded: Recorded, unit: Unit, at: datetime) -> None:
        alert(self, outcome, recorded, unit, at + timedelta(days=3))

    alert = Negotiation._alert  # noqa: SLF001 -- the place where the bug is planted
    monkeypatch.setattr(Negotiation, "_alert", alert_ahead)
    catches(an_alert_comes_once_and_never_early)


def test_an_alert_told_again_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def alert_anew(self: Negotiation, outcome: Outcome, recorded: Recorded, unit: Unit, at: datetime) -> None:
        self.knowledge.unit_to_change(unit).alerted.clear()
        alert(self, outcome, recorded, unit, at)

    alert = Negotiation._alert  # noqa: SLF001 -- the place where the bug is planted
    monkeypatch.setattr(Negotiation, "_alert", alert_anew)
    catches(an_alert_comes_once_and_never_early)


def test_a_fold_that_forgets_what_it_has_seen_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Negotiation, "_repeats", lambda *_: None)
    catches(redelivery_changes_nothing)


def test_a_part_that_loses_something_when_it_is_put_away_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_alerted(self: OfUnit) -> bytes:
        return put_away(replace(self, alerted={}))

    put_away = OfUnit.put_away
    monkeypatch.setattr(OfUnit, "put_away", without_alerted)
    catches(a_state_that_is_put_away_goes_on_as_if_it_had_not_been)


def test_a_wake_that_is_not_saved_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_days(self: KeptNegotiation) -> Mapping[str, bytes | None]:
        self.negotiation.wakes.touched.clear()
        return changed(self)

    changed = KeptNegotiation.changed
    monkeypatch.setattr(KeptNegotiation, "changed", without_days)
    # the head names a day that was not saved
    catches(a_state_that_is_saved_and_brought_back_goes_on_as_if_it_had_not_been, LookupError)


def test_a_withdrawal_that_is_not_saved_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_withdrawals(self: KeptNegotiation) -> Mapping[str, bytes | None]:
        self.negotiation.knowledge.withdrawn.clear()
        return changed(self)

    changed = KeptNegotiation.changed
    monkeypatch.setattr(KeptNegotiation, "changed", without_withdrawals)
    catches(a_state_that_is_saved_and_brought_back_goes_on_as_if_it_had_not_been)


def test_an_id_that_is_not_looked_for_where_it_is_saved_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sheet, "get", lambda self, name: (self.at_hand or {}).get(name))
    catches(a_state_that_is_saved_and_brought_back_goes_on_as_if_it_had_not_been)


def test_an_act_that_is_packed_although_its_leading_report_does_not_say_all_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packing, "same", lambda *_: True)
    catches(a_state_that_is_put_away_goes_on_as_if_it_had_not_been)


def test_a_packed_act_that_lost_when_it_was_heard_of_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def heard_when_made(line: bytes) -> ActOnComponent:
        act = unpack(line)
        return act._replace(start_heard_at=act.made_at, end_heard_at=act.made_at)

    unpack = packing.unpack
    monkeypatch.setattr(parts, "unpack", heard_when_made)
    catches(a_state_that_is_put_away_goes_on_as_if_it_had_not_been)


def test_a_counter_that_is_not_saved_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_what_was_looked_at(self: KeptNegotiation) -> Mapping[str, bytes | None]:
        self.negotiation.knowledge.tallies.looked_at.clear()
        return changed(self)

    changed = KeptNegotiation.changed
    monkeypatch.setattr(KeptNegotiation, "changed", without_what_was_looked_at)
    catches(a_state_that_is_saved_and_brought_back_goes_on_as_if_it_had_not_been)


def test_a_change_id_that_leaves_out_the_ordinal_and_the_row_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "change_id", lambda source, event, *_: f"{source}/{event}")
    catches(change_ids_and_sequences_are_unique)


def test_state_shared_between_negotiations_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Cabinet()

    def evolve_shared(self: Negotiation, recorded: Recorded) -> Outcome:
        self.knowledge.cabinet = shared
        return evolve(self, recorded)

    evolve = Negotiation.evolve
    monkeypatch.setattr(Negotiation, "evolve", evolve_shared)
    catches(independent_negotiations_commute)
