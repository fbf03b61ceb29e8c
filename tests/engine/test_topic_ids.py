"""Who asks for a topic's id at the same time shares a question, which is never older than the asking."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import NodeNotReadyError, RequestTimedOutError

from streams.engine.asking import ask_in_turn
from streams.engine.refusing import refuse_unpacking
from streams.engine.topic_ids import SharedQuestion, agreed_ids, topic_ids
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


WAITS = object()


class Cluster:
    """Brokers that answer what they are given to answer, and note who was asked."""

    def __init__(
        self, answers: Mapping[int, object], known: Sequence[int] | None = None, request: str | None = "which?"
    ) -> None:
        self._answers = answers
        self._known = list(answers if known is None else known)
        self._request = request
        self.cluster = SimpleNamespace(brokers=lambda: {Node(node) for node in self._known})
        self.asked: list[int] = []

    async def force_metadata_update(self) -> None:
        """Hear of all brokers that there are."""
        if WAITS in self._answers.values():
            await asyncio.Event().wait()
        self._known = list(self._answers)

    async def send(self, node: int, request: object) -> object:
        """Answer, or do not."""
        assert self._request in (None, request)
        self.asked.append(node)
        answer = self._answers[node]
        if isinstance(answer, Exception):
            raise answer
        if answer is WAITS:
            await asyncio.Event().wait()
        return answer


class Node:
    """A broker, as a cluster tells it."""

    def __init__(self, node: int) -> None:
        self.nodeId = node


async def ask(cluster: Cluster, first: int | None = None, within: float | None = None) -> str | None:
    """Ask it which."""
    found: str | None = await ask_in_turn(cluster, "which?", lambda answer: answer, first=first, within=within)
    return found


def answer(*topics: tuple[str, int]) -> SimpleNamespace:
    """Give a broker's answer: the name of each topic, and a number for its id, 0 if it does not know it."""
    return SimpleNamespace(topics=[(0, name, number.to_bytes(16), False, [], 0, {}) for name, number in topics])


def encoded(number: int) -> str:
    """Write an id as Kafka's tools do."""
    return urlsafe_b64encode(number.to_bytes(16)).rstrip(b"=").decode()


@pytest.mark.parametrize("first", [1, 2, 3])
async def test_the_word_of_the_broker_that_is_asked_first_counts(first: int) -> None:
    cluster = Cluster({node: "new" if node == first else "old" for node in (1, 2, 3)})
    assert (await ask(cluster, first), cluster.asked) == ("new", [first])


async def test_where_it_does_not_answer_or_does_not_know_another_does() -> None:
    unknown = Cluster({1: None, 2: "id", 3: "id"})
    assert (await ask(unknown, 1), unknown.asked[0], len(unknown.asked)) == ("id", 1, 2)
    silent = Cluster({1: NodeNotReadyError("gone"), 2: "id", 3: "id"})
    assert (await ask(silent, 1), silent.asked[0], len(silent.asked)) == ("id", 1, 2)


async def test_one_that_stands_still_is_passed_over_where_others_are_left() -> None:
    still = Cluster({1: WAITS, 2: "id"})
    assert await ask(still, 1, within=0.01) == "id"
    with pytest.raises(RequestTimedOutError, match=r"node 1 did not answer within 0\.01 s"):
        await ask(Cluster({1: WAITS, 2: None}), 1, within=0.01)
    alone = asyncio.create_task(ask(Cluster({1: WAITS}), 1, within=0.01))
    done, _ = await asyncio.wait([alone], timeout=0.05)
    assert not done
    alone.cancel()


async def test_a_broker_that_is_not_known_yet_is_looked_for() -> None:
    cluster = Cluster({1: "old", 2: "old", 3: "new"}, known=[1, 2])
    assert (await ask(cluster, 3), cluster.asked) == ("new", [3])
    silent = Cluster({1: "id", 2: WAITS, 3: "new"}, known=[1])
    assert (await ask(silent, 3, within=0.01), silent.asked) == ("id", [1])
    gone = Cluster({1: "id"})
    assert (await ask(gone, 3), gone.asked) == ("id", [1])


