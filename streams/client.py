"""Parley from Python: append reports, ask for states, read rows, follow changes.

parley = Parley("127.0.0.1:9092")
done = await parley.append([report])              # done.accepted, done.duplicates, done.refused
then = await parley.state("us-china", at=parse_instant("2025-10-31T12:00:00-04:00"))
async for change in parley.watch("us-china", since="0"):
    ...
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from datetime import datetime
from typing import Literal

from schemas.changes import Json
from schemas.codec import encode
from schemas.events import Event
from streams.doors.appending import Appended, append
from streams.doors.arriving import at_hand
from streams.doors.asking import ask, events_of
from streams.doors.connecting import connect
from streams.doors.kafka import decode_rows, read_rows
from streams.doors.watching import Cursor, watch_notices
from streams.settings import Settings


class Parley:
    """A client of one installation; it keeps no connection open between calls.

    Without `brokers` it uses the settings, else the embedded Kafka that runs. Every call raises BrokerUnreachable if
    there is none, UsageError for an address that is none, and TopicMissing if Parley's topics were not created.
    ValidationError for a prefix that cannot be.
    """

    def __init__(self, brokers: str | None = None, *, prefix: str | None = None) -> None:
        self._settings = Settings() if prefix is None else Settings().changed(prefix=prefix)
        self._brokers = brokers
        self._prefix = self._settings.installation

    def _bootstrap(self) -> str:
        return connect(self._settings, self._brokers)

    async def append(self, events: Iterable[Event]) -> Appended:
        """Append events, each acknowledged by every replica in sync; what is there already is counted, not repeated."""
        done = Appended()
        await append(self._bootstrap(), self._prefix, [(done, at_hand(encode(event) for event in events))])
        return done

    async def state(
        self,
        negotiation: str,
        *,
        at: datetime | None = None,
        known_at: datetime | None = None,
        recorded_by: datetime | None = None,
    ) -> Json:
        """Return the state (`parley.state/1`) at an instant, as known at another. UnknownNegotiation without one."""
        bootstrap = self._bootstrap()
        found = await events_of(negotiation, ledger=None, bootstrap=bootstrap, prefix=self._prefix)
        return ask(negotiation, found, at, known_at, recorded_by)

    async def rows(self, negotiation: str) -> dict[str, dict[str, Json]]:
        """Return the rows that the worker wrote, by table and entity. UnreadableOutput if somebody else wrote one."""
        tables = await read_rows(self._bootstrap(), self._prefix, negotiation)
        return {name: decode_rows(self._prefix, negotiation, name, rows) for name, rows in tables.items()}

    async def watch(
        self,
        negotiation: str | None = None,
        *,
        kind: Literal["changes", "alerts"] | None = None,
        since: str | None = None,
        follow: bool = True,
    ) -> AsyncGenerator[Json, None]:
        """Give changes and alerts as they are committed, after a cursor PARTITION:OFFSET[:N]; 0 is before all of them.

        A cursor is the `sequence` of one kind: follow each kind with its own. Without one, those to come.
        With `follow` false it ends where the topics end now, and without a cursor it gives all that is there.
        UsageError for what is no cursor, BadCursor for one of another ledger; UnreadableOutput if somebody else wrote
        there.
        """
        notices = watch_notices(
            self._bootstrap(),
            self._prefix,
            negotiation=negotiation,
            kind=kind,
            cursor=Cursor.parse(since),
            stop_at_end=not follow,
        )
        async with aclosing(notices):
            async for notice in notices:
                yield notice.document
