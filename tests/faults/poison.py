"""Records that are no event, or stand where they must not: eight kinds, all of which Kafka takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count, cycle
from random import Random

from streams.topics import BATCH_BYTES_MAX, partition_of
from tests.faults.events import NEGOTIATIONS, VALUE_BYTES_MAX, Draft, event_value
from tests.faults.trial import Trial

_ADDITION = {"type": "addition", "number": 1}


def _deep(_event: str, _negotiation: str) -> bytes:
    return b'{"version":"1.0","deep":' + b"[" * 20_000 + b"]" * 20_000 + b"}"


def _oversized(event: str, negotiation: str) -> bytes:
    return event_value(event, negotiation, {**_ADDITION, "quote": "x" * VALUE_BYTES_MAX})


KINDS: Mapping[str, Callable[[str, str], bytes]] = {
    "garbage": lambda event, _: b"\x00\x01\x7f{" + event.encode() + b"}\xfe",
    "empty": lambda _event, _negotiation: b"",
    "nested too deep": _deep,
    "wrong key": lambda event, _: event_value(event, "somebody-else", _ADDITION),
    "wrong partition": lambda event, negotiation: event_value(event, negotiation, _ADDITION),
    "oversized": _oversized,
    "unknown type": lambda event, negotiation: event_value(event, negotiation, {"type": "rumour"}),
    "not UTF-8": lambda event, negotiation: event_value(event, negotiation, _ADDITION).replace(
        b"addition", b"addi\xff"
    ),
}


@dataclass(slots=True)
class Poisoner:
    """Writes poison of each kind in turn."""

    name: str
    seed: int
    partitions: int
    _random: Random = field(init=False)
    _kinds: "cycle[str]" = field(init=False)
    _numbers: "count[int]" = field(init=False)

    def __post_init__(self) -> None:
        """Start at a kind of the seed's choice."""
        self._random = Random(f"{self.seed}/{self.name}")  # noqa: S311 -- examples, not secrets
        self._kinds = cycle(self._random.sample(list(KINDS), len(KINDS)))
        self._numbers = count()

    def draft(self, _now_ms: int) -> Draft:
        """Write the next record."""
        kind, number = next(self._kinds), next(self._numbers)
        negotiation = self._random.choice(NEGOTIATIONS)
        partition = partition_of(negotiation.encode(), self.partitions)
        if kind == "wrong partition":
            partition = (partition + 1) % self.partitions
        value = KINDS[kind](f"{self.name}-{number}", negotiation)
        return Draft(self.name, number, negotiation.encode(), value, partition)


def too_long(now_ms: int) -> Draft:
    """Write an event that no batch can hold: it is refused before it reaches the ledger."""
    key = NEGOTIATIONS[now_ms % len(NEGOTIATIONS)].encode()
    value = event_value(f"too-long-{now_ms}", key.decode(), {**_ADDITION, "quote": "x" * BATCH_BYTES_MAX})
    return Draft("too-long", now_ms, key, value, 0)


async def between_events(trial: Trial) -> None:
    """Let poison of every kind, and events that no batch can hold, stand between events; kill the worker there."""
    await trial.preload(1_500)
    poisoner = Poisoner("poison", trial.seed, trial.places.partitions)
    await trial.producer("poison", poisoner.draft).run(chunk=5, count=80)
    await trial.producer("too long", too_long).run(chunk=1, count=3)
    trial.load(per_second=400)
    slot = await trial.start("a", instance_id="a")
    await trial.until_moved(1_000)
    await trial.kill(slot)
