"""What the spans of a cut and the records that are found say together; pure, without a broker."""

import json
from collections import deque
from dataclasses import replace
from typing import cast

import pytest

from streams.engine.cut import Cut, Span, UnreadableCutError, decode_cut
from streams.engine.torn import StrangeOutputsError, Trail, digest, settle

CUT = Cut(
    "ledger",
    "id",
    0,
    9,
    "1",
    counts=(("alerts", 3), ("changes", 20)),
    previous=6,
    spans=(
        ("alerts", Span(5, 0, 0, 0)),
        ("changes", Span(11, 2, 8, 6)),
        ("gone", Span(7, 0, 2, 0)),
        ("rows", Span(40, 0, 5, 4)),
    ),
    output_ids=(("changes", "a"), ("rows", "b")),
)
WHOLE = {"alerts": 0, "changes": 8, "gone": 2, "rows": 5}
TABLES = {"gone", "rows"}


def test_a_transaction_that_is_there_as_a_whole_is_gone_on_from() -> None:
    settled = settle(CUT, WHOLE, TABLES, "ledger/0")
    assert (settled.cut, dict(settled.ahead), settled.torn) == (CUT, {}, "")


def test_what_is_there_without_its_cut_is_ahead_but_rows_are_written_again() -> None:
    settled = settle(CUT, WHOLE | {"alerts": 1, "changes": 13, "rows": 9}, TABLES, "ledger/0")
    assert (settled.cut, settled.back) == (CUT, False)
    assert settled.ahead == {"alerts": 1, "changes": 5}
    assert settled.torn == (
        "alerts has 1 records from offset 5 on, expected 0; changes has 13 records from offset 11 on, expected 8"
    )


@pytest.mark.parametrize(
    ("lacking", "ahead"),
    [
        ({"changes": 2}, {}),
        ({"changes": 4}, {"changes": 2}),
        ({"rows": 0}, {"changes": 6}),
        ({"gone": 0}, {"changes": 6}),
    ],
)
def test_a_cut_without_what_it_covers_goes_back_to_the_one_before(
    lacking: dict[str, int], ahead: dict[str, int]
) -> None:
    settled = settle(CUT, WHOLE | lacking, TABLES, "ledger/0")
    assert settled.cut is not None
    assert settled.back
    assert (settled.cut.offset, settled.cut.counts) == (6, (("alerts", 3), ("changes", 14)))
    assert settled.ahead == ahead


def test_deletions_that_compaction_may_have_taken_away_are_not_missed() -> None:
    found = WHOLE | {"gone": 0, "rows": 4}
    assert settle(CUT, found, TABLES, "ledger/0").back
    assert settle(CUT, found, TABLES, "ledger/0", lasting_only=True).torn == ""
    assert settle(CUT, found | {"rows": 3}, TABLES, "ledger/0", lasting_only=True).back


def test_a_topic_of_which_nothing_is_left_is_not_counted() -> None:
    first = replace(CUT, counts=(("alerts", 1),), spans=(("alerts", Span(0, 0, 1, 1)), ("rows", Span(0, 0, 1, 1))))
    settled = settle(first, {"alerts": 1, "rows": 0}, TABLES, "ledger/0")
    assert settled.cut is not None
    assert settled.cut.counts == ()


def test_less_than_the_cut_before_knew_of_is_lost() -> None:
    with pytest.raises(StrangeOutputsError, match="at least 2 records of changes from offset 11 on, found 1"):
        settle(CUT, WHOLE | {"changes": 1}, TABLES, "ledger/0")


def test_a_topic_that_the_cut_does_not_know_is_not_judged() -> None:
    assert settle(CUT, WHOLE | {"new": 5}, TABLES, "ledger/0").torn == ""


def test_without_a_cut_whatever_is_there_is_ahead() -> None:
    settled = settle(None, {"changes": 2, "rows": 1}, TABLES, "ledger/0")
    assert (settled.cut, settled.ahead) == (None, {"changes": 2})


def test_spans_are_read_as_they_are_written() -> None:
    assert decode_cut(CUT.encode()) == CUT


def test_a_span_that_is_none_makes_the_cut_unreadable() -> None:
    with pytest.raises(UnreadableCutError, match="of four numbers each"):
        decode_cut(CUT.encode().replace(b"[11,2,8,6]", b"[11,2,8]"))


def test_a_cut_that_was_written_before_there_were_spans_judges_nothing() -> None:
    fields = json.loads(CUT.encode())
    del fields["spans"], fields["previous"], fields["output_ids"]
    old = decode_cut(json.dumps(fields).encode())
    assert old == replace(CUT, previous=-1, spans=(), output_ids=())
    assert settle(old, WHOLE, TABLES, "ledger/0").torn == ""


def test_only_what_is_not_there_yet_is_sent_and_all_of_it_is_counted() -> None:
    headers = (("h", b"x"), ("without a value", cast("bytes", None)))  # as Kafka allows
    entries = [(b"k", b"%d" % n, headers) for n in range(5)]
    there = deque(digest(*entry) for entry in entries[:3])
    trail = Trail("ledger/0", {"alerts": (5, 0), "changes": (11, 8), "rows": (40, 0)}, {"changes": there})
    assert trail.left_to_send({"changes": entries[:2]}) == {}
    spans = trail.spans({"changes": entries[:2]}, {"rows": [(b"r", b"1", ()), (b"s", None, ())]})
    assert spans == (("alerts", Span(5, 0, 0, 0)), ("changes", Span(11, 8, 10, 2)), ("rows", Span(40, 0, 2, 1)))
    trail.sent(spans, {"rows": 43})
    assert trail.left_to_send({"changes": entries[2:]}) == {"changes": entries[3:]}
    spans = trail.spans({"changes": entries[2:]}, {})
    assert dict(spans)["changes"] == Span(11, 10, 13, 3)
    trail.sent(spans, {"changes": 26})
    assert trail.counted == {"alerts": (5, 0), "changes": (26, 0), "rows": (43, 0)}


def test_an_acknowledgement_from_before_what_was_sent_is_of_another_topic() -> None:
    trail = Trail("ledger/0", {"changes": (11, 8)})
    spans = trail.spans({"changes": [(b"k", b"1", ())]}, {})
    with pytest.raises(StrangeOutputsError, match="expected changes to end at offset 20 or later, it ends at 19"):
        trail.sent(spans, {"changes": 19})
    trail.sent(spans, {"changes": 20})


@pytest.mark.parametrize(
    "other", [(b"other", b"1", ()), (b"k", b"2", ()), (b"k", None, ()), (b"k", b"1", (("h", b"x"),))]
)
def test_something_else_in_the_place_of_an_output_is_not_taken_for_it(
    other: tuple[bytes, bytes | None, tuple[tuple[str, bytes], ...]],
) -> None:
    trail = Trail("ledger/0", {"changes": (11, 8)}, {"changes": deque([digest(*other)])})
    with pytest.raises(StrangeOutputsError, match="changes has a record that no cut covers"):
        trail.left_to_send({"changes": [(b"k", b"1", ())]})
