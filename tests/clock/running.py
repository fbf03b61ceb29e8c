"""A live system of real processes on a real Kafka: a worker, clocks, and what subscribers see."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from schemas.events import ClockStruck, Event
from schemas.positions import Recorded
from streams.doors.kafka import read_ledger
from streams.now import now
from streams.producing import LedgerWriter
from streams.reading import follow
from streams.topics import ALERTS, CHANGES, EVENTS, Topic
from tests.engine.asking import ask
from tests.first_light.running import PARTITIONS, PATIENCE_S, appended, service, written

HOUR = timedelta(hours=1)


def soon(after_s: float, *, lead: timedelta = HOUR) -> datetime:
    """Give an instant whose last lead time begins in so many seconds, in whole milliseconds as Kafka has them."""
    at = now() + timedelta(seconds=after_s) + lead
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


async def until(come: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something has come about, by asking again and again; TimeoutError if it does not."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if await come():
                return
            await asyncio.sleep(0.05)


async def ask_ready(port: int) -> bool:
    """Tell whether a process says on its port that it is ready."""
    return (await ask(port, "/readyz"))[0] == 200


async def until_ready(port: int) -> list[dict[str, Any]]:
    """Wait until a process says on its port that it is ready; return its status."""
    await until(lambda: ask_ready(port))
    shown: list[dict[str, Any]] = orjson.loads((await ask(port, "/status"))[1])
    return shown


async def until_past(at: datetime) -> None:
    """Wait until an instant is over."""

    async def past() -> bool:
        return now() > at

    await until(past)


class Live:
    """One installation under test."""

    def __init__(self, bootstrap: str, prefix: str, state: Path) -> None:
        self.bootstrap, self.prefix, self.state = bootstrap, prefix, state
        self.to = ("--brokers", bootstrap, "--prefix", prefix)

    def worker(self) -> Any:  # noqa: ANN401 -- a context manager
        """Run a worker."""
        return service(self.state, "worker", *self.to, "--instance", "one")

    def clock(self, *more: str) -> Any:  # noqa: ANN401 -- a context manager
        """Run a clock."""
        return service(self.state, "clock", *self.to, *more)

    async def tell(self, *events: Event) -> None:
        """Append events, at once: some of them are about the seconds to come."""
        async with LedgerWriter(self.bootstrap, EVENTS.name(self.prefix)) as writer:
            await writer.append_all([appended(event, PARTITIONS) for event in events])

    async def seen(self, topic: Topic, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """Follow what a subscriber sees of a topic from its beginning on until it is enough, and return it."""
        found: list[dict[str, Any]] = []
        start = dict.fromkeys(range(PARTITIONS), 0)
        async with (
            asyncio.timeout(PATIENCE_S),
            aclosing(follow(self.bootstrap, topic.name(self.prefix), start=start)) as lists,
        ):
            async for records in lists:
                found += [orjson.loads(record.value or b"") for record in records]
                if enough(found):
                    break
        return found

    async def alerts(self, count: int) -> list[dict[str, Any]]:
        """Wait for so many alerts, and return all that there are then."""
        return await self.seen(ALERTS, lambda found: len(found) >= count)

    async def row(self, table: str, key: str, **wanted: object) -> dict[str, Any]:
        """Wait until the changes of a row have brought it to certain values; return the row as it then stands."""

        def rows(found: list[dict[str, Any]]) -> dict[str, Any]:
            row: dict[str, Any] = {}
            for change in found:
                if (change["table"], change["key"]) == (table, key):
                    row |= change["after"]
            return row

        return rows(await self.seen(CHANGES, lambda found: rows(found).items() >= wanted.items()))

    async def findings(self) -> list[str]:
        """Return the codes of the findings so far."""
        changes = map(orjson.loads, (await written(self.bootstrap, self.prefix)).changes)
        return [change["after"]["code"] for change in changes if change["kind"] == "finding"]

    async def strikes(self) -> list[Recorded]:
        """Return the strikes on the ledger."""
        events = (await read_ledger(self.bootstrap, self.prefix)).events
        return [one for one in events if isinstance(one.event, ClockStruck)]


def instant(text: str) -> datetime:
    """Read an instant of an alert."""
    return datetime.fromisoformat(text).astimezone(UTC)
