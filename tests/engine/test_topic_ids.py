"""Who asks for a topic's id at the same time shares a question, which is never older than the asking."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import NodeNotReadyError

from streams.engine.asking import ask_in_turn
from streams.engine.consumer import leader_of
from streams.engine.topic_ids import SharedQuestion
from tests.engine.trial import Trial


class Broker:
    """Takes questions and answers them when told to."""

    def __init__(self) -> None:
        self.questions: list[asyncio.Future[str | None]] = []

    async def topic_id(self) -> str | None:
        """Wait for an answer."""
        question: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self.questions.append(question)
        return await question


async def turns(count: int = 10) -> None:
    """Let everybody go as far as they come."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_who_comes_while_a_question_is_under_way_shares_the_next() -> None:
    broker, shared = Broker(), SharedQuestion()
    first = asyncio.create_task(shared.ask(broker.topic_id))
    await turns()
    late = [asyncio.create_task(shared.ask(broker.topic_id)) for _ in range(3)]
    await turns()
    assert len(broker.questions) == 1  # never two at a time
    broker.questions[0].set_result("old")
    await turns()
    assert (await first, [one.done() for one in late]) == ("old", [False] * 3)  # that answer was asked for too early
    assert len(broker.questions) == 2
    broker.questions[1].set_result("new")
    assert await asyncio.gather(*late) == ["new"] * 3


async def test_a_question_that_fails_fails_for_those_who_share_it_and_not_for_the_next() -> None:
    broker, shared = Broker(), SharedQuestion()
    pair = [asyncio.create_task(shared.ask(broker.topic_id)) for _ in range(2)]
    await turns()
    after = asyncio.create_task(shared.ask(broker.topic_id))
    broker.questions[0].set_exception(NodeNotReadyError("gone"))
    await turns()
    assert [type(one.exception()) for one in pair] == [NodeNotReadyError] * 2
    broker.questions[1].set_result("id")
    assert await after == "id"


async def test_whoever_gives_up_takes_the_question_from_nobody() -> None:
    broker, shared = Broker(), SharedQuestion()
    gives_up, stays = (asyncio.create_task(shared.ask(broker.topic_id)) for _ in range(2))
    await turns()
    gives_up.cancel()
    await turns()
    broker.questions[0].set_result("id")
    assert await stays == "id"
    assert len(broker.questions) == 1


class Cluster:
    """Brokers that answer what they are given to answer, and note who was asked."""

    def __init__(self, answers: dict[int, str | Exception | None]) -> None:
        self._answers = answers
        self.cluster = SimpleNamespace(brokers=lambda: {Node(node) for node in answers})
        self.asked: list[int] = []

    async def send(self, node: int, request: object) -> str | None:
        """Answer, or do not."""
        assert request == "which?"
        self.asked.append(node)
        answer = self._answers[node]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Node:
    """A broker, as a cluster tells it."""

    def __init__(self, node: int) -> None:
        self.nodeId = node


async def ask(cluster: Cluster, first: int | None = None) -> str | None:
    """Ask it which."""
    client: Any = cluster
    return await ask_in_turn(client, "which?", lambda answer: answer, first)


@pytest.mark.parametrize("first", [1, 2, 3])
async def test_the_word_of_the_broker_that_is_asked_first_counts(first: int) -> None:
    cluster = Cluster({node: "new" if node == first else "old" for node in (1, 2, 3)})
    assert (await ask(cluster, first), cluster.asked) == ("new", [first])


async def test_where_it_does_not_answer_or_does_not_know_another_does() -> None:
    unknown = Cluster({1: None, 2: "id", 3: "id"})
    assert (await ask(unknown, 1), unknown.asked[0], len(unknown.asked)) == ("id", 1, 2)
    silent = Cluster({1: NodeNotReadyError("gone"), 2: "id", 3: "id"})
    assert (await ask(silent, 1), silent.asked[0], len(silent.asked)) == ("id", 1, 2)


async def test_nobody_knows_only_where_all_have_answered() -> None:
    assert await ask(Cluster({1: None, 2: None})) is None
    with pytest.raises(NodeNotReadyError):
        await ask(Cluster({1: None, 2: NodeNotReadyError("gone")}), 1)
    with pytest.raises(NodeNotReadyError):
        await ask(Cluster({}))


@pytest.mark.kafka
@pytest.mark.parametrize("trial", [2], indirect=True)
async def test_a_consumer_fetches_from_the_leader(trial: Trial) -> None:
    async with AIOKafkaConsumer(bootstrap_servers=trial.bootstrap) as consumer:
        consumer.assign([TopicPartition(trial.ledger, 1)])
        await consumer.end_offsets([TopicPartition(trial.ledger, 1)])
        (only,) = consumer._client.cluster.brokers()  # noqa: SLF001
        assert leader_of(consumer, trial.ledger, 1) == only.nodeId
        assert leader_of(consumer, trial.ledger, 2) is None
        assert leader_of(consumer, "another", 0) is None
