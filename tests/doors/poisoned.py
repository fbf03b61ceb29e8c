"""A ledger with records between its events that cannot be read, and the command line on it."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aiokafka import AIOKafkaProducer

from schemas.cloudevents import headers
from schemas.codec import EVENT_BYTES_MAX, encode
from schemas.events import Event, StatementMade
from streams.broker import BrokerAddress
from streams.topics import EVENTS, Topic, partition_of
from tests.first_light.running import PARTITIONS, USUAL, complete, parley, played_history, worker, write

Headers = list[tuple[str, bytes]]
Bytes = Callable[[Event], bytes]


@dataclass(frozen=True, slots=True)
class Kind:
    """One way in which a record cannot be read: its bytes, its key, how far from its partition, and the code."""

    code: str
    pointer: str = ""
    value: Bytes = encode
    key: bytes | None = None
    beside: int = 0


def _with_colour(event: Event) -> bytes:
    return encode(event).replace(b'"type"', b'"colour":"red","type"')


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "malformed": Kind("unknown_field", "/colour", _with_colour),
        "wrong key": Kind("invalid_value", "/negotiation", key=b"somebody-else"),
        "wrong partition": Kind("invalid_value", "/negotiation", beside=1),
        "oversized": Kind("too_large", value=lambda event: encode(event) + b" " * EVENT_BYTES_MAX),
    }
)


def statements(count: int) -> list[Event]:
    """Return events that are on no ledger yet, of the negotiation of the shipped history."""
    (pattern, *_) = (one for one in played_history() if isinstance(one, StatementMade))
    return [
        pattern.model_copy(
            update={"act": f"statement-{number}", "source": pattern.source.model_copy(update={"own_id": f"s-{number}"})}
        )
        for number in range(count)
    ]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a test is: the ledger, and a folder that is the command line's."""

    kafka: BrokerAddress
    prefix: str
    folder: Path

    async def begin(self, events: int = 20) -> None:
        """Write the beginning of the shipped history."""
        await write(self.kafka.bootstrap, self.prefix, played_history()[:events])

    async def poison(self, kind: Kind, event: Event, more_headers: Headers | None = None) -> str:
        """Append an event in a way that makes it unreadable; return its position."""
        key = event.negotiation.encode()
        partition = (partition_of(key, PARTITIONS) + kind.beside) % PARTITIONS
        told = [*headers(event), *(more_headers or [])]
        offset = await self.plant(EVENTS, partition, kind.key or key, kind.value(event), told)
        return f"{partition}:{offset}"

    async def ask(
        self, code: int, *words: str, given: bytes = b"", settings: Mapping[str, str] = USUAL
    ) -> dict[str, Any]:
        """Run a command that must leave with a code; return its document, and what it complained of as `said`."""
        to = ("--brokers", self.kafka.bootstrap, "--prefix", self.prefix)
        done = await asyncio.to_thread(parley, self.folder, *words, *to, given=given, settings=settings)
        said = " ".join(done.stderr.decode().split())
        assert done.returncode == code, (done.stdout.decode(), said)
        assert "Traceback" not in said
        return {**(json.loads(done.stdout) if done.stdout else {}), "said": said}

    async def tell(self, *words: str) -> str:
        """Run a command that must answer, and return what it says to people."""
        to = ("--brokers", self.kafka.bootstrap, "--prefix", self.prefix)
        done = await asyncio.to_thread(parley, self.folder, *words, *to)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    async def plant(self, topic: Topic, partition: int, key: bytes, value: bytes, told: Headers | None = None) -> int:
        """Write what only Parley may; return its offset."""
        async with AIOKafkaProducer(bootstrap_servers=self.kafka.bootstrap) as producer:
            stands = await producer.send_and_wait(
                topic.name(self.prefix), key=key, value=value, partition=partition, headers=told
            )
        return int(stands.offset)

    async def dead_letters(self, code: int, *words: str, **how: Any) -> dict[str, Any]:  # noqa: ANN401 -- as `ask` takes it
        """Run a command on dead letters."""
        return await self.ask(code, "dead-letters", *words, **how)


async def complete_with_worker(place: Place, outputs: str = "") -> None:
    """Let a worker bring outputs about for all that is on the ledger, and leave."""
    settings = {"outputs": outputs} if outputs else {}
    installation = f"{place.prefix}+{outputs}" if outputs else place.prefix
    async with worker(place.folder, place.kafka.bootstrap, place.prefix, settings=settings):
        await complete(place.kafka.bootstrap, installation)
