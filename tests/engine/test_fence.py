"""The cut that is read behind the fence is the last one, whatever a broker tells beside the records."""

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.engine import fence
from streams.engine.fence import FencedProducer, read_behind_fence
from tests.engine.trial import Trial


@pytest.mark.kafka
async def test_a_high_watermark_that_lags_hides_no_cut(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = await trial.worker()
    for first in range(0, 300, 100):
        await trial.append(range(first, first + 100))
        await trial.until_done()
    assert await worker.end(15) == 0
    producer = FencedProducer(trial.engine_config(), 0)
    await producer.raise_fence()
    topic_id = await producer.topic_id(trial.ledger)
    as_it_is = AIOKafkaConsumer.highwater

    def lagging(consumer: AIOKafkaConsumer, place: TopicPartition) -> int | None:
        return None if as_it_is(consumer, place) is None else 0

    monkeypatch.setattr(AIOKafkaConsumer, "highwater", lagging)
    monkeypatch.setattr(fence, "_POLL_RECORDS_MAX", 1)
    read = await read_behind_fence(trial.engine_config(), 0, topic_id)
    await producer.stop()
    assert read.cut == (await trial.cuts())[0]
