"""The cut: the position up to which a partition's outputs are complete.

It is written in the same transaction as the outputs it speaks of, so it is the only watermark there is. One record
per ledger partition on a compacted topic, at the partition number of the ledger partition.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


class UnreadableCutError(Exception):
    """A record on the cuts topic is neither a cut nor a set-aside; the message says where and why."""


class Span(NamedTuple):
    """How many committed records the end of an output topic has: from offset `start` on there are `after` of them.

    `before` of them had been there, or were found there, before the transaction of this cut. `lasting` of the others
    are there for good; the rest are deletions of rows, which compaction takes away after `delete.retention.ms`, a day.
    """

    start: int
    before: int
    after: int
    lasting: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Outputs of `topic`/`partition` are complete up to and with `offset`.

    `topic_id` is the broker's id of the ledger topic (None where the broker does not tell), `version` the fold version
    that wrote the outputs, `counts` how many records it ever appended to each output topic, sorted by topic. Rows are
    not counted: a later row of the same batch replaces an earlier one, so their number depends on where batches end.

    `previous` is the offset of the cut before it (-1: there was none; its own: it was gone back to). `spans`, sorted by
    topic, tell what this cut's own transaction has left in each topic: with them it shows whether the cluster has kept
    all of it. `output_ids`, sorted by topic too, are the broker's ids of the output topics, as far as it tells them.
    """

    topic: str
    topic_id: str | None
    partition: int
    offset: int
    version: str
    counts: tuple[tuple[str, int], ...] = ()
    previous: int = -1
    spans: tuple[tuple[str, Span], ...] = ()
    output_ids: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> bytes:
        """Key of the cut's record: ledger topic and partition."""
        return cut_key(self.topic, self.partition)

    def speaks_of(self, topic_id: str | None) -> bool:
        """Tell whether this may be the ledger topic that is meant."""
        return may_be_one(self.topic_id, topic_id)

    def encode(self) -> bytes:
        """Value of the cut's record: canonical JSON (sorted keys, no spaces)."""
        fields = {
            "topic": self.topic,
            "topic_id": self.topic_id,
            "partition": self.partition,
            "offset": self.offset,
            "version": self.version,
            "counts": dict(self.counts),
            "previous": self.previous,
            "spans": dict(self.spans),
            "output_ids": dict(self.output_ids),
        }
        return encode_fields(fields)


def encode_fields(fields: Mapping[str, object]) -> bytes:
    """Write a record of the cuts topic: canonical JSON (sorted keys, no spaces)."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def decode_fields(value: bytes, what: str) -> Any:  # noqa: ANN401  any JSON value
    """Read a record of the cuts topic, as JSON. Raises UnreadableCutError that says what was expected."""
    try:
        return json.loads(value)
    except ValueError as error:
        raise UnreadableCutError(f"expected {what} as JSON, got {value[:80]!r}: {error}") from error


def may_be_one(topic_id: str | None, other: str | None) -> bool:
    """Tell whether two ids may be of one topic; what is not known contradicts nothing."""
    return None in (topic_id, other) or topic_id == other


def cut_key(topic: str, partition: int) -> bytes:
    """Key under which the cut of a ledger partition is found."""
    return f"{topic}/{partition}".encode()


def decode_cut(value: bytes) -> Cut:
    """Read a cut from the value of its record.

    Raises UnreadableCutError if the bytes are not a cut. Fields this version does not know are ignored.
    """
    match fields := decode_fields(value, "a cut"):
        case {
            "topic": str(topic),
            "topic_id": (str() | None) as topic_id,
            "partition": int(partition),
            "offset": int(offset),
            "version": str(version),
            "counts": dict(counts),
        } if all(isinstance(n, int) for n in counts.values()):
            counted = tuple(sorted(counts.items()))
            return Cut(topic, topic_id, partition, offset, version, counted, *_left(fields, value))
        case _:
            raise UnreadableCutError(
                f"expected a cut with topic, topic_id, partition, offset, version and counts, got {value[:200]!r}"
            )


_Left = tuple[int, tuple[tuple[str, Span], ...], tuple[tuple[str, str], ...]]


def _left(fields: Mapping[str, object], value: bytes) -> _Left:
    """Read what cuts did not have at first: nothing is judged by those that lack it."""
    match {"previous": -1, "spans": {}, "output_ids": {}, **fields}:
        case {"previous": int(previous), "spans": dict(spans), "output_ids": dict(ids)} if all(
            map(_is_span, spans.values())
        ) and all(isinstance(one, str) for one in ids.values()):
            left = tuple(sorted((name, Span(*span)) for name, span in spans.items()))
            return previous, left, tuple(sorted(ids.items()))
        case _:
            raise UnreadableCutError(
                "expected a cut whose previous is an offset, whose spans are of four numbers each and whose output_ids "
                f"are texts, got {value[:400]!r}"
            )


def _is_span(value: object) -> bool:
    match value:
        case [int(), int(), int(), int()]:
            return True
        case _:
            return False
