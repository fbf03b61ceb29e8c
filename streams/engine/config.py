"""Settings of one worker process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

STOP_POINTS = frozenset(
    {
        "after_fence",
        "after_cut_read",
        "after_fold",
        "after_project",
        "after_send_before_commit",
        "after_commit",
    }
)

SNAPSHOT_WORK: Final = 0.3
SNAPSHOT_WITHIN: Final = 5.0
PORT_NOTE: Final = "status-port"
"""Name of the file beside the snapshots in which a worker leaves the number of its status port."""
FETCH_BYTES_MAX: Final = 4 << 20
UNNAMED: Final = "unnamed"
"""What a worker without an instance is called, by the broker and in the folder of its snapshots."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where the snapshot of a ledger partition lies and when it is written; times are in seconds.

    path: its file
    work: it is written when a new start would have to fold this long again (but saving costs no more than half as much
        as the work); with nothing to do, after a tenth of that (and costs no more than the work),
    within: or at the first commit after this long; both are half as much again where it is another partition's turn
    patience: how long the last snapshot of all is waited for
    """

    path: Path
    work: float = SNAPSHOT_WORK
    within: float = SNAPSHOT_WITHIN
    patience: float = 5.0


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What a worker needs to know; times are in seconds, sizes in records unless the name says otherwise.

    All topics must exist and have `partitions` partitions; the engine creates none.

    name: prefix of the transactional ids, the same for every worker that writes these outputs
    bootstrap: Kafka servers, "host:port[,host:port]"
    ledger: the topic that is followed; delete policy, unlimited retention, never written in transactions
    cuts: compacted topic of the cuts
    tables: row topic (compacted) of each table, by the table's name
    outputs: the topics that the projection appends to; nobody else writes there, and none is compacted
    group: consumer group, and part of the transactional ids
    instance_id: static membership; None joins anew with each start
    session_timeout: a silent worker's partitions go to others after this long; the broker's floor is usually 6
    transaction_timeout: the broker aborts a transaction that is open this long; readers wait for it no longer
    batch_max: most records in one transaction
    slice_max: most records projected in one go, before other partitions and the network get a turn,
    slice_within: and how long that may take; the size of a slice follows from what the last one took
    waiting_max: most records waiting per partition before fetching it pauses,
    waiting_bytes_max: and most bytes, as the broker sends them, and one fetch more; a transaction is made of no more
    request_timeout: a take-over that lasts this long has failed, and so has the wait for a place in the group; a single
        request waits a third of it, so that a broker that stands still and is asked first leaves time to ask the next
    stall_timeout: the worker exits if work is waiting and nothing moved for this long
    status_port: serve /readyz and /status on 127.0.0.1 at this port (0 picks a free one, None serves nothing); its
        number is left in a file beside the snapshots
    data_directory: where snapshots and the frame's files are kept; nothing of value is there
    snapshot_work, snapshot_within: `work` and `within` of `Keeping`
    set_aside_hint: how a person sets a record aside, for messages; {partition} and {offset} stand for its place
    stop_at: for tests alone: kill -9 this process at a point of the protocol, "NAME" or "NAME:N" for the Nth time there
    """

    name: str
    bootstrap: str
    ledger: str
    cuts: str
    tables: Mapping[str, str]
    partitions: int
    group: str
    outputs: Sequence[str] = ()
    instance_id: str | None = None
    session_timeout: float = 8.0
    transaction_timeout: float = 10.0
    batch_max: int = 8_000
    slice_max: int = 2_000
    slice_within: float = 0.02
    waiting_max: int = 32_000
    waiting_bytes_max: int = 64 << 20
    request_timeout: float = 60.0
    stall_timeout: float = 60.0
    status_port: int | None = None
    data_directory: str = ".faust"
    snapshot_work: float = SNAPSHOT_WORK
    snapshot_within: float = SNAPSHOT_WITHIN
    set_aside_hint: str = "set_aside(config, {partition}, {offset}, reason)"
    stop_at: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.partitions < 1:
            raise ValueError(f"expected at least 1 partition, got {self.partitions}")
        if self.stop_at is not None and self.stop_at.partition(":")[0] not in STOP_POINTS:
            raise ValueError(f"expected stop_at to be one of {', '.join(sorted(STOP_POINTS))}, got {self.stop_at!r}")
        if self.session_timeout >= self.request_timeout:
            raise ValueError(
                f"expected session_timeout below request_timeout, got {self.session_timeout} and {self.request_timeout}"
            )

    def transactional_id(self, partition: int) -> str:
        """Transactional id of a ledger partition: whoever initialises it last is the only one that can commit."""
        return f"{self.name}.{self.group}.{partition}"

    @property
    def request_timeout_ms(self) -> int:
        """How long a single request may take, in milliseconds."""
        return int(self.request_timeout * 1000) // 3

    @property
    def instance_folder(self) -> Path:
        """Where what this instance keeps lies."""
        name = UNNAMED if self.instance_id is None else f"instance-{quote(self.instance_id, safe='')}"
        return Path(self.data_directory) / name

    def keeping(self, partition: int) -> Keeping:
        """Snapshot of a ledger partition: one for each instance and each set of outputs."""
        path = self.instance_folder / f"{quote(self.transactional_id(partition), safe='')}.snapshot"
        return Keeping(path, self.snapshot_work, self.snapshot_within, self.transaction_timeout / 2)
