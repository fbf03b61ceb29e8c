"""Records that were appended to a topic, held against those that a fold brings about, in step, in bounded memory."""

from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import NamedTuple

from streams.doors.fsck.differences import Difference
from streams.engine.projection import Headers
from streams.reading import KafkaRecord, read_to_end


class Entry(NamedTuple):
    """One record that a fold brings about."""

    key: bytes | None
    value: bytes | None
    headers: Headers


class AppendedRecords:
    """One partition of a topic that records are appended to, read once from its beginning, as far as it is let.

    `matched` counts the records that were found as expected. After the first difference nothing more is compared: what
    follows a record too many or too few stands elsewhere.
    """

    def __init__(self, bootstrap: str, topic: str, partition: int) -> None:
        self.topic = topic
        self.matched = 0
        self.difference: Difference | None = None
        self._bootstrap = bootstrap
        self._partition = partition
        self._position = 0
        self._batches: AsyncGenerator[Sequence[KafkaRecord], None] | None = None
        self._arrived: deque[KafkaRecord] = deque()
        self._expected: deque[Entry] = deque()

    async def let_up_to(self, end: int) -> None:
        """Go on up to an offset, behind which nothing is looked at; everything before it is committed or aborted."""
        await self.close()
        if end > self._position:
            self._batches = read_to_end(
                self._bootstrap,
                self.topic,
                partitions=[self._partition],
                isolation="read_committed",
                start={self._partition: self._position} if self._position else None,
                ends={self._partition: end},
            )
            self._position = end

    async def expect(self, entries: Iterable[Entry], *, due: bool) -> None:
        """Compare what is there with what is expected next; what is not there is expected later, unless it is due."""
        self._expected.extend(entries)
        while self.difference is None and self._expected and (found := await self._next()) is not None:
            expected = self._expected.popleft()
            if (found.key, found.value, tuple(found.headers)) == (
                expected.key,
                expected.value,
                tuple(expected.headers),
            ):
                self.matched += 1
            else:
                self._differs(expected, found)
        if due and self.difference is None and self._expected:
            self._differs(self._expected[0], None)
        if self.difference is not None:
            self._expected.clear()

    async def expect_no_more(self) -> None:
        """Note a difference if more is there than was expected."""
        if self.difference is None and not self._expected and (found := await self._next()) is not None:
            self._differs(None, found)

    async def close(self) -> None:
        """Stop reading."""
        if self._batches is not None:
            await self._batches.aclose()
            self._batches = None

    async def _next(self) -> KafkaRecord | None:
        while not self._arrived:
            if self._batches is None:
                return None
            batch = await anext(self._batches, None)
            if batch is None:
                self._batches = None
                return None
            self._arrived.extend(batch)
        return self._arrived.popleft()

    def _differs(self, expected: Entry | None, found: KafkaRecord | None) -> None:
        alike = expected is not None and found is not None and expected.value == found.value
        self.difference = Difference(
            self.topic,
            self._partition,
            f"record {self.matched}",
            _told(expected.key, expected.value, expected.headers, whole=alike) if expected is not None else None,
            _told(found.key, found.value, found.headers, whole=alike) if found is not None else None,
        )


def _told(key: bytes | None, value: bytes | None, headers: Headers, *, whole: bool) -> bytes:
    """Return the value; where the values are the same, key and headers with it."""
    if not whole:
        return value if value is not None else b"null"
    return repr({"key": key, "headers": list(headers), "value": value}).encode()