async def test_nobody_knows_only_where_all_have_answered() -> None:
    assert await ask(Cluster({1: None, 2: None})) is None
    with pytest.raises(NodeNotReadyError):
        await ask(Cluster({1: None, 2: NodeNotReadyError("gone")}), 1)
    with pytest.raises(NodeNotReadyError):
        await ask(Cluster({}))


@pytest.mark.kafka
@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_it_is_noted_how_much_was_fetched_and_from_whom(trial: Trial) -> None:
    await trial.append_raw(b"x" * 1_000, b"y" * 1_000)
    place = TopicPartition(trial.ledger, 0)
    async with AIOKafkaConsumer(bootstrap_servers=trial.bootstrap, auto_offset_reset="earliest") as consumer:
        origins = refuse_unpacking(consumer)
        consumer.assign([place])
        first = (await consumer.getmany(place, timeout_ms=10_000, max_records=1))[place]
        size, node = origins.take(place)
        (only,) = consumer._client.cluster.brokers()  # noqa: SLF001
        assert (len(first), node) == (1, only.nodeId)
        assert size > 1_000
        assert len((await consumer.getmany(place, timeout_ms=10_000))[place]) == 1
        assert origins.take(place)[1] == node
        assert origins.take(TopicPartition("another", 0)) == (0, None)


async def test_a_question_that_nobody_waits_for_is_left_to_its_own_time_out() -> None:
    answered, ended = asyncio.Event(), asyncio.Event()

    async def send(node: int, _request: object) -> str:
        if node == 2:
            return "id"
        try:
            await answered.wait()
        finally:
            ended.set()
        raise NodeNotReadyError("too late")

    client = SimpleNamespace(cluster=Cluster({1: None, 2: None}).cluster, send=send)
    assert await ask_in_turn(client, "which?", lambda one: one, first=1, within=0.01) == "id"
    assert not ended.is_set()
    answered.set()
    await ended.wait()


@pytest.mark.parametrize(
    ("said", "agreed"),
    [
        ({1: [("a", 1), ("b", 2)], 2: [("a", 1), ("b", 2)]}, {"a": encoded(1), "b": encoded(2)}),
        ({1: [("a", 1), ("b", 2)], 2: [("a", 9), ("b", 2)]}, {"b": encoded(2)}),  # one of them lags
        ({1: [("a", 1), ("b", 0)], 2: [("a", 0), ("b", 0)]}, {"a": encoded(1)}),  # one has not heard of it
        ({1: [("a", 1)], 2: WAITS}, {"a": encoded(1)}),
        ({1: [("a", 1)], 2: NodeNotReadyError("gone")}, {"a": encoded(1)}),
        ({1: NodeNotReadyError("gone")}, {}),
        ({1: NotImplementedError()}, {}),
    ],
)
async def test_brokers_agree_on_an_id_where_all_say_the_same_that_know_one(
    said: dict[int, Any], agreed: dict[str, str]
) -> None:
    answers = {node: answer(*told) if isinstance(told, list) else told for node, told in said.items()}
    assert await agreed_ids(cast("Any", Cluster(answers, request=None)), ["a", "b"], 0.01) == agreed


async def test_the_first_word_on_an_id_stands() -> None:
    answers = {1: answer(("a", 1), ("b", 0)), 2: answer(("a", 9), ("b", 2))}
    found = await topic_ids(cast("Any", Cluster(answers, request=None)), ["a", "b"], first=1)
    assert found == {"a": encoded(1), "b": encoded(2)}


async def test_all_topics_are_asked_for_at_once_and_what_no_broker_knows_has_no_id() -> None:
    said = {1: [("a", 1), ("b", 0)], 2: [("b", 2), ("c", 0)]}
    answers = {node: answer(*topics) for node, topics in said.items()}
    found = await topic_ids(cast("Any", Cluster(answers, request=None)), ["a", "b", "c"], first=1)
    assert found == {"a": encoded(1), "b": encoded(2), "c": None}
