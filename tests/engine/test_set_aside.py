"""A record that makes the projection raise is passed once a person has set it aside, by everybody and for ever."""

import signal

import pytest
from aiokafka import AIOKafkaProducer

from streams.engine import ExitCode, NotSetAside, UnreadableCutError
from streams.engine.set_asides import SetAside, decode_set_aside, set_aside_prefix
from tests.engine.trial import Trial


def test_a_set_aside_is_read_back_as_it_was_written() -> None:
    one = SetAside("ledger", "id", 3, 17, "it is not a number")
    assert decode_set_aside(one.encode()) == one
    assert one.key == b"set-aside:ledger/3/17"
    assert one.key.startswith(set_aside_prefix("ledger", 3))
    assert not one.key.startswith(set_aside_prefix("ledger", 31))


@pytest.mark.parametrize("value", [b"", b"{}", b"[1]", b'{"topic":"t","topic_id":null,"partition":0,"offset":"1"}'])
def test_what_is_no_set_aside_says_what_was_expected(value: bytes) -> None:
    with pytest.raises(UnreadableCutError, match="expected a set-aside"):
        decode_set_aside(value)


def test_a_set_aside_of_a_topic_that_was_made_anew_concerns_nobody() -> None:
    one = SetAside("ledger", "id", 0, 0, "")
    assert [one.speaks_of(topic_id) for topic_id in ("id", "another", None)] == [True, False, True]


@pytest.mark.kafka
async def test_a_poison_is_named_set_aside_and_passed_and_stays_aside_when_all_is_folded_again(trial: Trial) -> None:
    await trial.append(range(2_000))
    poison = len((await trial.read("ledger"))[0])
    await trial.append_raw(b"poison")
    await trial.append(range(2_000, 4_000))
    stopped = await trial.worker(instance_id="a")
    assert await stopped.end() == ExitCode.PROJECTION
    assert f"on {trial.ledger}/0 at offset {poison};" in stopped.tail()
    await trial.set_aside(0, poison)
    second = await trial.worker(instance_id="a")
    await trial.until_done()
    assert await second.end(signal.SIGKILL) == -signal.SIGKILL
    await trial.append(range(4_000, 5_000))
    await trial.worker(instance_id="a")
    await trial.until_done()
    assert await trial.verdict() == "exact"


@pytest.mark.kafka
async def test_whoever_sets_aside_fences_the_worker_so_that_both_agree_on_what_is_aside(trial: Trial) -> None:
    await trial.append(range(400))
    dead = await trial.worker(instance_id="a", stop_at="after_send_before_commit")
    assert await dead.end() == -signal.SIGKILL
    await trial.set_aside(0, 7)
    fenced = await trial.worker(instance_id="a")
    await trial.until_done()
    with pytest.raises(NotSetAside, match="there is no such record"):
        await trial.set_aside(0, 9_999)
    await trial.append(range(400, 420))
    assert await fenced.end() == ExitCode.PRODUCER
    await trial.worker(instance_id="a")
    await trial.until_done()
    assert await trial.verdict() == "exact"


@pytest.mark.kafka
async def test_a_transaction_that_stays_open_on_the_cuts_is_told_in_words(trial: Trial) -> None:
    await trial.append(range(40))
    producer = AIOKafkaProducer(bootstrap_servers=trial.bootstrap, transactional_id=trial.prefix)
    async with producer, producer.transaction():
        await producer.send_and_wait(f"{trial.prefix}.cuts", b"{}", b"foreign", partition=0)
        with pytest.raises(NotSetAside, match="a transaction that begins at offset 0 does not end"):
            await trial.set_aside(0, 7)


@pytest.mark.kafka
async def test_what_is_committed_cannot_be_set_aside(trial: Trial) -> None:
    await trial.append(range(40))
    worker = await trial.worker()
    await trial.until_done()
    assert await worker.end(signal.SIGTERM) == 0
    cut = (await trial.cuts())[0].offset
    with pytest.raises(NotSetAside, match=f"behind the cut, which is at {cut}, got {cut}"):
        await trial.set_aside(0, cut)
    assert await trial.verdict() == "exact"
