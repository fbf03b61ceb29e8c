"""The judge finds whatever is not as it must be; its reference and the worker's fold are two, and agree."""

from collections.abc import Callable, Sequence

import pytest

from streams.engine import Record
from streams.topics import partition_of
from tests.faults.checkers import Wrong, check_covered, check_ledger, check_outputs, check_rows
from tests.faults.events import HOUR_MS, NEGOTIATIONS, event_value
from tests.faults.history import Operation, written
from tests.faults.in_memory import NOW_MS, PARTITIONS, Collected, Kept, told
from tests.faults.judge import Sent, identity_of, last_values
from tests.faults.poison import KINDS
from tests.faults.reference import reference
from tests.faults.tally import Places, Tally, UpgradeNeeded

HOMES: dict[bytes | None, int] = {name.encode(): partition_of(name.encode(), PARTITIONS) for name in NEGOTIATIONS}


@pytest.mark.parametrize("partition", range(PARTITIONS))
def test_the_reference_and_the_worker_agree_on_every_output_and_row(partition: int) -> None:
    ledger = told(600, partition)
    outputs = Collected()
    Tally(Places("changes", "alerts", "dead-letters"), PARTITIONS).project(ledger, outputs)
    expected = reference(ledger, HOMES)
    for name, wanted in (
        ("changes", expected.changes),
        ("alerts", expected.alerts),
        ("dead-letters", expected.dead_letters),
    ):
        found = [(identity_of(name, one), one.key, one.value) for one in outputs.appended[name]]
        assert found == wanted
        assert found
    assert outputs.rows == {key: values[-1] for key, values in expected.rows.items()}
    assert len({name.split()[1] for name, _, _ in expected.dead_letters}) >= 5
    assert len(KINDS) == 8


@pytest.mark.parametrize("fold", ["silent", "reference"])
def test_a_newer_major_version_stops_the_fold_where_it_stands(fold: str) -> None:
    minor = event_value("x-1", "n0", {"type": "addition", "number": 1, "mood": "new"}, version="1.7")
    major = event_value("x-2", "n0", {"type": "addition", "number": 1}, version="2.0")
    home = partition_of(b"n0", PARTITIONS)
    ledger = [Kept(home, n, b"n0", value) for n, value in enumerate((minor, major))]
    if fold == "reference":
        assert reference(ledger, HOMES).stops_at == 1
        assert len(reference(ledger, HOMES).changes) == 1
        assert len(reference(ledger, HOMES, majors=(1, 2)).changes) == 2
    else:
        with pytest.raises(UpgradeNeeded, match=r"offset 1: .* got 2\.0; upgrade me"):
            Tally(Places("c", "a", "d"), PARTITIONS).fold(ledger)
        Tally(Places("c", "a", "d"), PARTITIONS, majors=(1, 2)).fold(ledger)


