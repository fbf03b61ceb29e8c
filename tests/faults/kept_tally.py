"""The tally with its state in local snapshots."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import orjson

from streams.engine.snapshots import Store
from tests.faults.tally import Account, Pending, Places, Tally


class KeptTally(Tally):
    """A tally whose accounts are kept in snapshots, and read from there when they are first asked for.

    `on_taken` is told with each snapshot how often an account that was drawn ahead of it was asked for again.
    """

    layout = "1"

    def __init__(
        self,
        places: Places,
        partitions: int,
        *,
        version: str = "1",
        majors: Sequence[int] = (1,),
        on_taken: Callable[[int], None] = lambda _: None,
    ) -> None:
        super().__init__(places, partitions, version=version, majors=majors)
        self._store: Store | None = None
        self._touched: dict[str, bytes | None] = {}  # with its bytes if they were drawn since
        self._again = 0
        self._on_taken = on_taken

    def attach(self, store: Store) -> None:
        """Go on from what was saved."""
        self._store = store

    def draw(self) -> Iterator[None]:
        """Make bytes of the accounts that were asked for, one with each step."""
        for name, drawn in self._touched.items():
            if drawn is None:
                self._touched[name] = _saved(self._accounts[name])
                yield

    def changed(self) -> Mapping[bytes, bytes | None]:
        """Return the accounts that were asked for since the last call."""
        touched, self._touched = self._touched, {}
        again, self._again = self._again, 0
        self._on_taken(again)
        return {name.encode(): drawn or _saved(self._accounts[name]) for name, drawn in touched.items()}

    def account(self, negotiation: str) -> Account:
        """Return the state of a negotiation, which may change it."""
        if self._touched.get(negotiation) is not None:
            self._again += 1
        self.touch(negotiation)
        return super().account(negotiation)

    def touch(self, negotiation: str) -> None:
        """Have an account drawn again, after those that do not change as often."""
        self._touched.pop(negotiation, None)
        self._touched[negotiation] = None

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
