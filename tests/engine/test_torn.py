"""A transaction that the cluster tears apart: what is there is neither written twice nor taken for the whole."""

import re
import signal
from collections.abc import Collection
from itertools import combinations
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from streams.engine import ExitCode, NotSetAside, behind_fence
from streams.engine.behind_fence import OvertakenError, _Outputs, read_behind_fence
from streams.engine.fence import FencedProducer
from tests.engine.trial import Trial
from tests.tearing import tear

pytestmark = pytest.mark.kafka

TOPICS = ("cuts", "outputs", "rows")
PARTS = [parts for n in (1, 2) for parts in combinations(TOPICS, n)]


async def written(trial: Trial, *batches: int) -> None:
    """Let a worker write what so many records bring about, one batch after the other, and leave."""
    first, begin = await trial.worker(instance_id="a"), 0
    for count in batches:
        await trial.append(range(begin, begin + count), keys=5)
        await trial.until_done()
        begin += count
    assert await first.end(signal.SIGTERM) == 0


async def torn(trial: Trial, parts: Collection[str]) -> None:
    """Let a worker die with a transaction of twenty records open, and let the cluster commit these parts of it."""
    await written(trial, 30)
    await trial.append(range(30, 50), keys=5)
    dead = await trial.worker(instance_id="a", stop_at="after_send_before_commit:1")
    assert await dead.end() == -signal.SIGKILL
    wanted = [f"{trial.prefix}.{part}" for part in sorted(parts)]
    assert not wanted or await tear(trial.bootstrap, 0, wanted) == wanted


@pytest.mark.parametrize("trial", [1], indirect=True)
@pytest.mark.parametrize("parts", PARTS, ids="+".join)
async def test_what_is_there_is_kept_and_what_is_missing_is_written(trial: Trial, parts: tuple[str, ...]) -> None:
    await torn(trial, parts)
    await trial.append(range(50, 80), keys=5)
    worker = await trial.worker(instance_id="a")
    await trial.until_done()
    assert await trial.verdict() == "exact"
    assert ("the cluster has torn a transaction apart" in worker.tail()) == (parts != ("rows",))


@pytest.mark.parametrize("trial", [1], indirect=True)
@pytest.mark.parametrize("parts", [("outputs",), ("cuts",), ("outputs", "cuts"), ("cuts", "rows")], ids="+".join)
@pytest.mark.parametrize(
    "stop_at", ["after_cut_read", "after_send_before_commit:2", "after_commit:1", "after_commit:3"]
)
async def test_whoever_dies_while_it_makes_that_whole_leaves_it_to_the_next(
    trial: Trial, parts: tuple[str, ...], stop_at: str
) -> None:
    await torn(trial, parts)
    dead = await trial.worker(instance_id="a", batch_max=3, stop_at=stop_at)
    assert await dead.end() == -signal.SIGKILL
    worker = await trial.worker(instance_id="a", batch_max=4)
    await worker.until_committed(50)
    assert await trial.verdict() == "exact"


@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_a_transaction_that_is_torn_while_an_earlier_one_is_made_whole(trial: Trial) -> None:
    await torn(trial, ["outputs"])
    dead = await trial.worker(instance_id="a", batch_max=12, stop_at="after_send_before_commit:2")
    assert await dead.end() == -signal.SIGKILL
    wanted = [f"{trial.prefix}.cuts", f"{trial.prefix}.rows"]
    assert await tear(trial.bootstrap, 0, wanted) == wanted
    worker = await trial.worker(instance_id="a")
    await worker.until_committed(50)
    assert await trial.verdict() == "exact"


@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_rows_that_are_torn_off_later_do_not_stand_for_those_that_are_missing(trial: Trial) -> None:
    await torn(trial, ["cuts", "outputs"])
    dead = await trial.worker(instance_id="a", batch_max=12, stop_at="after_send_before_commit:1")
    assert await dead.end() == -signal.SIGKILL
    assert await tear(trial.bootstrap, 0, [f"{trial.prefix}.rows"]) == [f"{trial.prefix}.rows"]
    worker = await trial.worker(instance_id="a")
    await worker.until_committed(50)
    assert await trial.verdict() == "exact"


@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_what_a_committed_cut_covers_cannot_be_set_aside_though_its_rows_are_missing(trial: Trial) -> None:
    await torn(trial, ["cuts", "outputs"])
    with pytest.raises(NotSetAside, match="behind the cut, which is at 49, got 40"):
        await trial.set_aside(0, 40)
    worker = await trial.worker(instance_id="a")
    await worker.until_committed(50)
    assert await trial.verdict() == "exact"


@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_a_transaction_that_hangs_in_the_outputs_is_called_that(trial: Trial) -> None:
    first = await trial.worker()
    await trial.append(range(10))
    await trial.until_done()
    hanging = AIOKafkaProducer(bootstrap_servers=trial.bootstrap, transactional_id=f"{trial.prefix}.hanging")
    await hanging.start()
    await hanging.begin_transaction()
    begun = await hanging.send_and_wait(f"{trial.prefix}.outputs", b"of somebody else", partition=0)
    await trial.append(range(10, 20))
    await first.until_committed(20)
    assert await first.end(signal.SIGTERM) == 0
    second = await trial.worker()
    assert await second.end() == ExitCode.PRODUCER
    assert f"outputs/0: a transaction that begins at offset {begun.offset} does not end" in second.tail()
    await hanging.abort_transaction()
    await hanging.stop()


