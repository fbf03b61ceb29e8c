"""Snapshots as files: how far one goes, and how one is damaged."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

NOTHING = -1


def saved_up_to(path: Path) -> int:
    """Return how far a snapshot goes that another process holds."""
    if not path.exists():
        return NOTHING
    try:
        with closing(sqlite3.connect(path)) as connection:
            found = connection.execute("SELECT value FROM terms WHERE line = 1").fetchone()
    except sqlite3.OperationalError:  # it is being made
        return NOTHING
    return NOTHING if found is None else int(json.loads(found[0])["folded"])


def flipped(path: Path) -> None:
    """Flip a bit of a digest, wherever it stands: in the table and in its index."""
    with closing(sqlite3.connect(path)) as connection:
        digest = connection.execute("SELECT digest FROM kept LIMIT 1").fetchone()[0].to_bytes(8, signed=True)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(digest, bytes([digest[0] ^ 1]) + digest[1:]))
