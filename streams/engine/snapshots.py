"""The state of one ledger partition on the local disk: what a new start need not fold again.

It is a copy and never the truth. Whatever does not add up is thrown away and folded from the ledger: a flipped byte, a
lost row, a file of another ledger or fold version. So the file is written without waiting for the disk; after a loss of
power it may be damaged, and is found to be.

Each value has a digest over key and value, checked when the value is read. The file has a sum over all digests and
keys, checked when it is opened, so that a row that is missing, or has lost its name, is not taken for one that never
was.
"""

import fcntl
import json
import logging
import sqlite3
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Final, TypeVar

from streams.engine.moves import Origin

T = TypeVar("T")
log = logging.getLogger(__name__)

_FORMAT: Final = 2
_TERMS: Final = b"terms"
_SUM_MODULUS: Final = 1 << 128
_WAL_BYTES_MAX: Final = 64 << 20
_BUSY_S: Final = 0.5
# The index has what an opening needs, so that it does not read the values.
# Whoever writes in a thread gives the interpreter's lock away with each statement and each hash of more than 2,047
# bytes, and waits for it up to 5 ms in a busy process: so few statements, and small hashes.
_ROWS_AT_ONCE: Final = 300
_HASHED_AT_ONCE: Final = 2_000
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS kept (key BLOB NOT NULL, digest BLOB NOT NULL, value BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS digests ON kept (key, digest);
CREATE TABLE IF NOT EXISTS terms (line INTEGER PRIMARY KEY, value BLOB NOT NULL, digest BLOB NOT NULL);
"""


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
        self._digests: dict[bytes, bytes] = {}
        self._sum = 0
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
        if key in self._pending:
            return self._pending[key]
        if key not in self._digests:
            return None
        try:
            found = self._reader.execute("SELECT value FROM kept WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            raise self._damage(f"cannot read {key!r}: {error}") from error
        return self._verified(key, None if found is None else found[0])

    def items(self, prefix: bytes) -> dict[bytes, bytes]:
        """Return the values of the keys that begin so, with one question. DamagedSnapshotError as for one value."""
        pending = {key: value for key, value in self._pending.items() if key.startswith(prefix)}  # first, as in `get`
        try:
            rows = self._reader.execute(
                "SELECT key, value FROM kept WHERE key >= ? AND key < ?", (prefix, _after(prefix))
            ).fetchall()
        except sqlite3.Error as error:
            raise self._damage(f"cannot read what begins with {prefix!r}: {error}") from error
        found = {key: self._verified(key, value) for key, value in rows if key not in pending}
        return {**found, **{key: value for key, value in pending.items() if value is not None}}

    def keys(self, prefix: bytes = b"") -> Collection[bytes]:
        """Return the keys that begin so, in no order; it looks at every key of the store."""
        found = {key for key in list(self._digests) if key.startswith(prefix)}
        for key, value in self._pending.items():
            if value is None:
                found.discard(key)
            elif key.startswith(prefix):
                found.add(key)
        return found

    def take(self, folded: int, changed: Mapping[bytes, bytes | None]) -> None:
        """Take what has changed (None: it is gone) since the last time, for a state folded up to `folded`."""
        # what could not be written before is still to be written
        self._pending = {**self._pending, **changed}
        self._pending_folded = folded

    def write(self) -> None:
        """Write what was taken, all or nothing. OSError if the disk does not take it: it waits for the next time."""
        if self.origin is None:
            raise ValueError("expected the origin to be set before anything is saved")
        pending, folded = self._pending, self._pending_folded
        digests = {key: _digest(key, value) for key, value in pending.items() if value is not None}
        gone = [key for key, value in pending.items() if value is None and key in self._digests]
        before = {key: self._digests[key] for key in (*digests, *gone) if key in self._digests}
        total = (self._sum - _sum_of(before) + _sum_of(digests)) % _SUM_MODULUS
        count = len(self._digests) - len(before) + len(digests)
        fields = {
            "format": _FORMAT,
            "layout": self._layout,
            **asdict(self.origin),
            "folded": folded,
            "count": count,
            "sum": total,
        }
        terms = json.dumps(fields, sort_keys=True).encode()
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            for keys in _some(list(before)):
                places = ", ".join("?" * len(keys))
                self._writer.execute(f"DELETE FROM kept WHERE key IN ({places})", keys)  # noqa: S608 -- question marks
            for rows in _some([(key, digest, pending[key]) for key, digest in digests.items()]):
                places = ", ".join(["(?, ?, ?)"] * len(rows))
                self._writer.execute(
                    f"INSERT INTO kept VALUES {places}",  # noqa: S608 -- as above
                    list(chain.from_iterable(rows)),
                )
            self._writer.execute("REPLACE INTO terms VALUES (1, ?, ?)", (terms, _digest(_TERMS, terms)))
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise OSError(f"{self.path}: {error}") from error
        self._digests.update(digests)
        for key in gone:
            del self._digests[key]
        self._sum, self.folded = total, folded
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
        self._pending, self._digests, self._sum = {}, {}, 0
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
        self._writer.executescript(_SCHEMA)
        found = self._writer.execute("SELECT value, digest FROM terms WHERE line = 1").fetchone()
        digests = dict(self._reader.execute("SELECT key, digest FROM kept"))
        if found is None:
            if digests:
                raise DamagedSnapshotError("it does not say of what it is a snapshot")
            return
        value, digest = found
        if _digest(_TERMS, value) != digest:
            raise DamagedSnapshotError("what it says of itself is not what was written")
        terms = json.loads(value)
        if (terms.pop("format"), terms.pop("layout", None)) != (_FORMAT, self._layout):
            raise DamagedSnapshotError("it is laid out as another version does")
        count, total, folded = terms.pop("count"), terms.pop("sum"), terms.pop("folded")
        if (len(digests), _sum_of(digests)) != (count, total):
            raise DamagedSnapshotError(f"expected {count} values that add up, found {len(digests)} that do not")
        self._digests, self._sum, self.folded, self.origin = digests, total, folded, Origin(**terms)

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


def _digest(key: bytes, value: bytes) -> bytes:
    digest = blake2b(b"%d:%s" % (len(key), key), digest_size=16)
    for begin in range(0, len(value), _HASHED_AT_ONCE):
        digest.update(value[begin : begin + _HASHED_AT_ONCE])
    return digest.digest()


def _after(prefix: bytes) -> bytes:
    """Return the first key that is greater than all that begin so."""
    head = prefix.rstrip(b"\xff")
    if not head:
        raise ValueError(f"expected a prefix with an end, got {prefix!r}")
    return head[:-1] + bytes((head[-1] + 1,))


def _some(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """Give rows by the hundreds."""
    return (rows[begin : begin + _ROWS_AT_ONCE] for begin in range(0, len(rows), _ROWS_AT_ONCE))


def _sum_of(digests: Mapping[bytes, bytes]) -> int:
    """Return a sum that says whether these keys and digests are the same ones, in whatever order.

    A digest speaks of its key too, but at the opening of a file it is too dear to look at each value for that.
    """
    return (sum(map(int.from_bytes, digests.values())) + sum(map(zlib.crc32, digests))) % _SUM_MODULUS
