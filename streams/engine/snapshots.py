"""The state of one ledger partition on the local disk: what a new start need not fold again.

It is a copy and never the truth. Whatever does not add up is thrown away and folded from the ledger: a flipped byte, a
lost row, a file of another ledger or fold version. So the file is written without waiting for the disk; after a loss of
power it may be damaged, and is found to be.

Each value has a digest over key and value, checked when the value is read. The digests have a sum, checked by SQLite
when the file is opened. Keys are spread over leaves, and each leaf has a sum over its digests and keys, checked when
the first of its keys is asked for: so a row that SQLite's tree does not lead to, or that has lost its name, is not
taken for one that never was.
"""

import fcntl
import json
import logging
import sqlite3
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeVar

from streams.engine.moves import Origin

T = TypeVar("T")
log = logging.getLogger(__name__)

_FORMAT: Final = 4
_TERMS: Final = b"terms"
_SUMS: Final = b"sums"
_LEAVES: Final = 1 << 14
_SUM_MODULUS: Final = 1 << 64
_SUM_BYTES: Final = 8
_WAL_BYTES_MAX: Final = 64 << 20
_BUSY_S: Final = 0.5
# Whoever writes in a thread gives the interpreter's lock away with each statement and each hash of more than 2,047
# bytes, and waits for it up to 5 ms in a busy process: so few statements, and small hashes.
_ROWS_AT_ONCE: Final = 300
_ROWS_BETWEEN_RESTS: Final = 50
_HASHED_AT_ONCE: Final = 2_000
# The index has what is checked, so that checking does not read the values.
_SCHEMA: Final = f"""
CREATE TABLE kept (
    leaf INTEGER NOT NULL, key BLOB NOT NULL, digest INTEGER NOT NULL, value BLOB NOT NULL
);
CREATE INDEX digests ON kept (leaf, key, digest);
CREATE TABLE terms (line INTEGER PRIMARY KEY, value BLOB NOT NULL, digest INTEGER NOT NULL);
PRAGMA user_version = {_FORMAT};
"""
_OTHERWISE: Final = "it is laid out as another version does"
# a sum of halves does not overflow
_COUNTED: Final = "SELECT count(*), sum(digest >> 32), sum(digest & 4294967295) FROM kept"


class DamagedSnapshotError(Exception):
    """A snapshot is not as it was written. It is thrown away, and whoever used it must start anew."""


# what reading a file that is damaged anywhere may raise
_DAMAGE: Final = (sqlite3.Error, DamagedSnapshotError, TypeError, ValueError, KeyError)


