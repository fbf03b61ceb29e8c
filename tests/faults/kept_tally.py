"""The tally with its state in local snapshots."""

from collections.abc import Iterator, Mapping, Sequence

import orjson

from streams.engine.snapshots import Store
from tests.faults.tally import Account, Pending, Places, Tally


class KeptTally(Tally):
    """A tally whose accounts are kept in snapshots, and read from there when they are first asked for."""

    layout = "1"

    def __init__(self, places: Places, partitions: int, *, version: str = "1", majors: Sequence[int] = (1,)) -> None:
        super().__init__(places, partitions, version=version, majors=majors)
        self._store: Store | None = None
        self._touched: set[str] = set()

    def attach(self, store: Store) -> None:
        """Go on from what was saved."""
        self._store = store

    def draw(self) -> Iterator[None]:
        """Have nothing to do ahead."""
        yield from ()

    def changed(self) -> Mapping[bytes, bytes | None]:
        """Return the accounts that were asked for since the last call."""
        touched, self._touched = self._touched, set()
        return {name.encode(): _saved(self._accounts[name]) for name in touched}

    def account(self, negotiation: str) -> Account:
        """Return the state of a negotiation, which may change it."""
        self._touched.add(negotiation)
        return super().account(negotiation)

    def found(self, negotiation: str) -> Account:
        """Return what was saved of a negotiation."""
        saved = None if self._store is None else self._store.get(negotiation.encode())
        return Account() if saved is None else _restored(saved)


def _saved(account: Account) -> bytes:
    pending = {name: (one.due_ms, one.revision, one.warned) for name, one in account.deadlines.items()}
    seen = {name: content.hex() for name, content in account.seen.items()}
    return orjson.dumps((account.count, account.total, seen, pending))


def _restored(saved: bytes) -> Account:
    count, total, seen, pending = orjson.loads(saved)
    return Account(
        count,
        total,
        {name: bytes.fromhex(content) for name, content in seen.items()},
        {name: Pending(*one) for name, one in pending.items()},
    )
