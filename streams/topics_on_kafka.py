"""Creating Parley's topics on a Kafka, and refusing those that would make it wrong."""

import asyncio
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from streams.administering import administering
from streams.engine.closing import stop_consumer
from streams.engine.topic_ids import topic_id
from streams.topics import AT_LEAST, EVENTS, OUTPUTS_MARK, TOPICS, Topic

_CREATE_S: Final = 30.0
_OF_WHAT_COMES: Final = frozenset({"max.message.bytes", "min.insync.replicas"})
"""Settings that harm nothing which is there."""


@dataclass(frozen=True, slots=True)
class TopicProblem:
    """One way in which a topic is not what it must be."""

    topic: str
    setting: str
    expected: str
    found: str
    remedy: str

    def __str__(self) -> str:
        """Return it as a sentence."""
        return f"{self.topic}: expected {self.setting} {self.expected}, found {self.found}. {self.remedy}"


class TopicError(Exception):
    """Topics exist that Parley must not use, or cannot be made; `problems` are all of them."""

    def __init__(self, problems: Iterable[TopicProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class TopicFound:
    """A topic that is as it must be; `topic_id` is None where the broker is too old to tell."""

    name: str
    topic_id: str | None
    partitions: int
    created: bool


@dataclass(frozen=True, slots=True)
class TopicsReport:
    """Every topic of an installation, in the order of the table."""

    topics: tuple[TopicFound, ...]

    @property
    def created(self) -> tuple[str, ...]:
        """The names of those that were missing."""
        return tuple(topic.name for topic in self.topics if topic.created)

    def topic_id(self, name: str) -> str | None:
        """Return the broker's id of a topic; None where it tells none."""
        return next((topic.topic_id for topic in self.topics if topic.name == name), None)


async def ensure_topics(bootstrap: str, prefix: str, partitions: int, replication: int = 1) -> TopicsReport:
    """Create what is missing and verify everything.

    Nothing that exists is ever changed, and nothing is created beside what is wrong: TopicError names that and what to
    do. BrokerUnreachable within some seconds.
    """
    names = {topic.name(prefix): topic for topic in TOPICS}
    async with _admin(bootstrap) as admin:
        known = await _known(admin)
        there = {name: known[name] for name in names if name in known and known[name].led}
        await _verify(admin, prefix, there, partitions, there)
        created, led = await _create_until_led(names, admin, prefix, partitions, replication)
        if created:
            await _wait_until_served(bootstrap, {name: led[name].partitions for name in created})
        await _verify(admin, prefix, led, partitions, names.keys() - there)
        ids = {name: await topic_id(_client(admin), name) for name in names}
    return TopicsReport(
        tuple(TopicFound(name, ids[name], led[name].partitions, created=name in created) for name in names)
    )


async def topics_found(bootstrap: str, prefix: str) -> tuple[TopicFound, ...]:
    """Return those of Parley's topics that exist, unverified; nothing is created."""
    async with _admin(bootstrap) as admin:
        known = await _known(admin)
        names = [topic.name(prefix) for topic in TOPICS if topic.name(prefix) in known]
        return tuple(
            [
                TopicFound(name, await topic_id(_client(admin), name), known[name].partitions, created=False)
                for name in names
            ]
        )


def _admin(bootstrap: str) -> AbstractAsyncContextManager[AIOKafkaAdminClient]:
    return administering(bootstrap, request_s=_CREATE_S, within_s=2 * _CREATE_S)


def _client(admin: AIOKafkaAdminClient) -> Any:  # noqa: ANN401 - aiokafka ships no types
    return admin._client  # noqa: SLF001 - the admin client cannot ask for topic ids itself


class _Known(NamedTuple):
    """How many partitions a topic has, how many copies there are of each, and whether each has a leader."""

    partitions: int
    copies: int
    led: bool


async def _known(admin: AIOKafkaAdminClient) -> dict[str, _Known]:
    """Return what the broker knows of each topic.

    It asks for all topics: to ask for one by name might create it.
    """
    return {
        topic["topic"]: _Known(
            len(topic["partitions"]),
            min((len(one["replicas"]) for one in topic["partitions"]), default=0),
            all(one["leader"] >= 0 for one in topic["partitions"]),
        )
        for topic in await admin.describe_topics()
        if topic["error_code"] == 0
    }


async def _create(
    topics: list[Topic], admin: AIOKafkaAdminClient, prefix: str, partitions: int, replication: int
) -> frozenset[str]:
    """Create topics and return the names of those that nobody else created meanwhile."""
    if not topics:
        return frozenset()
    wanted = [
        NewTopic(topic.name(prefix), partitions, replication, topic_configs=dict(topic.settings(replication)))
        for topic in topics
    ]
    response = await admin.create_topics(wanted)
    outcomes = [(name, code, message) for name, code, message in response.topic_errors]
    refused = [
        TopicProblem(
            name,
            "to create it with",
            f"{partitions} partitions and replication {replication}",
            f"the refusal {for_code(code).__name__}" + (f" ({message})" if message else ""),
            "Create it by hand as the topic table says, or have whoever runs that Kafka allow it.",
        )
        for name, code, message in outcomes
        if code not in (0, TopicAlreadyExistsError.errno)
    ]
    if refused:
        raise TopicError(refused)
    return frozenset(name for name, code, _ in outcomes if code == 0)


async def _create_until_led(
    names: Mapping[str, Topic], admin: AIOKafkaAdminClient, prefix: str, partitions: int, replication: int
) -> tuple[frozenset[str], Mapping[str, _Known]]:
    """Create the topics that are missing; return their names, and what is known of all topics once all are led.

    A topic that is being deleted may be there at first: it is created once it is gone.
    """
    created: frozenset[str] = frozenset()
    deadline = time.monotonic() + _CREATE_S
    while True:
        known = await _known(admin)
        missing = [topic for name, topic in names.items() if name not in known]
        created |= await _create(missing, admin, prefix, partitions, replication)
        without = [name for name in names if name not in known or not known[name].led]
        if not without:
            return created, {name: known[name] for name in names}
        if time.monotonic() > deadline:
            raise TopicError(
                TopicProblem(
                    name, "a leader within", f"{_CREATE_S:g} s", "none", "See what the brokers' logs say about it."
                )
                for name in sorted(without)
            )
        await asyncio.sleep(0.05)


async def _wait_until_served(bootstrap: str, counts: Mapping[str, int]) -> None:
    """Return once the leaders themselves know that they lead; metadata says so a little earlier."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        await consumer.start()
        await consumer.end_offsets(
            [TopicPartition(name, one) for name, count in counts.items() for one in range(count)]
        )
    finally:
        await stop_consumer(consumer)


async def _verify(
    admin: AIOKafkaAdminClient, prefix: str, known: Mapping[str, _Known], partitions: int, names: Collection[str]
) -> None:
    """Raise TopicError if one of these topics is not as it must be; `known` is what is known of all that are there."""
    topics = {topic.name(prefix): topic for topic in TOPICS}
    settings = await _settings(admin, names) if names else {}
    ledger = known.get(EVENTS.name(prefix))
    ledger_fits = ledger is not None and ledger.partitions == partitions
    problems = [
        problem
        for name in topics
        if name in names
        for problem in (
            *_miscounted(
                name, known[name].partitions, partitions, prefix if topics[name].derived and ledger_fits else None
            ),
            *_missettings(name, topics[name], known[name].copies, settings[name]),
        )
    ]
    if problems:
        raise TopicError(problems)


async def _settings(admin: AIOKafkaAdminClient, names: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    responses = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    found: dict[str, Mapping[str, str]] = {}
    for response in responses:
        for code, message, _, name, entries in response.resources:
            if code:
                raise TopicError(
                    [
                        TopicProblem(
                            name,
                            "to read its settings",
                            "",
                            f"the refusal {for_code(code).__name__} ({message})",
                            "Have whoever runs that Kafka allow DescribeConfigs.",
                        )
                    ]
                )
            found[name] = {str(entry[0]): str(entry[1]) for entry in entries}
    return found


def _miscounted(name: str, partitions: int, expected: int, anew_in: str | None) -> Iterator[TopicProblem]:
    """Say what is wrong with a count of partitions; a topic that can be made anew is so in an installation."""
    if partitions != expected:
        remedy = _other_count(partitions) if anew_in is None else _anew(name, anew_in)
        yield TopicProblem(name, "partitions", str(expected), str(partitions), remedy)


def _other_count(partitions: int) -> str:
    return (
        f"Set PARLEY_PARTITIONS={partitions} (or say `--partitions {partitions}`) if the ledger was made so;"
        " partitions cannot be changed, a key would move. Else use another PARLEY_PREFIX."
    )


def _anew(name: str, prefix: str) -> str:
    _, _, outputs = prefix.partition(OUTPUTS_MARK)
    command = f"parley topics --outputs {outputs}" if outputs else "parley topics"
    return (
        f"Delete it and make it anew: `kafka-topics.sh --delete --topic {name}`, then `{command}`. It holds nothing"
        " that cannot be made again from the ledger; if a worker has written to its set, delete all derived topics of"
        " the set, the cuts too."
    )


def _missettings(name: str, topic: Topic, copies: int, found: Mapping[str, str]) -> Iterator[TopicProblem]:
    for setting, expected in topic.obligations(copies).items():
        actual = found.get(setting, "nothing")
        if setting in AT_LEAST and actual.isdigit() and int(actual) >= int(expected):
            continue
        if actual != expected:
            yield TopicProblem(name, setting, expected, actual, _remedy(name, topic, setting, expected))


def _remedy(name: str, topic: Topic, setting: str, expected: str) -> str:
    command = f"kafka-configs.sh --alter --topic {name} --add-config {setting}={expected}"
    if setting == "message.timestamp.type":
        return f"Records that are there keep the times they have; for those that come, mend it: {command}"
    if setting in _OF_WHAT_COMES or topic.compacted:
        return f"Mend it: {command}"
    return f"Records may be gone already: compare with an export. Then mend it: {command}"