class Store:
    """The snapshot of one ledger partition: values by key, up to which offset they are folded, and of what.

    `folded` is the offset of the last record that is in it, -1 when there is none; `origin` is the ledger and the fold
    version. One thread reads; one may write meanwhile, and what is being written is read already.
    """

    def __init__(self, path: Path, layout: str = "") -> None:
        """Open and verify the file, or make one; what is damaged, or laid out in another way, is thrown away.

        OSError if it cannot be used: another process holds it, or the disk takes nothing.
        """
        self.path = path
        self._layout = layout
        self.folded = -1
        self.origin: Origin | None = None
        self.damaged = False
        self._pending: Mapping[bytes, bytes | None] = {}
        self._pending_folded = -1
        self._digests: dict[bytes, int] = {}  # of the leaves that are at hand
        self._at_hand = bytearray(_LEAVES)
        self._sums = bytes(_LEAVES * _SUM_BYTES)
        self._count = self._total = 0
        self._connections: list[sqlite3.Connection] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = path.with_name(f"{path.name}.lock").open("ab")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._open()
        except OSError:
            self._lock.close()
            raise
        except _DAMAGE as error:
            log.warning("%s cannot be used (%s): thrown away, the state is folded from the ledger", path, error)
            self.discard()

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key, None if it has none. DamagedSnapshotError if it is not what was written."""
        pending = self._pending  # first: what is no longer in it is in the file
        if key in pending:
            return pending[key]
        if not self._has(key):
            return None
        question = "SELECT value FROM kept WHERE leaf = ? AND key = ?"
        try:
            found = self._reader.execute(question, (_leaf(key), key)).fetchone()
        except sqlite3.Error as error:
            raise self._damage(f"cannot read {key!r}: {error}") from error
        return self._verified(key, None if found is None else found[0])

    def get_all(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return the values of those keys that have one, with few questions. DamagedSnapshotError as for one value."""
        pending, keys = self._pending, list(keys)  # in this order, as in `get`
        found = {key: value for key in keys if (value := pending.get(key)) is not None}
        asked = [key for key in keys if key not in pending and self._has(key)]
        for some in _some(asked):
            question = f"SELECT key, value FROM {_among(some)}"  # noqa: S608 -- question marks
            try:
                rows = dict(self._reader.execute(question, _flat((_leaf(key), key) for key in some)).fetchall())
            except sqlite3.Error as error:
                raise self._damage(f"cannot read {len(some)} values: {error}") from error
            found.update((key, self._verified(key, rows.get(key))) for key in some)
        return found

    def keys(self, prefix: bytes = b"") -> Collection[bytes]:
        """Return the keys that begin so, in no order; it looks at every key of the store."""
        self._all_at_hand()
        pending = self._pending  # first, as in `get`
        found = {key for key in list(self._digests) if key.startswith(prefix)}
        for key, value in pending.items():
            if value is None:
                found.discard(key)
            elif key.startswith(prefix):
                found.add(key)
        return found

    def take(self, folded: int, changed: Mapping[bytes, bytes | None]) -> None:
        """Take what has changed (None: it is gone) since the last time, for a state folded up to `folded`."""
        for key in changed:  # here and not in `write`: a leaf that is loaded meanwhile is one that it does not touch
            self._has(key)
        # what could not be written before is still to be written
        self._pending = {**self._pending, **changed}
        self._pending_folded = folded

    def write(self, rest: Callable[[], None] | None = None) -> None:
        """Write what was taken, all or nothing. OSError if the disk does not take it: it waits for the next time.

        With a `rest`, which is called after each, the work is done in smaller pieces. DamagedSnapshotError if the file
        is none that can be written to.
        """
        if self.origin is None:
            raise ValueError("expected the origin to be set before anything is saved")
        pending, folded = self._pending, self._pending_folded
        digests: dict[bytes, int] = {}
        for some in _pieces(list(pending.items()), rest):
            digests.update((key, _digest(key, value)) for key, value in some if value is not None)
        before = {key: self._digests[key] for key in pending if key in self._digests}
        count = self._count - len(before) + len(digests)
        total = self._total - sum(before.values()) + sum(digests.values())
        sums = _with_sums(self._sums, before, digests)
        fields = {
            "layout": self._layout,
            **asdict(self.origin),
            "folded": folded,
            "count": count,
            "total": total,
            "sums": _digest(_SUMS, sums),
        }
        terms = json.dumps(fields, sort_keys=True).encode()
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            for keys in _pieces(list(before), rest):
                self._writer.execute(
                    f"DELETE FROM kept WHERE rowid IN (SELECT kept.rowid FROM {_among(keys)})",  # noqa: S608 -- as above
                    _flat((_leaf(key), key) for key in keys),
                )
            for new in _pieces(list(digests.items()), rest):
                self._writer.execute(
                    f"INSERT INTO kept VALUES {_places(new, 4)}",  # noqa: S608 -- as above
                    _flat((_leaf(key), key, digest, pending[key]) for key, digest in new),
                )
            lines = ((1, terms, _digest(_TERMS, terms)), (2, sums, fields["sums"]))
            self._writer.execute("REPLACE INTO terms VALUES (?, ?, ?), (?, ?, ?)", _flat(lines))
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                raise self._damage(f"cannot be written: {error}") from error
            raise OSError(f"{self.path}: {error}") from error
        self._digests.update(digests)
        for key in before.keys() - digests.keys():
            del self._digests[key]
        self._sums, self._count, self._total, self.folded = sums, count, total, folded
        self._pending = {}  # last: until here readers find in it what the digests do not know yet

    def save(self, folded: int, changed: Mapping[bytes, bytes | None]) -> None:
        """Take and write."""
        self.take(folded, changed)
        self.write()

    def discard(self) -> None:
        """Throw everything away and begin with nothing. OSError if the file cannot be made."""
        self._disconnect()
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        self.folded, self.origin, self.damaged = -1, None, False
        self._pending, self._digests, self._at_hand = {}, {}, bytearray(_LEAVES)
        self._sums, self._count, self._total = bytes(_LEAVES * _SUM_BYTES), 0, 0
        try:
            self._open()
        except _DAMAGE as error:
            raise OSError(f"{self.path}: cannot be made: {error}") from error

    def close(self) -> None:
        """Let go of the file."""
        self._disconnect()
        self._lock.close()

    def _open(self) -> None:
        self._writer, self._reader = self._connect(), self._connect()
        if not self._reader.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            self._writer.executescript(_SCHEMA)
        if self._reader.execute("PRAGMA user_version").fetchone() != (_FORMAT,):
            raise DamagedSnapshotError(_OTHERWISE)
        lines = {line: said for line, *said in self._reader.execute("SELECT line, value, digest FROM terms")}
        count, high, low = self._reader.execute(_COUNTED).fetchone()
        if not lines:
            if count:
                raise DamagedSnapshotError("it does not say of what it is a snapshot")
            self._at_hand = bytearray(b"\1") * _LEAVES
            return
        (stated, digest), (sums, _) = lines[1], lines[2]
        if _digest(_TERMS, stated) != digest:
            raise DamagedSnapshotError("what it says of itself is not what was written")
        terms = json.loads(stated)
        if terms.pop("layout", None) != self._layout:
            raise DamagedSnapshotError(_OTHERWISE)
        if _digest(_SUMS, sums) != terms.pop("sums"):
            raise DamagedSnapshotError("the sums of its leaves are not those that were written")
        self._count, self._total, folded = terms.pop("count"), terms.pop("total"), terms.pop("folded")
        if (count, ((high or 0) << 32) + (low or 0)) != (self._count, self._total):
            raise DamagedSnapshotError(f"expected {self._count} values that add up, found {count} that do not")
        self._sums, self.folded, self.origin = sums, folded, Origin(**terms)

    def _has(self, key: bytes) -> bool:
        """Return whether a key has a value in the file. DamagedSnapshotError if what is on its leaf does not add up."""
        leaf = _leaf(key)
        if not self._at_hand[leaf]:
            try:
                self._take_leaf(leaf, self._reader.execute("SELECT key, digest FROM kept WHERE leaf = ?", (leaf,)))
            except sqlite3.Error as error:
                raise self._damage(f"cannot read what is beside {key!r}: {error}") from error
        return key in self._digests

    def _all_at_hand(self) -> None:
        if all(self._at_hand):
            return
        on_leaf: dict[int, list[tuple[bytes, int]]] = {}
        try:
            for leaf, key, digest in self._reader.execute("SELECT leaf, key, digest FROM kept"):
                on_leaf.setdefault(leaf, []).append((key, digest))
        except sqlite3.Error as error:
            raise self._damage(f"cannot read which keys there are: {error}") from error
        for leaf, (its, here) in enumerate(zip(memoryview(self._sums).cast("Q"), self._at_hand, strict=True)):
            rows = on_leaf.pop(leaf, ())
            if not here and (its or rows):
                self._take_leaf(leaf, rows)
        if on_leaf:
            raise self._damage(f"there is no leaf {next(iter(on_leaf))!r}")
        self._at_hand = bytearray(b"\1") * _LEAVES

    def _take_leaf(self, leaf: int, rows: Iterable[tuple[bytes, int]]) -> None:
        digests = dict(rows)
        try:
            found = _sum_of(digests)
        except TypeError:  # what is no key or no digest
            found = None
        if found != _sum_at(self._sums, leaf):
            raise self._damage(f"what is on leaf {leaf} does not add up")
        self._digests.update(digests)
        self._at_hand[leaf] = 1

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        self._connections.append(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES_MAX}")
        return connection

    def _disconnect(self) -> None:
        while self._connections:
            self._connections.pop().close()

    def _verified(self, key: bytes, value: object) -> bytes:
        """Return a value as the file has it. DamagedSnapshotError if it is not what was written."""
        if not isinstance(value, bytes) or _digest(key, value) != self._digests.get(key):
            raise self._damage(f"the value of {key!r} is not the one that was written")
        return value

    def _damage(self, what: str) -> DamagedSnapshotError:
        self.damaged = True
        return DamagedSnapshotError(f"{self.path}: {what}")


