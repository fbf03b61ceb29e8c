"""The parts of a state, each under a key: as objects while they are worked on, as bytes when they were put away.

A state grows with its ledger, what is worked on does not. So memory holds objects for the parts of late, and bytes for
the others, here or in a store that outlives the process.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, Self, TypeVar

LOADED_MAX = 10_000
"""How many parts are held as objects at least; up to twice as many before the older half is put away."""


class Part(Protocol):
    """Something that can be put away. Made without arguments it is empty."""

    def put_away(self) -> bytes:
        """Return it as bytes, from which it comes back the same."""

    @classmethod
    def taken_out(cls, data: bytes) -> Self:
        """Bring it back."""


class Store(Protocol):
    """Where parts outlive the process: what was saved there last."""

    def get(self, key: bytes) -> bytes | None:
        """Return the bytes under a key. None if there are none."""

    def keys(self, prefix: bytes) -> Iterable[bytes]:
        """Give the keys that begin with a prefix."""

    def get_all(self, keys: Iterable[bytes]) -> Mapping[bytes, bytes]:
        """Return the bytes under those of some keys that have any."""


P = TypeVar("P", bound=Part)


class Cabinet:
    """Parts by key. What is found stays the same object until `settle`, which an owner calls between two events."""

    def __init__(self, store: Store | None = None, loaded_max: int = LOADED_MAX) -> None:
        self._store = store
        self._loaded_max = loaded_max
        self._young: dict[str, Part] = {}
        self._old: dict[str, Part] = {}
        self._away: dict[str, bytes] = {}
        self._touched: dict[str, bytes | None] = {}  # with its bytes if they were drawn since

    def find(self, key: str, kind: type[P]) -> P | None:
        """Return the part under a key, None if there is none."""
        part = self._young.get(key)
        if part is None:
            part = self._old.pop(key, None)
            if part is None:
                data = self.read(key)
                if data is None:
                    return None
                part = kind.taken_out(data)
            self._young[key] = part
        return part  # type: ignore[return-value] # one key, one kind of part

    def to_change(self, key: str, kind: type[P]) -> P:
        """Return the part under a key, which is going to be changed; a new one where there was none."""
        self._touched.pop(key, None)  # what changes again and again is drawn after what does not
        self._touched[key] = None
        part = self.find(key, kind)
        if part is None:
            part = self._young[key] = kind()
        return part

    def read(self, key: str) -> bytes | None:
        """Return what was put away or saved under a key. None if there is nothing."""
        data = self._away.get(key)
        return self._store.get(key.encode()) if data is None and self._store is not None else data

    def read_all(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return what was saved under those of some keys that have anything."""
        found = {} if self._store is None else self._store.get_all([key.encode() for key in keys])
        return {key.decode(): data for key, data in found.items()}

    def keys(self, prefix: str) -> list[str]:
        """Return every key that begins with a prefix, sorted."""
        found = {key for held in (self._young, self._old, self._away) for key in held if key.startswith(prefix)}
        if self._store is not None:
            found.update(key.decode() for key in self._store.keys(prefix.encode()))
        return sorted(found)

    def settle(self) -> None:
        """Put the older half of the parts away when there are too many."""
        if len(self._young) <= self._loaded_max:
            return
        for key, part in self._old.items():
            if self._store is None or key in self._touched:
                self._away[key] = self._touched.get(key) or part.put_away()
        self._old, self._young = self._young, {}

    def draw(self) -> Iterator[None]:
        """Make bytes of the parts that were changed, one with each step, so that `changed` has less to do.

        Drawn from between two events; what is changed after that is made bytes of again.
        """
        for key, drawn in self._touched.items():
            if drawn is None:
                self._touched[key] = self._as_bytes(key)
                yield

    def changed(self) -> Mapping[str, bytes]:
        """Return the parts that were changed since the last call, to be saved in the store before the next one."""
        found = {key: drawn or self._as_bytes(key) for key, drawn in self._touched.items()}
        self._touched.clear()
        if self._store is not None:
            self._away.clear()
        return found

    def _as_bytes(self, key: str) -> bytes:
        part = self._young.get(key) or self._old.get(key)
        return self._away[key] if part is None else part.put_away()
