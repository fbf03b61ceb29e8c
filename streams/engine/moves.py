"""The words of the protocol: the state of one partition, what can happen to it, and what can be done about it."""

from dataclasses import dataclass
from enum import Enum, auto

from streams.engine.cut import Cut
from streams.engine.faults import Fault


class Stage(Enum):
    """Where a partition stands between assignment and release."""

    NEW = auto()
    FENCING = auto()
    READING_CUT = auto()
    WAITING = auto()
    """Everything that arrived is folded; the next record is awaited."""
    FOLDING = auto()
    PROJECTING = auto()
    SENDING = auto()
    COMMITTING = auto()
    CLOSED = auto()
    """Released or exited; nothing is performed any more."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a state is a fold of, and by which fold version. States of different origins have nothing in common.

    cuts_id: the broker's id of the topic of cuts, where it is told as well which records are set aside
    """

    topic: str
    topic_id: str | None
    partition: int
    version: str
    cuts_id: str | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What stays the same for a partition: its ledger, the fold version, and the most records a batch may hold."""

    topic: str
    partition: int
    version: str
    batch_max: int

    @property
    def place(self) -> str:
        """Ledger topic and partition, for messages."""
        return f"{self.topic}/{self.partition}"

    def origin(self, topic_id: str | None, cuts_id: str | None) -> Origin:
        """Return the origin of a state that is folded under these terms, from topics with these ids."""
        return Origin(self.topic, topic_id, self.partition, self.version, cuts_id)


@dataclass(frozen=True, slots=True)
class State:
    """State of the protocol. All offsets are those of the last record concerned, -1 before the first.

    folded: the projection has taken this one (held from before, folded in silence, or projected)
    origin: what a state that was held from before is a fold of
    cut: committed outputs are complete up to here
    arrived: accepted from the ledger up to here; `arrived - folded` records are waiting
    aside: what is set aside; fixed from the reading of the cut on, because whoever sets aside raises the fence too
    leaving: the partition is revoked and is released as soon as the batch in flight is committed
    """

    terms: Terms
    stage: Stage = Stage.NEW
    folded: int = -1
    origin: Origin | None = None
    cut: int = -1
    arrived: int = -1
    aside: frozenset[int] = frozenset()
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class LedgerBounds:
    """The ledger partition as the broker has it: first offset, offset after the last record, and the topic's id."""

    begin: int
    end: int
    topic_id: str | None


# Events: what happened.


@dataclass(frozen=True, slots=True)
class Assigned:
    """The partition is ours; a state from before, in memory or in a snapshot, has folded up to `held` (-1: none)."""

    held: int = -1
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Fenced:
    """Our producer is initialised: no earlier one can commit any more, and what it left open is aborted."""


@dataclass(frozen=True, slots=True)
class CutRead:
    """What was read after the fence: the last committed cut (None: there never was one), the ledger, the set-asides.

    cuts_id: the broker's id of the topic where cut and set-asides stand
    """

    cut: Cut | None
    ledger: LedgerBounds
    aside: frozenset[int] = frozenset()
    cuts_id: str | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """Records with these offsets came from the ledger, in this order."""

    offsets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Folded:
    """The projection has folded the commanded records in silence."""


@dataclass(frozen=True, slots=True)
class Projected:
    """The projection has appended the outputs of the commanded records."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The broker has acknowledged every output and the cut inside the open transaction."""


@dataclass(frozen=True, slots=True)
class Committed:
    """The broker has acknowledged the commit of the transaction."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """The partition is taken away, or the worker is asked to leave."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Something went wrong outside."""

    fault: Fault


Event = Assigned | Fenced | CutRead | Arrived | Folded | Projected | Sent | Committed | Revoked | Failed


# Commands: what is to be done, in order. `Fence`, `ReadCut`, `Fold`, `Project`, `Send` and `Commit` are each answered
# by one event, the others by none.


@dataclass(frozen=True, slots=True)
class Fence:
    """Initialise the transactional producer of this partition; answered by `Fenced`."""


@dataclass(frozen=True, slots=True)
class ReadCut:
    """Read the last committed cut and the set-asides, by position, and the ledger's bounds; answered by `CutRead`."""


@dataclass(frozen=True, slots=True)
class Renew:
    """Throw the state from before away, and its snapshot with it: begin with an empty one."""


@dataclass(frozen=True, slots=True)
class Seek:
    """Let the ledger flow from this offset."""

    offset: int


@dataclass(frozen=True, slots=True)
class Fold:
    """Fold the records first..last in silence, but for those set aside; answered by `Folded`."""

    first: int
    last: int
    aside: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """Project the records first..last, and pass those set aside with a word; answered by `Projected`."""

    first: int
    last: int
    aside: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Send:
    """Open a transaction, send all outputs of the batch and a cut at `offset`; answered by `Sent`."""

    offset: int


@dataclass(frozen=True, slots=True)
class Commit:
    """Commit the open transaction; answered by `Committed`."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The projection has reached the cut: from here on new records are projected."""


@dataclass(frozen=True, slots=True)
class Save:
    """The state stands at this offset, whose outputs are committed: it may be saved. `last`: now or never."""

    offset: int
    last: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """Close the producer; no transaction is open."""


@dataclass(frozen=True, slots=True)
class Exit:
    """End the process at once, without committing anything."""

    fault: Fault


Command = Fence | ReadCut | Renew | Seek | Fold | Project | Send | Commit | Ready | Save | Release | Exit
