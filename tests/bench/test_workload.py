from collections import Counter
from hashlib import sha256

import pytest

from ledger.history import Negotiation
from schemas.cloudevents import headers
from schemas.codec import encode
from schemas.events import ActReported, AnyReport, ComponentChanged, Event, ReportRetracted
from schemas.ids import event_id
from schemas.positions import Recorded
from streams.bench.workload import names, records, reports
from streams.topics import partition_of

COUNT = 6_000


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return list(reports(1, COUNT))


def test_the_records_are_the_canonical_bytes_of_the_events_with_their_headers_where_they_belong(
    events: list[Event],
) -> None:
    for event, record in zip(events, records(1, COUNT), strict=True):
        assert record.value == encode(event)
        assert record.headers == list(headers(event))
        assert record.key == event.negotiation.encode()
        assert record.partition == partition_of(record.key, 4)


def test_a_seed_is_the_same_workload_everywhere_and_another_seed_is_another() -> None:
    digest = sha256(b"\n".join(record.value for record in records(1, 2_000))).hexdigest()
    assert digest == "3769a99feb84271cdd2b2f6d9aefee59d1971896f69c4a57069638cfb9ea3925"
    assert next(records(1, 1)) != next(records(2, 1))


def test_one_negotiation_has_three_tenths_and_each_event_its_own_id(events: list[Event]) -> None:
    shares = Counter(event.negotiation for event in events if isinstance(event, AnyReport))
    busiest, count = shares.most_common(1)[0]
    assert busiest == names(1_000)[0]
    assert 0.27 < count / shares.total() < 0.33
    assert len({event_id(event) for event in events}) == COUNT
    assert len(set(names(1_000))) == 1_000


def test_most_acts_have_three_reports_that_quote_and_some_are_corrected_by_their_own_source(
    events: list[Event],
) -> None:
    told = [event for event in events if isinstance(event, AnyReport)]
    assert {len(event.source.quote or "") for event in told} == {300}
    by_id = {event_id(event): event for event in told}
    corrections = [event for event in told if event.replaces is not None or isinstance(event, ReportRetracted)]
    assert corrections
    for correction in corrections:
        earlier = by_id[correction.report if isinstance(correction, ReportRetracted) else correction.replaces or ""]
        assert earlier.source.name == correction.source.name
        assert earlier.act == correction.act
    plain = Counter(event.act for event in told if event not in corrections)
    assert max(plain.values()) == 3
    assert sum(isinstance(event, ComponentChanged | ActReported) for event in told) > 0.8 * len(told)


def test_three_in_ten_events_make_a_row_and_sources_contradict_each_other(events: list[Event]) -> None:
    states: dict[str, Negotiation] = {}
    for offset, event in enumerate(events):
        state = states.setdefault(event.negotiation, Negotiation(event.negotiation))
        state.evolve(Recorded(event, event_id(event), 0, offset, None))
    rows = [row for state in states.values() for row in state.rows.values()]
    assert 0.2 < len(rows) / COUNT < 0.5
    assert any(row["status"] == "disputed" for row in rows)
    assert any(row.get("state") == "pending" for row in rows)
