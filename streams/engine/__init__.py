"""Faust with batches and Kafka's fence: one transaction per batch, the cut as the only watermark.

A worker follows a ledger (a topic of immutable records with dense offsets), folds each partition with a
`Projection`, and writes what each record brings about: appended records, rows of tables, and the cut. For every
prefix of the ledger, what a read_committed reader sees is what a fold of that prefix brings about: nothing skipped,
nothing twice, nothing stale, under kill -9, pauses, rebalances and restarts of the broker. Faust keeps membership,
agents, tables, sensors and the worker process; recovery and commit are ours.

    config = EngineConfig(name="tally", bootstrap="127.0.0.1:9092", ledger="events", cuts="cuts", partitions=4,
                          tables={"sums": "sums"}, outputs=["out"], group="tally-1")
    run(build_app(config, lambda partition: Tally()))

## The commit, and what recovery does for a failure at each step

Per assigned partition, in this order; partitions go side by side. "Successor" is whoever is assigned next, be it
the same process after its restart.

 1. fence: initialise the producer with transactional id name.group.partition.
    Fails or dies here: nothing was done. Success fences every predecessor, and aborts what it left open.
 2. read the cut: the last committed one, by position, behind the fence; check it against the ledger (topic id, end,
    fold version). What is set aside is read with it. Count in each output topic what the transaction of that cut has
    left there, and what stands behind: if the cluster has torn a transaction apart, go on from the cut before it, and
    leave out in 6 what is there already. Dies here: nothing was done. Does not fit, or an output topic does not: exit
    70, 76 or 78, which a person has to look at.
 3. seek to what the projection has folded + 1 (0 for a new one; behind its snapshot where a `Kept` one has one that
    fits, else that is thrown away), then let the ledger flow.
    Every offset that arrives must be the next one, else exit 70 (hole) or 76 (went back).
 4. fold up to the cut, in silence. Dies here: the successor folds again; nothing was written. A value of the snapshot
    is not what was written: exit 73, the snapshot is thrown away.
 5. project a batch: everything that arrived while the last transaction was in flight, up to `batch_max`.
    Raises: exit 71; nothing of the batch is sent. Dies: the successor folds to the cut and projects it again, alike,
    since state is a function of the ledger.
 6. send outputs, rows and the cut in one transaction, to the partition number of the ledger partition. The cut says
    from which offset on how many records there are in each topic.
    Dies or fails here: exit 75; the transaction is open. The successor's fence aborts it at once, the broker does after
    `transaction_timeout`; until then read_committed readers wait. The successor projects the batch again.
 7. commit. Dies before the broker has it: as 6. Dies after, or the reply is lost: exit 75; the successor reads the
    new cut and goes on behind it.
 8. now and then save the state, which stands at the cut; the next batch (5), or, when the partition is revoked or
    SIGTERM came: release, after the batch in flight.

A record that makes the projection raise is named in the message of exit 71. `set_aside` is the way past it: it raises
the fence as in 1, reads the cut as in 2, refuses what lies before it, and commits its word beside the cut. So what is
set aside never changes under a worker, and everybody who folds the ledger leaves out the same records.

A zombie, paused anywhere and woken after its successor's step 1, has its next send or commit refused and exits with 75.

Exit codes are in `ExitCode`; 74 is the watchdog (nothing moved for `stall_timeout`). After 73, 74 and 75 start
the worker anew; after 70, 71, 76 and 78 the message says what a person has to decide.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from streams.engine.config import EngineConfig
from streams.engine.cut import Cut, UnreadableCutError, cut_key, decode_cut
from streams.engine.faults import ExitCode, Fault
from streams.engine.progress import Progress
from streams.engine.projection import Kept, Outputs, Projection, Record
from streams.engine.set_asides import SetAside, decode_set_aside, is_set_aside

if TYPE_CHECKING:
    from streams.engine.refusing import Refused
    from streams.engine.setting_aside import NotSetAside, set_aside
    from streams.engine.snapshots import DamagedSnapshotError, Store
    from streams.engine.worker import build_app, run

__all__ = [
    "Cut",
    "DamagedSnapshotError",
    "EngineConfig",
    "ExitCode",
    "Fault",
    "Kept",
    "NotSetAside",
    "Outputs",
    "Progress",
    "Projection",
    "Record",
    "Refused",
    "SetAside",
    "Store",
    "UnreadableCutError",
    "build_app",
    "cut_key",
    "decode_cut",
    "decode_set_aside",
    "is_set_aside",
    "run",
    "set_aside",
]


_LATER = {
    "build_app": "worker",
    "run": "worker",
    "NotSetAside": "setting_aside",
    "set_aside": "setting_aside",
    "DamagedSnapshotError": "snapshots",
    "Store": "snapshots",
    "Refused": "refusing",
}


def __getattr__(name: str) -> object:
    """Import what needs Faust, Kafka or SQLite when it is first asked for: who reads cuts does without."""
    if name in _LATER:
        return getattr(import_module(f"streams.engine.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
