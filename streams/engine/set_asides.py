"""A set-aside: a person's word that one record of the ledger is to be passed without being projected.

It is the way out when a record makes the projection raise. Set-asides stand on the cuts topic beside the cut of their
partition, for ever: whoever folds the ledger leaves the same records out.
"""

from dataclasses import dataclass

from streams.engine.cut import UnreadableCutError, decode_fields, encode_fields, may_be_one

_PREFIX = b"set-aside:"


@dataclass(frozen=True, slots=True)
class SetAside:
    """The record at `offset` of `topic`/`partition` is not projected; `reason` is for people.

    `topic_id` is the broker's id of the ledger topic (None where the broker does not tell): a topic of the same name
    that was made later has other records.
    """

    topic: str
    topic_id: str | None
    partition: int
    offset: int
    reason: str

    @property
    def key(self) -> bytes:
        """Key of the set-aside's record: ledger topic, partition and offset."""
        return b"%s%d" % (set_aside_prefix(self.topic, self.partition), self.offset)

    def speaks_of(self, topic_id: str | None) -> bool:
        """Tell whether this may be the ledger topic that is meant."""
        return may_be_one(self.topic_id, topic_id)

    def encode(self) -> bytes:
        """Value of the set-aside's record: canonical JSON (sorted keys, no spaces)."""
        fields = {
            "topic": self.topic,
            "topic_id": self.topic_id,
            "partition": self.partition,
            "offset": self.offset,
            "reason": self.reason,
        }
        return encode_fields(fields)


def set_aside_prefix(topic: str, partition: int) -> bytes:
    """Return what the keys of all set-asides of a ledger partition begin with."""
    return _PREFIX + f"{topic}/{partition}/".encode()


def is_set_aside(key: bytes | None) -> bool:
    """Tell a set-aside's key from a cut's."""
    return key is not None and key.startswith(_PREFIX)


def decode_set_aside(value: bytes) -> SetAside:
    """Read a set-aside from the value of its record.

    Raises UnreadableCutError if the bytes are none. Fields this version does not know are ignored.
    """
    match decode_fields(value, "a set-aside"):
        case {
            "topic": str(topic),
            "topic_id": (str() | None) as topic_id,
            "partition": int(partition),
            "offset": int(offset),
            "reason": str(reason),
        }:
            return SetAside(topic, topic_id, partition, offset, reason)
        case _:
            raise UnreadableCutError(
                f"expected a set-aside with topic, topic_id, partition, offset and reason, got {value[:200]!r}"
            )