def _digest(key: bytes, value: bytes) -> int:
    digest = blake2b(b"%d:%s" % (len(key), key), digest_size=_SUM_BYTES)
    for begin in range(0, len(value), _HASHED_AT_ONCE):
        digest.update(value[begin : begin + _HASHED_AT_ONCE])
    return int.from_bytes(digest.digest(), signed=True)


def _leaf(key: bytes) -> int:
    return zlib.crc32(key) % _LEAVES


def _sum_at(sums: bytes, leaf: int) -> int:
    return int.from_bytes(sums[leaf * _SUM_BYTES : (leaf + 1) * _SUM_BYTES])


def _sum_of(digests: Mapping[bytes, int]) -> int:
    """Return a sum that says whether these keys and digests are the same ones, in whatever order.

    A digest speaks of its key too, but only whoever has the value can tell.
    """
    return (sum(digests.values()) + sum(map(zlib.crc32, digests))) % _SUM_MODULUS


def _with_sums(sums: bytes, before: Mapping[bytes, int], after: Mapping[bytes, int]) -> bytes:
    """Return the sums of all leaves with some digests in the place of others."""
    changed: dict[int, int] = {}
    for digests, sign in ((before, -1), (after, 1)):
        for key, digest in digests.items():
            leaf = _leaf(key)
            changed[leaf] = changed.get(leaf, 0) + sign * (digest + zlib.crc32(key))
    written = bytearray(sums)
    for leaf, more in changed.items():
        its = (_sum_at(sums, leaf) + more) % _SUM_MODULUS
        written[leaf * _SUM_BYTES : (leaf + 1) * _SUM_BYTES] = its.to_bytes(_SUM_BYTES)
    return bytes(written)


def _some(rows: Sequence[T], count: int = _ROWS_AT_ONCE) -> Iterator[Sequence[T]]:
    """Give rows by the hundreds."""
    return (rows[begin : begin + count] for begin in range(0, len(rows), count))


def _pieces(rows: Sequence[T], rest: Callable[[], None] | None) -> Iterator[Sequence[T]]:
    """Give rows as `_some` does; fewer at a time, and a rest after each time, if there is one."""
    for some in _some(rows, _ROWS_AT_ONCE if rest is None else _ROWS_BETWEEN_RESTS):
        yield some
        if rest is not None:
            rest()


def _places(rows: Sequence[object], columns: int) -> str:
    """Return as many question marks as these rows have columns."""
    return ", ".join(["(" + ", ".join("?" * columns) + ")"] * len(rows))


def _among(keys: Sequence[bytes]) -> str:
    """Return what of the file belongs to so many keys, given as pairs of leaf and key."""
    return f"(VALUES {_places(keys, 2)}) AS asked CROSS JOIN kept ON leaf = asked.column1 AND key = asked.column2"


def _flat(rows: Iterable[tuple[object, ...]]) -> list[Any]:
    return list(chain.from_iterable(rows))
