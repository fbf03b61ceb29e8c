"""Topics: made as they must be, verified, refused with reasons; and where a key belongs."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams import topics_on_kafka
from streams.broker import BrokerAddress
from streams.producing import Append, LedgerWriter
from streams.reading import BrokerUnreachable, read_table, read_to_end
from streams.topics import EVENTS, MEASURES, TOPICS, partition_of
from streams.topics_on_kafka import TopicError, TopicFound, TopicProblem, ensure_topics, topics_found
from tests.deleting import delete_topics


@pytest.fixture
async def admin(kafka: BrokerAddress) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await client.start()
    yield client
    await client.close()


async def make(admin: AIOKafkaAdminClient, name: str, partitions: int, settings: Mapping[str, str]) -> None:
    response = await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=dict(settings))])
    assert [code for _, code, _ in response.topic_errors] == [0]


async def test_missing_topics_are_made_and_then_only_verified(kafka: BrokerAddress, prefix: str) -> None:
    assert await topics_found(kafka.bootstrap, prefix) == ()
    report = await ensure_topics(kafka.bootstrap, prefix, 3)
    assert report.created == tuple(
        f"{prefix}.{name}.v1"
        for name in (
            "events",
            "cuts",
            "measures",
            "deadlines",
            "meetings",
            "metrics",
            "changes",
            "alerts",
            "dead-letters",
            "decisions",
        )
    )
    assert {(topic.partitions, topic.created) for topic in report.topics} == {(3, True)}
    again = await ensure_topics(kafka.bootstrap, prefix, 3)
    assert again.topics == tuple(
        TopicFound(topic.name, topic.topic_id, topic.partitions, created=False) for topic in report.topics
    )
    assert await topics_found(kafka.bootstrap, prefix) == again.topics


async def test_what_one_process_makes_another_may_make_at_the_same_time(kafka: BrokerAddress, prefix: str) -> None:
    reports = await asyncio.gather(*(ensure_topics(kafka.bootstrap, prefix, 2) for _ in range(4)))
    created = sorted(name for report in reports for name in report.created)
    assert created == sorted(topic.name(prefix) for topic in TOPICS)  # each by one of them
    assert len({tuple(topic.topic_id for topic in report.topics) for report in reports}) == 1


async def test_a_topic_that_was_made_anew_has_another_id(kafka: BrokerAddress, prefix: str) -> None:
    name = f"{prefix}.events.v1"
    first = (await ensure_topics(kafka.bootstrap, prefix, 1)).topic_id(name)
    await delete_topics(kafka.bootstrap, name)
    report = await ensure_topics(kafka.bootstrap, prefix, 1)
    assert report.created == (name,)
    assert first is not None
    assert report.topic_id(name) not in (None, first)


GOOD_LEDGER = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": "1048576",
}
ALTER = "kafka-configs.sh --alter --topic {name} --add-config "


@pytest.mark.parametrize(
    ("setting", "expected", "found", "remedy"),
    [
        (
            "cleanup.policy",
            "delete",
            "compact",
            f"Records may be gone already: compare with an export. Then mend it: {ALTER}cleanup.policy=delete",
        ),
        (
            "retention.ms",
            "-1",
            "604800000",
            f"Records may be gone already: compare with an export. Then mend it: {ALTER}retention.ms=-1",
        ),
        (
            "message.timestamp.type",
            "LogAppendTime",
            "CreateTime",
            (
                "Records that are there keep the times they have; for those that come, mend it:"
                f" {ALTER}message.timestamp.type=LogAppendTime"
            ),
        ),
        ("max.message.bytes", "1048576", "1000", f"Mend it: {ALTER}max.message.bytes=1048576"),
        (
            "unclean.leader.election.enable",
            "false",
            "true",
            (
                "Records may be gone already: compare with an export. Then mend it:"
                f" {ALTER}unclean.leader.election.enable=false"
            ),
        ),
    ],
)
async def test_a_ledger_kept_wrongly_is_refused_with_what_to_do(
    kafka: BrokerAddress,
    prefix: str,
    admin: AIOKafkaAdminClient,
    *,
    setting: str,
    expected: str,
    found: str,
    remedy: str,
) -> None:
    name = f"{prefix}.events.v1"
    await make(admin, name, 4, {**GOOD_LEDGER, setting: found})
    with pytest.raises(TopicError) as refusal:
        await ensure_topics(kafka.bootstrap, prefix, 4)
    problem = TopicProblem(name, setting, expected, found, remedy.format(name=name))
    assert refusal.value.problems == (problem,)
    assert str(refusal.value) == f"{name}: expected {setting} {expected}, found {found}. {problem.remedy}"


@pytest.mark.parametrize(
    ("copies", "kept", "expected"), [(1, "1", None), (2, "1", None), (3, "1", "2"), (3, "3", None)]
)
def test_what_is_acknowledged_is_on_all_copies_but_one(copies: int, kept: str, expected: str | None) -> None:
    settings = {**EVENTS.settings(copies), "min.insync.replicas": kept}
    problems = [*topics_on_kafka._missettings("e", EVENTS, copies, settings)]  # noqa: SLF001 -- else three brokers
    remedy = f"Mend it: {ALTER.format(name='e')}min.insync.replicas={expected}"
    wanted = [] if expected is None else [TopicProblem("e", "min.insync.replicas", expected, kept, remedy)]
    assert problems == wanted


async def test_a_ledger_made_by_hand_as_it_must_be_is_taken(
    kafka: BrokerAddress, prefix: str, admin: AIOKafkaAdminClient
) -> None:
    await make(admin, f"{prefix}.events.v1", 4, {**GOOD_LEDGER, "max.message.bytes": "9000000"})  # more is well
    report = await ensure_topics(kafka.bootstrap, prefix, 4)
    assert set(report.created) == {topic.name(prefix) for topic in TOPICS} - {f"{prefix}.events.v1"}


async def test_another_number_of_partitions_is_refused_for_every_topic(kafka: BrokerAddress, prefix: str) -> None:
    await ensure_topics(kafka.bootstrap, prefix, 2)
    with pytest.raises(TopicError) as refusal:
        await ensure_topics(kafka.bootstrap, prefix, 3)
    assert [(one.topic, one.setting, one.expected, one.found) for one in refusal.value.problems] == [
        (topic.name(prefix), "partitions", "3", "2") for topic in TOPICS
    ]
    assert "PARLEY_PARTITIONS=2" in refusal.value.problems[0].remedy


async def test_nothing_is_made_beside_topics_that_do_not_fit(kafka: BrokerAddress, prefix: str) -> None:
    await ensure_topics(kafka.bootstrap, prefix, 2)
    with pytest.raises(TopicError) as refusal:
        await ensure_topics(kafka.bootstrap, f"{prefix}+blue", 4)
    assert [one.topic for one in refusal.value.problems] == [f"{prefix}.events.v1", f"{prefix}.decisions.v1"]
    shared = [f"{prefix}.events.v1", f"{prefix}.decisions.v1"]
    assert [one.name for one in await topics_found(kafka.bootstrap, f"{prefix}+blue")] == shared


async def test_what_is_derived_and_does_not_fit_its_ledger_can_be_made_anew(
    kafka: BrokerAddress, prefix: str, admin: AIOKafkaAdminClient
) -> None:
    await ensure_topics(kafka.bootstrap, prefix, 2)
    name = f"{prefix}.blue.changes.v1"
    await make(admin, name, 4, {})
    with pytest.raises(TopicError) as refusal:
        await ensure_topics(kafka.bootstrap, f"{prefix}+blue", 2)
    (remedy,) = [one.remedy for one in refusal.value.problems if one.setting == "partitions"]
    assert remedy.startswith(
        f"Delete it and make it anew: `kafka-topics.sh --delete --topic {name}`, then `parley topics --outputs blue`."
    )
    await delete_topics(kafka.bootstrap, name)
    assert name in (await ensure_topics(kafka.bootstrap, f"{prefix}+blue", 2)).created


async def test_a_table_that_is_not_compacted_is_refused(
    kafka: BrokerAddress, prefix: str, admin: AIOKafkaAdminClient
) -> None:
    await make(admin, f"{prefix}.measures.v1", 4, {"max.message.bytes": "1048576"})
    with pytest.raises(
        TopicError, match=rf"{prefix}\.measures\.v1: expected cleanup\.policy compact, found delete\. Mend"
    ):
        await ensure_topics(kafka.bootstrap, prefix, 4)


async def test_more_replicas_than_brokers_are_refused_in_words(kafka: BrokerAddress, prefix: str) -> None:
    with pytest.raises(TopicError, match=r"found the refusal InvalidReplicationFactorError"):
        await ensure_topics(kafka.bootstrap, prefix, 1, replication=3)
    assert await topics_found(kafka.bootstrap, prefix) == ()


async def test_without_a_broker_there_is_an_answer_at_once() -> None:
    begun = time.monotonic()
    with pytest.raises(
        BrokerUnreachable, match=r"^No Kafka at 127\.0\.0\.1:1: connection refused\. Start the embedded"
    ):
        await ensure_topics("127.0.0.1:1", "parley", 4)
    assert time.monotonic() - begun < 5


async def test_a_table_becomes_small_by_itself_and_says_the_same(kafka: BrokerAddress, prefix: str) -> None:
    await ensure_topics(kafka.bootstrap, prefix, 1)
    topic = MEASURES.name(prefix)
    count, keys = 40_000, 100
    async with LedgerWriter(kafka.bootstrap, topic) as writer:
        await writer.append_all(
            [Append(b"k%d" % (i % keys), b"%d " % i + b"x" * 500, (), 0) for i in range(count)]  # several segments
        )
    expected = {b"k%d" % (i % keys): b"%d " % i + b"x" * 500 for i in range(count - keys, count)}
    deadline = time.monotonic() + 60
    while True:
        kept = [record async for records in read_to_end(kafka.bootstrap, topic) for record in records]
        if len(kept) < count / 3:
            break
        assert time.monotonic() < deadline, f"{len(kept)} of {count} records are still kept for {keys} keys"
        await asyncio.sleep(0.5)
    assert {key: row.value for key, row in (await read_table(kafka.bootstrap, topic)).items()} == expected


@pytest.mark.parametrize(
    ("key", "hashed"),
    [  # the values that Kafka's own Java client is tested with
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
@pytest.mark.parametrize("partitions", [1, 4, 12])
def test_a_key_belongs_where_kafkas_own_client_puts_it(key: bytes, hashed: int, partitions: int) -> None:
    assert partition_of(key, partitions) == (hashed & 0x7FFFFFFF) % partitions