def test_an_hour_early_warns_nobody_and_an_hour_late_does() -> None:
    home = partition_of(b"n0", PARTITIONS)
    due = event_value("x-1", "n0", {"type": "deadline", "deadline": "d", "due_ms": NOW_MS + 90 * 60_000})
    early = event_value("x-2", "n0", {"type": "strike", "at_ms": NOW_MS + HOUR_MS})
    right = event_value("x-3", "n0", {"type": "strike", "at_ms": NOW_MS + HOUR_MS // 2 + 1})
    at = [NOW_MS, NOW_MS, NOW_MS + 2 * HOUR_MS]
    ledger = [Kept(home, n, b"n0", value, at[n]) for n, value in enumerate((due, early, right))]
    assert reference(ledger[:2], HOMES).alerts == []
    assert len(reference(ledger, HOMES).alerts) == 1


LEDGER = told(60, 0)
EXPECTED = reference(LEDGER, HOMES)
FOUND: Sequence[tuple[str, Record]] = [
    (one.id, Kept(0, n, one.key, one.value)) for n, one in enumerate(EXPECTED.changes)
]
Spoil = Callable[[list[tuple[str, Record]]], None]


def swap(found: list[tuple[str, Record]]) -> None:
    key = next(one.key for _, one in found if [other.key for _, other in found].count(one.key) > 1)
    first, second = [place for place, (_, one) in enumerate(found) if one.key == key][:2]
    found[first], found[second] = found[second], found[first]


SPOILT: dict[Wrong, Spoil] = {
    "lost": lambda found: found.__delitem__(3),
    "doubled": lambda found: found.append(found[3]),
    "invented": lambda found: found.append(("nobody", found[3][1])),
    "stale": lambda found: found.__setitem__(3, (found[3][0], Kept(0, 3, found[3][1].key, b"{}"))),
    "out of order": swap,
}


@pytest.mark.parametrize("wrong", SPOILT)
def test_one_wrong_output_is_found_and_named_for_what_it_is(wrong: Wrong) -> None:
    found = list(FOUND)
    assert list(check_outputs("changes", EXPECTED.changes, found)) == []
    SPOILT[wrong](found)
    assert [one.wrong for one in check_outputs("changes", EXPECTED.changes, found)] == [wrong]


def test_one_wrong_row_is_found_and_named_for_what_it_is() -> None:
    expected = {key: values for (table, key), values in EXPECTED.rows.items() if table == "sums"}
    records = [Kept(0, n, key, value) for key, values in expected.items() for n, value in enumerate(values)]
    right = last_values(records)
    key = next(key for key, values in expected.items() if len(values) > 1)
    assert list(check_rows("sums", expected, right)) == []
    earlier = expected[key][0]
    assert earlier is not None
    wrongs: dict[Wrong, dict[bytes, bytes]] = {
        "stale": {**right, key: earlier},
        "invented": {**right, key: b"{}"},
        "lost": {name: value for name, value in right.items() if name != key},
    }
    for wrong, rows in wrongs.items():
        assert [one.wrong for one in check_rows("sums", expected, rows)] == [wrong]
    assert [one.wrong for one in check_rows("sums", expected, {**right, b"nobody": b"{}"})] == ["invented"]
    assert [one.what for one in check_covered({0: [*LEDGER[:5], *LEDGER[6:]]}, {0: 9})] == [
        "offset 5 is not there, and a cut covers it"
    ]


def appended(author: str, number: int, offset: int | None, outcome: str = "acked") -> Operation:
    return {
        "op": "append", "author": author, "number": number, "key": "n0", "value": f"{author}-{number}",
        "partition": 0, "outcome": outcome, "offset": offset,
    }  # fmt: skip


def test_a_ledger_that_is_not_what_was_acknowledged_is_found() -> None:
    history = [appended("a", 0, 0), appended("a", 1, 1), appended("a", 2, None, "unknown")]
    right = [Kept(0, n, b"n0", b"a-%d" % n) for n in range(3)]
    assert list(check_ledger(history, {0: right})) == []
    assert list(check_ledger(history, {0: right[:2]})) == []

    def wrongs(operations: list[Operation], values: list[bytes]) -> list[Wrong]:
        ledger = [Kept(0, n, b"n0", value) for n, value in enumerate(values)]
        return [one.wrong for one in check_ledger(operations, {0: ledger})]

    assert wrongs(history, [b"a-0"]) == ["lost"]
    assert wrongs(history, [b"a-0", b"a-1", b"b-0"]) == ["invented"]
    assert wrongs([*history, appended("a", 3, None, "refused")], [b"a-0", b"a-1", b"a-3"]) == ["invented"]
    landed = [*history, appended("a", 3, None, "landed")]  # it may be anywhere, nobody was told where
    assert wrongs(landed, [b"a-0", b"a-1", b"a-3"]) == wrongs(landed, [b"a-0", b"a-1", b"a-2", b"a-3"]) == []
    assert wrongs(landed, [b"a-0", b"a-1", b"a-2"]) == ["lost"]
    late = [appended("a", 0, 1), appended("a", 1, 0)]
    assert wrongs(late, [b"a-1", b"a-0"]) == ["out of order"]
    assert written(b"x" * 2_000).startswith("2000 bytes, sha256 ")


@pytest.mark.parametrize(
    ("committed", "aborted", "since", "is_open"),
    [
        ([], [], 0, False),
        ([(100, 5)], [200], 150, True),
        ([(100, 5)], [200], 50, True),
        ([(100, 5), (250, 6)], [200], 50, False),  # sent again by whoever came next, and committed
        ([(100, 5)], [200], 201, False),  # this process took over after it: its fence has ended that
        ([(100, 5)], [400], 50, False),  # sent after the kill
    ],
)
def test_a_transaction_is_open_from_its_cut_until_it_ends(
    committed: list[tuple[int, int]], aborted: list[int], since: int, *, is_open: bool
) -> None:
    assert Sent({0: committed}, {0: aborted}).open_at(300, 0, since) is is_open
