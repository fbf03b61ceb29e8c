"""What a user of the engine writes: a projection of one ledger partition."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from streams.engine.snapshots import Store

Headers = Sequence[tuple[str, bytes]]
Entry = tuple[bytes | None, bytes | None, Headers]
"""The key, value and headers of one record that is to be sent."""


class Record(Protocol):
    """One record of the ledger, as the consumer delivers it; `timestamp` is in milliseconds since the epoch."""

    @property
    def partition(self) -> int: ...  # noqa: D102  the class says it
    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int: ...  # noqa: D102
    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def headers(self) -> Headers: ...  # noqa: D102


class Outputs(Protocol):
    """Collects what a batch brings about; everything in it leaves in one transaction, or not at all.

    All of it goes to the partition number of the ledger partition.
    """

    def append(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = ()) -> None:
        """Append one record to an output topic, in order."""

    def row(self, table: str, key: bytes, value: bytes | None) -> None:
        """Set the row `key` of `table`, or delete it (None); of several with one key in a batch the last is sent."""


class Projection(Protocol):
    """The fold of one ledger partition, and the outputs that each record of it brings about.

    One object per assigned partition, called from one thread, with records in order and without holes. It must be a
    function of the records alone: after a crash another process folds them again and goes on from where the outputs
    end. An exception from any method stops the worker before anything of the batch is committed. Records are taken one
    after the other, so that the message can name the one that raised.
    """

    @property
    def version(self) -> str:
        """Fold version; it is stored in every cut, and a cut of another version stops the worker."""

    def fold(self, records: Sequence[Record]) -> None:
        """Fold records whose outputs are committed already: in silence."""

    def project(self, records: Sequence[Record], outputs: Outputs) -> None:
        """Fold records and append what they bring about."""

    def set_aside(self, record: Record, outputs: Outputs) -> None:
        """Leave a record out that a person has set aside: append the word that it was passed, and fold nothing."""


@runtime_checkable
class Kept(Protocol):
    """A projection whose state can be kept on the local disk, so that a new start need not fold all of it again."""

    @property
    def layout(self) -> str:
        """How the state is laid out as keys and values; what was saved in another layout is thrown away."""

    def attach(self, store: "Store") -> None:
        """Begin with what is in the store; called once, before anything is folded, also when it is empty.

        The projection has then folded up to `store.folded`. It may read values later, whenever it needs them: what it
        told to be changed is found there at once.
        """

    def draw(self) -> Iterator[None]:
        """Make bytes of what has changed, ahead of `changed`, a little with each step, so that it has less to do.

        Drawn from between two batches, and left when it has taken long enough; what has nothing to do yields nothing.
        """

    def changed(self) -> Mapping[bytes, bytes | None]:
        """Return what has changed since the last call, as it is now; None: the key is gone.

        Called between two batches, which wait for it.
        """
