"""What a negotiation leaves behind on disk: enough to go on from, in few pieces however often it was saved."""

from dataclasses import dataclass, field
from functools import partial

import pytest

from ledger import keeping
from ledger.cabinet import Cabinet
from ledger.history import LEADS
from ledger.keeping import KeptNegotiation
from schemas.codec import encode
from schemas.ids import event_id
from schemas.positions import Recorded
from streams import projection
from streams.bench.workload import records, reports
from streams.engine.projection import Headers
from streams.projection import LedgerProjection
from tests.laws.folding import SavedBytes, folded, folded_by_many, told_whole
from tests.laws.negotiations import NEGOTIATION

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


def test_sheets_stay_few(log: list[Recorded]) -> None:
    store = SavedBytes()
    cabinet = Cabinet(store)
    kept = KeptNegotiation.begun(NEGOTIATION, LEADS, cabinet)
    written = 0
    for one in log:
        kept.negotiation.evolve(one)
        store.save(dict(cabinet.changed()))
        sheets = {key: data for key, data in kept.changed().items() if "\0ids\0" in key}
        written += sum(len(data or b"") for data in sheets.values())
        store.save(sheets)
    found = [data for key, data in store.saved.items() if b"\0ids\0" in key]
    assert len(found) <= len(log).bit_length()
    assert written <= len(log).bit_length() * sum(map(len, found))


@dataclass(frozen=True, slots=True)
class Told:
    """A record of the ledger."""

    offset: int
    key: bytes | None
    value: bytes | None
    partition: int = 0
    timestamp: int = 1_767_225_600_000
    headers: Headers = ()


@dataclass(slots=True)
class Saving:
    """A projection, its store, and all that it has put out."""

    store: SavedBytes = field(default_factory=SavedBytes)
    fold: LedgerProjection = field(default_factory=lambda: LedgerProjection(prefix="parley", partitions=1))
    told: list[tuple[str, bytes | None, bytes | None]] = field(default_factory=list)

    def append(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = ()) -> None:
        del headers
        self.told.append((topic, key, value))

    def row(self, table: str, key: bytes, value: bytes | None) -> None:
        self.told.append((table, key, value))

    def keep(self, changed: dict[bytes, bytes | None]) -> None:
        self.store.save({key.decode(): value for key, value in changed.items()})


@pytest.mark.parametrize("at_once", [1, 4, 30])
def test_what_is_drawn_while_more_is_folded_is_as_it_was(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(projection, "Cabinet", partial(Cabinet, loaded_max=5))
    slow, prompt = Saving(), Saving()
    for each in (slow, prompt):
        each.fold.attach(each.store)
    drawing, drawn, expected, draws = None, dict[bytes, bytes | None](), dict[bytes, bytes | None](), 0
    for offset, one in enumerate(records(9, 1200, negotiations=5, partitions=1)):
        record = Told(offset, one.key, one.value)
        slow.fold.project([record], slow)
        prompt.fold.project([record], prompt)
        if drawing is None and offset % 10 == 0:
            expected = dict(prompt.fold.changed())
            prompt.keep(expected)
            drawing, drawn = slow.fold.changed(), {}
        for _ in range(at_once if drawing is not None else 0):
            found = next(drawing, None) if drawing is not None else None
            if found is None:
                assert drawn == expected
                slow.keep(drawn)
                drawing, draws = None, draws + 1
                break
            drawn[found[0]] = found[1]
    assert draws > 5
    assert slow.told == prompt.told
    if drawing is not None:
        drawn.update(drawing)
        slow.keep(drawn)
    for each in (slow, prompt):
        each.keep(dict(each.fold.changed()))
    assert slow.store.saved == prompt.store.saved


def test_what_was_changed_is_drawn_to_its_end_before_more_of_it_is() -> None:
    cabinet = Cabinet(SavedBytes())
    kept = KeptNegotiation.begun(NEGOTIATION, LEADS, cabinet)
    for one in reports(4, 5, 1):
        kept.negotiation.evolve(Recorded(one, event_id(one), 0, 0, None, encode(one)))
    next(cabinet.changed())
    with pytest.raises(ValueError, match="drawn to its end"):
        cabinet.changed()
