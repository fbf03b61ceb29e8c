"""Batches that are refused before they are unpacked: those that are compressed, and what cannot be taken apart.

A batch of a megabyte may unpack to a gigabyte, in one record or in many. Whoever writes the ledger does not compress,
so that nothing is lost by looking at the batch's own head only. The records of such a batch keep their offsets, without
which there would be a hole; of each one nothing is known but that.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, Final, Self

from aiokafka.errors import KafkaError
from aiokafka.record.default_records import DefaultRecord

_CODECS: Final = {1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd"}
_KINDS_OF_DAMAGE: Final = (KafkaError, ValueError, IndexError, OverflowError)  # names of headers that are no UTF-8, too


class Refused(bytes):
    """The value of each record of a batch that was refused: no bytes, and why there are none.

    first, last: the offsets of the refused records of this batch; they share one of these.
    """

    first: int
    last: int
    reason: str

    @classmethod
    def between(cls, first: int, last: int, reason: str) -> Self:
        """Return the value of the records first..last."""
        value = cls()
        value.first, value.last, value.reason = first, last, reason
        return value


class Origins(dict[Any, tuple[int, int | None]]):
    """By partition: how many bytes its last fetch brought, and from which node."""

    def take(self, place: Any) -> tuple[int, int | None]:  # noqa: ANN401  aiokafka ships no types
        """Return that; its bytes count once, however often some of its records are asked for."""
        size, node = self.get(place, (0, None))
        self[place] = 0, node
        return size, node


_served_by: ContextVar[int | None] = ContextVar("served_by", default=None)


def refuse_unpacking(consumer: Any) -> Origins:  # noqa: ANN401  aiokafka ships no types
    """Let a consumer that has started, and has no partitions yet, give `Refused` for what it must not unpack.

    The one place where fetched bytes are not unpacked yet is what aiokafka's fetcher keeps until somebody asks for it.
    Returns where it is noted what was put there, and whence.
    """
    fetcher = consumer._fetcher  # noqa: SLF001
    fetcher._records = fetched = _Fetched()  # noqa: SLF001
    as_it_is = fetcher._proc_fetch_request  # noqa: SLF001

    async def from_node(assignment: object, node: int, request: object) -> bool:
        _served_by.set(node)  # a task fetches from one node
        found: bool = await as_it_is(assignment, node, request)
        return found

    fetcher._proc_fetch_request = from_node  # noqa: SLF001
    return fetched.origins


class _Fetched(OrderedDict[Any, Any]):
    """What was fetched, by partition, and is not taken apart yet."""

    def __init__(self) -> None:
        super().__init__()
        self.origins = Origins()

    def __setitem__(self, place: Any, result: Any) -> None:  # noqa: ANN401  aiokafka ships no types
        records = getattr(result, "_partition_records", None)
        if records is not None:  # else it is an error
            self.origins[place] = records._records.size_in_bytes(), _served_by.get()  # noqa: SLF001
            records._records = Batches(records._records)  # noqa: SLF001
        super().__setitem__(place, result)


class Batches:
    """Batches as aiokafka's fetcher goes through them."""

    def __init__(self, batches: Any) -> None:  # noqa: ANN401
        self._batches = batches
        self.has_next = batches.has_next

    def next_batch(self) -> Any:  # noqa: ANN401
        """Return the next batch, or what stands for it."""
        batch = self._batches.next_batch()
        return batch if batch.is_control_batch else _Batch(batch)


class _Batch:
    """One batch whose records can be gone through whatever is in it."""

    def __init__(self, batch: Any) -> None:  # noqa: ANN401
        self._batch = batch

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        batch = self._batch
        at = batch.base_offset
        codec = batch.compression_type
        reason = f"a batch that is compressed ({_CODECS.get(codec, codec)}): it was not unpacked"
        if not codec:
            try:
                for record in batch:
                    yield record
                    at = record.offset + 1
            except _KINDS_OF_DAMAGE as error:
                reason = f"a batch that cannot be taken apart from here on ({error})"
            else:
                return  # what compaction has left of a batch may end before its last offset
        refused = Refused.between(at, batch.next_offset - 1, reason)
        for offset in range(at, batch.next_offset):
            yield DefaultRecord(offset, batch.max_timestamp, batch.timestamp_type, None, refused, [])
