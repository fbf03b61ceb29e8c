"""What a negotiation leaves behind on disk: enough to go on from, in few pieces however often it was saved."""

import pytest

from ledger import keeping
from ledger.cabinet import Cabinet
from ledger.history import LEADS
from ledger.keeping import KeptNegotiation
from ledger.parts import OfAct
from schemas.codec import encode
from schemas.ids import event_id
from schemas.positions import Recorded
from streams.bench.workload import reports
from tests.laws.folding import SavedBytes, folded, folded_by_many, recorded, told_whole
from tests.laws.negotiations import DEFINITIONS, NEGOTIATION

MEETINGS_A_PAGE = 8


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MEETINGS_A_PAGE", MEETINGS_A_PAGE)


@pytest.fixture(scope="module")
def log() -> list[Recorded]:
    """Give the log of one busy negotiation, whose meetings fill several pages."""
    return [
        Recorded(event, event_id(event), 0, place, None, encode(event))
        for place, event in enumerate(reports(4, 2000, 1))
    ]


@pytest.fixture(scope="module")
def undisturbed(log: list[Recorded]) -> bytes:
    fold, outcomes = folded(log)
    assert len(fold.knowledge.meetings) > 2 * MEETINGS_A_PAGE
    return told_whole(outcomes)


def test_a_long_ledger_goes_on_from_what_was_saved(log: list[Recorded], undisturbed: bytes) -> None:
    assert told_whole(folded_by_many(log, 61)[1]) == undisturbed


def test_what_changes_again_and_again_does_not_keep_other_parts_from_being_drawn() -> None:
    cabinet = Cabinet(SavedBytes())
    for name in ("busy", "quiet", "rare"):
        cabinet.to_change(name, OfAct)
    for _ in range(3):
        cabinet.to_change("busy", OfAct)
        next(cabinet.draw(), None)
    drawn = list(cabinet.draw())
    assert len(drawn) == 0
    cabinet.to_change("busy", OfAct)
    assert len(list(cabinet.draw())) == 1


def test_sheets_stay_few(log: list[Recorded]) -> None:
    store = SavedBytes()
    cabinet = Cabinet(store)
    kept = KeptNegotiation.begun(NEGOTIATION, LEADS, cabinet)
    written = 0
    for one in log:
        kept.negotiation.evolve(one)
        store.save(cabinet.changed())
        sheets = {key: data for key, data in kept.changed().items() if "\0ids\0" in key}
        written += sum(len(data or b"") for data in sheets.values())
        store.save(sheets)
    found = [data for key, data in store.saved.items() if b"\0ids\0" in key]
    assert len(found) <= len(log).bit_length()
    assert written <= len(log).bit_length() * sum(map(len, found))


def test_a_definition_that_is_revised_between_two_saves_is_saved_again() -> None:
    store = SavedBytes()
    kept = KeptNegotiation.begun(NEGOTIATION, LEADS, Cabinet(store))
    revised = DEFINITIONS[0].model_copy(update={"revision": 2, "definition": "As computed since."})
    for one in recorded([*DEFINITIONS, revised]):
        kept.negotiation.evolve(one)
        store.save(kept.changed())
    begun = KeptNegotiation.begun(NEGOTIATION, LEADS, Cabinet(store)).negotiation.knowledge
    assert list(begun.metrics.values()) == [revised, *DEFINITIONS[1:]]
