"""A snapshot gives back what was saved, or is found to be damaged; it is never anything else."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine.moves import Origin
from streams.engine.snapshots import DamagedSnapshotError, Store

ORIGIN = Origin("ledger", "id", 0, "1")
VALUES = {b"key %d" % n: b"value %d " % n * (n % 10 + 1) for n in range(500)}


def saved(path: Path) -> None:
    """Save all values in a few steps."""
    store = Store(path)
    store.origin = ORIGIN
    store.save(99, {**dict.fromkeys(VALUES, b"old"), b"gone": b"old"})
    store.save(199, {**VALUES, b"gone": None})
    store.close()


def keys_of(store: Store) -> set[bytes]:
    return set(store.keys())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    saved(tmp_path / "one.snapshot")
    return tmp_path / "one.snapshot"


def test_what_was_saved_is_there_again(path: Path) -> None:
    store = Store(path)
    assert (store.folded, store.origin) == (199, ORIGIN)
    assert {key: store.get(key) for key in keys_of(store)} == VALUES
    assert store.get(b"gone") is None
    assert store.get(b"never there") is None
    some = [b"key 49", *(b"key %d" % n for n in range(490, 500))]
    assert sorted(store.keys(b"key 49")) == some
    store.close()
    store = Store(path)
    assert store.get_all([b"never there", *VALUES, b"gone"]) == VALUES
    assert store.get_all([b"never there"]) == {}


def test_whoever_writes_with_rests_is_read_meanwhile_and_leaves_the_same(path: Path) -> None:
    store, newer = Store(path), {key: b"newer " + value for key, value in VALUES.items()}
    seen = list[bool]()

    def rest() -> None:
        with closing(sqlite3.connect(path)) as another:
            told = another.execute("SELECT value FROM terms WHERE line = 1").fetchone()[0]
        seen.append(store.get_all(newer) == newer and b'"folded": 199' in told)

    store.take(299, newer)
    store.write(rest)
    store.close()
    assert seen == [True] * 30  # ten times fifty are hashed, deleted and inserted
    store = Store(path)
    assert (store.folded, store.get_all(newer)) == (299, newer)


def test_what_is_taken_is_read_before_it_is_written_and_lost_if_it_never_is(path: Path) -> None:
    store = Store(path)
    store.take(200, {b"key 1": b"newer", b"key 2": None, b"new": b"1"})
    assert [store.get(key) for key in (b"key 1", b"key 2", b"new")] == [b"newer", None, b"1"]
    assert keys_of(store) == set(VALUES) - {b"key 2"} | {b"new"}
    some = {b"key 1": b"newer", b"key 3": VALUES[b"key 3"], b"new": b"1"}
    assert store.get_all([b"key 2", b"never there", *some]) == some
    assert store.folded == 199
    store.close()
    assert Store(path).get(b"key 1") == VALUES[b"key 1"]


def test_what_is_read_while_a_thread_writes_is_what_was_saved_last(path: Path) -> None:
    expected, keys = dict(VALUES), list(VALUES)
    with ThreadPoolExecutor(1) as thread:
        for folded in range(200, 300):
            store = Store(path)  # nothing is at hand
            changed: dict[bytes, bytes | None] = {
                keys[place % 500]: b"%d" % folded for place in range(folded, folded + 500, 7)
            }
            changed[keys[folded]] = None
            store.take(folded, changed)
            expected.update((key, value) for key, value in changed.items() if value is not None)
            expected.pop(keys[folded], None)
            writing = thread.submit(store.write)
            assert {key: store.get(key) for key in keys} == {key: expected.get(key) for key in keys}
            assert store.get_all(keys) == expected
            assert keys_of(store) == set(expected)
            writing.result()
            assert store.get_all(keys) == expected
            store.close()


def test_what_could_not_be_written_is_written_with_what_comes_next(path: Path) -> None:
    store = Store(path)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OSError, match="locked"):
            store.save(200, {b"key 1": b"newer"})
        other.execute("ROLLBACK")
    assert store.get(b"key 1") == b"newer"
    store.save(201, {b"key 2": None})
    store.close()
    again = Store(path)
    assert (again.folded, again.get(b"key 1"), again.get(b"key 2")) == (201, b"newer", None)


def test_another_process_cannot_open_what_is_in_use(path: Path) -> None:
    store = Store(path)
    with pytest.raises(BlockingIOError):
        Store(path)
    store.close()
    Store(path).close()


def test_what_is_thrown_away_begins_anew(path: Path) -> None:
    store = Store(path)
    store.discard()
    assert (store.folded, store.origin, keys_of(store)) == (-1, None, set())
    store.origin = ORIGIN
    store.save(3, {b"a": b"b"})
    store.close()
    assert Store(path).get(b"a") == b"b"


def test_what_is_laid_out_in_another_way_is_thrown_away(path: Path) -> None:
    store = Store(path, "1")
    store.origin = ORIGIN
    store.save(3, {b"a": b"b"})
    store.close()
    store = Store(path, "1")
    assert (store.folded, store.get(b"a")) == (3, b"b")
    store.close()
    assert Store(path, "2").folded == -1


def statement(words: str) -> Callable[[Path], None]:
    """Return an offence that changes the file through SQLite, so that only our digests can tell."""

    def commit(path: Path) -> None:
        with sqlite3.connect(path) as connection:
            assert connection.execute(words).rowcount > 0
        connection.close()

    return commit


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def no_database(path: Path) -> None:
    path.write_bytes(b"x" * 10_000)


OFFENCES = {
    "a row is deleted": statement("DELETE FROM kept WHERE key = x'6b65792031'"),
    "a row is added": statement("INSERT INTO kept SELECT leaf, x'00', digest, value FROM kept LIMIT 1"),
    "a digest is another": statement("UPDATE kept SET digest = digest + 1 WHERE key = x'6b65792031'"),
    "a digest is no number": statement("UPDATE kept SET digest = x'00' WHERE key = x'6b65792031'"),
    "the sums are others": statement("UPDATE terms SET value = zeroblob(length(value)) WHERE line = 2"),
    "the sums are gone": statement("DELETE FROM terms WHERE line = 2"),
    "it claims another offset": statement("UPDATE terms SET value = replace(value, '199', '200') WHERE line = 1"),
    "it claims nothing": statement("DELETE FROM terms"),
    "truncated": truncated,
    "no database": no_database,
}


@pytest.mark.parametrize("offence", OFFENCES)
def test_a_damaged_snapshot_is_thrown_away_when_it_is_opened(
    path: Path, offence: str, caplog: pytest.LogCaptureFixture
) -> None:
    OFFENCES[offence](path)
    store = Store(path)
    assert (store.folded, store.origin, keys_of(store)) == (-1, None, set())
    assert "thrown away" in caplog.text


def test_a_snapshot_of_an_earlier_format_is_told_as_that(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "earlier.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript("CREATE TABLE kept (key BLOB PRIMARY KEY, value BLOB); PRAGMA user_version = 3")
    connection.close()
    store = Store(path)
    store.origin = ORIGIN
    store.save(1, {b"key": b"value"})
    store.close()
    assert "(it is laid out as another version does): thrown away" in caplog.text
    assert Store(path).get(b"key") == b"value"


LEAF_OFFENCES = {
    "a row is renamed": "UPDATE kept SET key = x'6b65792058' WHERE key = x'6b65792031'",
    "a key is no bytes": "UPDATE kept SET key = 'key 1' WHERE key = x'6b65792031'",
    "a row is on another leaf": "UPDATE kept SET leaf = (leaf + 1) % 16384 WHERE key = x'6b65792031'",
    "a row is on no leaf": "UPDATE kept SET leaf = 'none' WHERE key = x'6b65792031'",
    "a digest is too great by what another is too small": """
        UPDATE kept SET digest = digest + iif(key = x'6b65792031', 1, -1)
        WHERE key IN (x'6b65792031', x'6b65792032')""",
}
ASKING: dict[str, Callable[[Store], object]] = {
    "for it": lambda store: store.get(b"key 1"),
    "for it and others": lambda store: store.get_all([b"key 3", b"key 1"]),
    "which keys there are": lambda store: store.keys(),
    "to save it": lambda store: store.take(200, {b"key 1": b"newer"}),
}


@pytest.mark.parametrize("asking", ASKING)
@pytest.mark.parametrize("offence", LEAF_OFFENCES)
def test_what_is_lost_on_a_leaf_is_not_taken_for_what_never_was(path: Path, offence: str, asking: str) -> None:
    statement(LEAF_OFFENCES[offence])(path)
    store = Store(path)
    assert (store.folded, store.get(b"key 3"), store.damaged) == (199, VALUES[b"key 3"], False)
    with pytest.raises(DamagedSnapshotError):
        ASKING[asking](store)
    assert store.damaged


VALUE_OFFENCES = {
    "the value is another": "UPDATE kept SET value = x'00' WHERE key = x'6b65792031'",
    "the value is that of another key": """
        UPDATE kept SET value = (SELECT value FROM kept WHERE key = x'6b65792032') WHERE key = x'6b65792031'""",
    "the value is no bytes": "UPDATE kept SET value = 1 WHERE key = x'6b65792031'",
}


@pytest.mark.parametrize("offence", VALUE_OFFENCES)
def test_a_damaged_value_is_found_when_it_is_read(path: Path, offence: str) -> None:
    statement(VALUE_OFFENCES[offence])(path)
    store = Store(path)
    assert store.get(b"key 2") == VALUES[b"key 2"]
    assert not store.damaged
    with pytest.raises(DamagedSnapshotError, match="the value of b'key 1' is not the one that was written"):
        store.get(b"key 1")
    assert store.damaged


@pytest.mark.parametrize("offence", VALUE_OFFENCES)
def test_a_damaged_value_is_found_when_it_is_read_with_others(path: Path, offence: str) -> None:
    statement(VALUE_OFFENCES[offence])(path)
    store = Store(path)
    others = keys_of(store) - {b"key 1"}
    assert store.get_all(others).keys() == others
    assert not store.damaged
    with pytest.raises(DamagedSnapshotError, match="the value of b'key 1' is not the one that was written"):
        store.get_all([b"key 2", b"key 1"])
    assert store.damaged


def test_a_table_that_cannot_be_written_to_is_damage_and_not_a_disk_that_takes_nothing(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size, page = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count"))
    whole = bytearray(path.read_bytes())
    for place in {whole.find(value) // size for value in VALUES.values() if len(value) > 50} - {0, -1}:
        whole[place * size : place * size + 100] = b"\xff" * 100
    path.write_bytes(whole)
    assert page > 2
    store = Store(path)
    assert store.folded == 199
    store.take(200, {b"key %d" % n: b"newer" for n in range(500)})
    with pytest.raises(DamagedSnapshotError, match="cannot be written"):
        store.write()
    assert store.damaged


def every_place(size: int) -> Iterator[int]:
    """Give places all over a file, more of them in its head."""
    yield from range(0, 120, 3)
    yield from range(120, size, 251)


def test_a_flipped_byte_anywhere_is_found_or_changes_nothing(path: Path) -> None:
    whole = path.read_bytes()
    found = {"at the opening": 0, "when it is read": 0, "nowhere": 0}
    for place in every_place(len(whole)):
        flipped = path.with_name("flipped.snapshot")
        flipped.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        store = Store(flipped)
        if store.folded < 0:
            found["at the opening"] += 1
        else:
            assert (store.folded, store.origin) == (199, ORIGIN)
            try:
                assert {key: store.get(key) for key in VALUES} == VALUES
                assert keys_of(store) == set(VALUES)
                found["nowhere"] += 1
            except DamagedSnapshotError:
                found["when it is read"] += 1
        store.close()
        for file in path.parent.glob("flipped*"):
            file.unlink()
    assert min(found.values()) > 0, found


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.binary(max_size=3), st.none() | st.binary(max_size=5)), min_size=1, max_size=6))
def test_any_saves_leave_what_a_mapping_would_hold(
    tmp_path_factory: pytest.TempPathFactory, saves: list[dict[bytes, bytes | None]]
) -> None:
    path = tmp_path_factory.mktemp("snapshots") / "any"
    expected: dict[bytes, bytes] = {}
    for folded, changed in enumerate(saves):
        store = Store(path)
        store.origin = ORIGIN
        store.save(folded, changed)
        store.close()
        for key, value in changed.items():
            if value is None:
                expected.pop(key, None)
            else:
                expected[key] = value
        again = Store(path)
        assert {key: again.get(key) for key in keys_of(again)} == expected
        assert again.get_all(expected) == expected
        assert again.folded == folded
        again.close()
