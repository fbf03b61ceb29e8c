"""Producers under trial: they append what authors write, and note what became of each record."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aiokafka.errors import KafkaError

from streams.producing import RECORD_BYTES_MAX, Append, AppendFailed, LedgerWriter
from streams.reading import BrokerUnreachable, TopicMissing
from tests.faults.events import Draft
from tests.faults.history import History, note_append, now_ms

_ANSWER_S = 6.0
_AGAIN_AFTER_S = 0.2
Source = Callable[[int], Draft]
"""Gives the next record to append, at an instant in milliseconds."""


@dataclass(slots=True)
class Producer:
    """Appends records of one source, in order.

    What was not acknowledged may be there or not: it is appended again, as every door does, and its id tells repeats.
    """

    name: str
    bootstrap: str
    ledger: str
    source: Source
    history: History
    on_append: Callable[[int, int], None]
    settled: int = 0
    stopping: bool = False
    _again: list[Draft] = field(default_factory=list)

    async def run(self, *, chunk: int, per_second: float | None = None, count: int | None = None) -> None:
        """Append `chunk` records at a time until `count` are acknowledged or refused, or until `stopping` is set."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not self._done(count):
            try:
                async with LedgerWriter(self.bootstrap, self.ledger, answer_s=_ANSWER_S) as writer:
                    while not self._done(count):
                        await self._append(writer, self._next(chunk))
                        if per_second is not None:
                            due = max(due, loop.time() - 1) + chunk / per_second
                            await asyncio.sleep(max(0.0, due - loop.time()))
            except (BrokerUnreachable, TopicMissing, AppendFailed, KafkaError, OSError) as error:
                self.history.note("writer", producer=self.name, why=str(error)[:200])
                await asyncio.sleep(_AGAIN_AFTER_S)

    def _done(self, count: int | None) -> bool:
        if self._again:
            return False
        return self.stopping or (count is not None and self.settled >= count)

    def _next(self, chunk: int) -> list[Draft]:
        drafts, self._again = self._again, []
        return drafts or [self.source(now_ms()) for _ in range(chunk)]

    async def _append(self, writer: LedgerWriter, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            if len(draft.value) > RECORD_BYTES_MAX:
                await self._append_too_long(writer, draft)
        fitting = [draft for draft in drafts if len(draft.value) <= RECORD_BYTES_MAX]
        try:
            positions = await writer.append_all([Append(one.key, one.value, [], one.partition) for one in fitting])
        except AppendFailed as error:
            for place, draft in enumerate(fitting):
                if place in error.acknowledged:
                    self._note(draft, "acked", error.acknowledged[place].offset)
                else:
                    self._note(draft, "unknown")
                    self._again.append(draft)
            raise
        for draft, position in zip(fitting, positions, strict=True):
            self._note(draft, "acked", position.offset)

    async def _append_too_long(self, writer: LedgerWriter, draft: Draft) -> None:
        try:
            position = await writer.append(draft.key, draft.value, [], partition=draft.partition)
        except ValueError:
            self._note(draft, "refused")
        else:
            self._note(draft, "acked", position.offset)

    def _note(self, draft: Draft, outcome: str, offset: int | None = None) -> None:
        note_append(self.history, self.name, draft, outcome, offset)
        if outcome != "unknown":
            self.settled += 1
        if offset is not None:
            self.on_append(draft.partition, offset)
