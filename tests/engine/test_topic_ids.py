"""Who asks for a topic's id at the same time shares a question, which is never older than the asking."""

import asyncio

from aiokafka.errors import NodeNotReadyError

from streams.engine.topic_ids import SharedQuestion


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
