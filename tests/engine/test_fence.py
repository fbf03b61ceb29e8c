"""What the fenced producer sends is there whole, and what is read behind the fence is what concerns this ledger."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import RecordMetadata

from streams.engine import behind_fence, fence
from streams.engine.behind_fence import read_behind_fence
from streams.engine.fence import FencedProducer, UnknownOffsetError
from streams.engine.set_asides import SetAside
from tests.engine.trial import Trial

NO_HEADERS: tuple[tuple[str, bytes], ...] = ()


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
    monkeypatch.setattr(behind_fence, "_POLL_RECORDS_MAX", 1)
    read = (await read_behind_fence(trial.engine_config(), 0, {trial.ledger: topic_id})).read
    await producer.stop()
    assert read.cut == (await trial.cuts())[0]


@pytest.mark.kafka
async def test_a_set_aside_of_a_ledger_that_was_made_anew_is_not_read(trial: Trial) -> None:
    producer = FencedProducer(trial.engine_config(), 0)
    await producer.raise_fence()
    topic_id = await producer.topic_id(trial.ledger)
    ours = SetAside(trial.ledger, topic_id, 0, 3, "it is not a number")
    of_another = replace(ours, topic_id="AAAAAAAAAAAAAAAAAAAAAA", offset=5)
    await producer.send({f"{trial.prefix}.cuts": [(one.key, one.encode(), ()) for one in (ours, of_another)]})
    await producer.commit()
    read = (await read_behind_fence(trial.engine_config(), 0, {trial.ledger: topic_id})).read
    await producer.stop()
    assert read.aside == {3}


@pytest.mark.kafka
async def test_outputs_that_fill_many_batches_are_all_there_in_order(trial: Trial) -> None:
    sizes = [200_000, 90_000, 1, 300_000, 500_000, 10, 20, 400_000, 250_000, 300_000, 7]
    entries = [(b"k%d" % n, bytes([n]) * size, NO_HEADERS) for n, size in enumerate(sizes)]
    producer = FencedProducer(trial.engine_config(), 0)
    await producer.raise_fence()
    await producer.send({f"{trial.prefix}.outputs": entries, f"{trial.prefix}.rows": entries[:2]})
    await producer.commit()
    await producer.stop()
    assert (await trial.read("outputs"))[0] == [(key, value) for key, value, _ in entries]
    assert (await trial.read("rows"))[0] == [(key, value) for key, value, _ in entries[:2]]
    assert producer.sent_bytes > sum(sizes)


async def test_a_batch_that_was_taken_without_a_place_is_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Forgetful(AIOKafkaProducer):  # type: ignore[misc]  # aiokafka ships no types
        """One whose broker takes a batch for one that was sent again, and knows no more where it stands."""

        async def begin_transaction(self) -> None:
            """Open nothing."""

        async def send_batch(self, *_: object, **__: object) -> "asyncio.Future[RecordMetadata]":
            """Acknowledge at once."""
            acknowledged: asyncio.Future[RecordMetadata] = asyncio.get_running_loop().create_future()
            acknowledged.set_result(RecordMetadata("outputs", 0, TopicPartition("outputs", 0), -1, -1, 0, 0))
            return acknowledged

    monkeypatch.setattr(fence, "AIOKafkaProducer", Forgetful)
    producer = FencedProducer(Trial("nowhere:1", "fence", tmp_path).engine_config(), 0)
    with pytest.raises(UnknownOffsetError, match="outputs/0: acknowledged without an offset"):
        await producer.send({"outputs": [(b"k", b"v", NO_HEADERS)]})


def test_the_broker_is_told_how_long_a_transaction_of_this_partition_may_be_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, object] = {}
    monkeypatch.setattr(fence, "AIOKafkaProducer", lambda **settings: told.update(settings))
    config = Trial("nowhere:1", "fence", tmp_path).engine_config(transaction_timeout=3.5)
    FencedProducer(config, 2)
    assert (told["transaction_timeout_ms"], told["transactional_id"]) == (3_500, config.transactional_id(2))