@pytest.mark.parametrize("trial", [1], indirect=True)
@pytest.mark.parametrize("moment", [(behind_fence, "_last_of_each_key"), (_Outputs, "_count")], ids=["cut", "outputs"])
async def test_what_a_successor_commits_is_not_taken_for_torn(
    trial: Trial, moment: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await torn(trial, [])
    config = trial.engine_config()
    paused = FencedProducer(config, 0)
    await paused.raise_fence()
    place, name = moment
    goes_on = getattr(place, name)

    async def pausing(*told: Any) -> Any:  # noqa: ANN401 -- what it stands for says it
        monkeypatch.undo()
        await trial.append(range(50, 60), keys=5)
        worker = await trial.worker(instance_id="a", batch_max=10)
        await worker.until_committed(60)
        return await goes_on(*told)

    monkeypatch.setattr(place, name, pausing)
    with pytest.raises(OvertakenError):
        await read_behind_fence(config, 0, await paused.topic_ids(trial.ledger))
    await paused.stop()
    assert await trial.verdict() == "exact"


@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_the_very_first_transaction_may_be_torn_too(trial: Trial) -> None:
    await trial.append(range(20), keys=5)
    dead = await trial.worker(stop_at="after_send_before_commit:1")
    assert await dead.end() == -signal.SIGKILL
    assert await tear(trial.bootstrap, 0, [f"{trial.prefix}.outputs"]) == [f"{trial.prefix}.outputs"]
    worker = await trial.worker()
    await worker.until_committed(20)
    assert await trial.verdict() == "exact"


@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_what_the_fold_does_not_bring_about_stops_the_worker(trial: Trial) -> None:
    await written(trial, 10)
    await trial.append_raw(b"of somebody else", topic="outputs")
    await trial.append(range(10, 20))
    second = await trial.worker()
    assert await second.end() == ExitCode.LEDGER
    assert "has a record that no cut covers, in place of the one with key" in second.tail()
    assert (await trial.cuts())[0].offset == 9


@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_an_output_topic_that_was_made_anew_stops_the_worker(trial: Trial) -> None:
    await written(trial, 10, 10)
    await trial.delete_topic("outputs")
    await trial.create_topics("outputs")
    second = await trial.worker()
    assert await second.end() == ExitCode.LEDGER
    assert "it was made anew" in second.tail()


@pytest.mark.parametrize("trial", [1], indirect=True)
@pytest.mark.parametrize("topic", ["outputs", "rows"])
async def test_an_output_topic_that_is_made_anew_under_a_running_worker_stops_it(trial: Trial, topic: str) -> None:
    worker = await trial.worker()
    await trial.append(range(5))
    await trial.until_done()
    await trial.delete_topic(topic)
    await trial.create_topics(topic)
    await trial.append(range(5, 30))
    assert await worker.end() == ExitCode.LEDGER
    assert "was made anew, or has lost its last records, under this worker" in worker.tail()
    again = await trial.worker()  # the topic has an end behind that of the cut by now
    assert await again.end() == ExitCode.LEDGER
    assert re.search(rf"{topic} had topic id \S+ and has \S+ now: it was made anew", again.tail())
    assert (await trial.cuts())[0].offset == 4


@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_what_cannot_be_told_any_more_stops_the_worker_where_it_matters(trial: Trial) -> None:
    await torn(trial, ["cuts", "outputs"])
    await trial.delete_records(0, 40, topic="outputs")
    second = await trial.worker()
    assert await second.end() == ExitCode.LEDGER
    assert "of the same transaction cannot be told: its records there are deleted" in second.tail()


@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_a_ledger_that_has_lost_its_last_records_is_told_of_first(trial: Trial) -> None:
    await torn(trial, ["cuts"])
    await trial.delete_topic("ledger")
    await trial.create_topics("ledger")
    await trial.append(range(40), keys=5)
    cut = (await trial.cuts())[0]
    read = await read_behind_fence(trial.engine_config(), 0, {trial.ledger: cut.topic_id})
    assert (read.read.cut, read.back) == (cut, False)
    second = await trial.worker()
    assert await second.end() == ExitCode.LEDGER
    assert (await trial.cuts())[0] == cut


@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_outputs_whose_first_records_are_gone_are_gone_on_with(trial: Trial) -> None:
    await written(trial, 10)
    await trial.delete_records(0, 11, topic="outputs")
    await trial.append(range(10, 20))
    second = await trial.worker()
    await trial.until_done()
    assert "whether the last transaction is there as a whole cannot be told" in second.tail()
    assert [value.split()[0] for _, value in (await trial.read("outputs"))[0]] == [b"%d" % n for n in range(10, 20)]
