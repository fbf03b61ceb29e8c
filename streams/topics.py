"""Parley's topics: what each holds, how Kafka must keep it, and where a key belongs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from aiokafka.partitioner import murmur2

_MIB: Final = 1 << 20

BATCH_BYTES_MAX: Final = _MIB
"""The longest batch of records that a producer may send: what Kafka bounds is the batch."""
_DEAD_LETTER_BATCH_BYTES_MAX: Final = 2 * _MIB  # any record that the ledger took, and why it could not be read

OUTPUTS_MARK: Final = "+"
"""Stands between the prefix of an installation and the name of a set of outputs; no prefix has it."""

_NEVER: Final = "-1"
_A_DAY_MS: Final = str(24 * 3_600_000)
AT_LEAST: Final = frozenset({"delete.retention.ms", "max.message.bytes", "min.insync.replicas"})
"""Settings of which more than is expected is right as well."""

_APPENDED: Final = MappingProxyType(
    {"cleanup.policy": "delete", "retention.ms": _NEVER, "retention.bytes": _NEVER, "segment.bytes": str(256 * _MIB)}
)
# the segment that is being written is never compacted, so it has to end soon
_COMPACTED: Final = MappingProxyType(
    {
        "cleanup.policy": "compact",
        "segment.bytes": str(4 * _MIB),
        "segment.ms": "60000",
        "min.cleanable.dirty.ratio": "0.05",
        "max.compaction.lag.ms": "600000",
    }
)


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of every installation; its full name begins with the installation's prefix.

    What is `derived` from the ledger there may be several sets of, each with a name between prefix and suffix.
    """

    suffix: str
    key: str
    holds: str
    derived: bool = True
    compacted: bool = False
    log_append_time: bool = False
    batch_bytes_max: int = BATCH_BYTES_MAX

    @property
    def kind(self) -> str:
        """The short name, which is that of the table for people: `measures`."""
        return self.suffix.split(".")[0]

    def name(self, prefix: str) -> str:
        """Return the name on Kafka: `parley.events.v1`; in the set `parley+blue` `parley.blue.changes.v1`."""
        first, _, outputs = prefix.partition(OUTPUTS_MARK)
        return f"{first}.{outputs}.{self.suffix}" if outputs and self.derived else f"{first}.{self.suffix}"

    def settings(self, replication: int) -> Mapping[str, str]:
        """Return what it is created with."""
        return {**(_COMPACTED if self.compacted else _APPENDED), **self.obligations(replication)}

    def obligations(self, replication: int) -> Mapping[str, str]:
        """Return the settings without which Parley would be wrong; the others only make it slower or larger.

        With so many copies what is acknowledged has to be on all but one, and whoever lacks it may not lead.
        """
        kept = {"retention.ms": _NEVER, "retention.bytes": _NEVER}
        if self.compacted:  # for so long the engine counts on deletions that it has written
            kept = {"delete.retention.ms": _A_DAY_MS}
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            **kept,
            "message.timestamp.type": "LogAppendTime" if self.log_append_time else "CreateTime",
            "max.message.bytes": str(self.batch_bytes_max),
            "compression.type": "producer",
            "min.insync.replicas": str(max(1, replication - 1)),
            "unclean.leader.election.enable": "false",
        }


EVENTS: Final = Topic("events.v1", "negotiation", "the ledger", derived=False, log_append_time=True)
CUTS: Final = Topic("cuts.v1", "ledger partition", "up to where outputs are complete", compacted=True)
MEASURES: Final = Topic("measures.v1", "negotiation/component", "current measures", compacted=True)
DEADLINES: Final = Topic("deadlines.v1", "negotiation/deadline", "current deadlines", compacted=True)
MEETINGS: Final = Topic("meetings.v1", "negotiation/meeting", "meetings", compacted=True)
METRICS: Final = Topic("metrics.v1", "negotiation/metric", "current values of metrics", compacted=True)
CHANGES: Final = Topic("changes.v1", "negotiation", "what each event changed")
ALERTS: Final = Topic("alerts.v1", "negotiation", "warnings before deadlines")
DEAD_LETTERS: Final = Topic(
    "dead-letters.v1",
    "the original key",
    "what could not be read, and why",
    batch_bytes_max=_DEAD_LETTER_BATCH_BYTES_MAX,
)
DECISIONS: Final = Topic(
    "decisions.v1", "ledger place", "what people decided about dead letters", derived=False, compacted=True
)

TOPICS: Final = (EVENTS, CUTS, MEASURES, DEADLINES, MEETINGS, METRICS, CHANGES, ALERTS, DEAD_LETTERS, DECISIONS)
TABLES: Final = (MEASURES, DEADLINES, MEETINGS, METRICS)
APPENDED: Final = (CHANGES, ALERTS, DEAD_LETTERS)
"""Where the worker appends, and nobody else."""


class TopicMissing(Exception):  # noqa: N818 - the state of the broker, not a fault of ours
    """A topic that should be there is not; `topic` is its name."""

    def __init__(self, topic: str, bootstrap: str) -> None:
        super().__init__(
            f"No topic {topic} on {bootstrap}. Create Parley's topics with `parley topics`, those of a set of outputs "
            "with `parley topics --outputs NAME`."
        )
        self.topic = topic


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition where a key belongs: murmur2, as Kafka's own clients have it. Others hash differently."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)
