"""What Faust as shipped does with events, and what the engine does instead; if one fails some day, its cure may go.

Each test runs both side by side on the same broker, with the same records. Where Faust has a table they are appended
once it is ready: what it finds waiting it may lose, what comes later not.
"""

import asyncio
import signal

import pytest

from streams.engine import ExitCode
from tests.engine.observing import refuse_above, until_group_at, until_logged, until_some_partition_has, values
from tests.engine.trial import Trial

pytestmark = pytest.mark.kafka
AS_SHIPPED = "tests.engine.as_shipped"
QUICK = {"broker_commit_interval": 0.2}
NEVER = {"broker_commit_interval": 3600.0}
Sides = tuple[Trial, Trial]


async def both(sides: Sides, *records: bytes) -> None:
    """Append the same records on both sides."""
    await asyncio.gather(*(side.append_raw(*records) for side in sides))


async def test_a_hole_is_stepped_over_and_committed_past(sides: Sides) -> None:
    shipped, cured = sides
    group = f"{shipped.prefix}.shipped"
    stock, worker = await shipped.worker(AS_SHIPPED, group=group), await cured.worker()
    await until_logged(stock, "Worker ready")
    for side in sides:
        await side.append_raw(b"1", b"2", transactional=True)
        await side.append_raw(b"3")
    await shipped.until_written("outputs", 3)
    assert await stock.end(signal.SIGTERM) == 0
    assert await shipped.committed(group) == 4
    assert await worker.end() == ExitCode.HOLE


async def test_an_event_whose_processing_failed_is_lost_and_committed_past(sides: Sides) -> None:
    shipped, cured = sides
    group = f"{shipped.prefix}.shipped"
    stock, worker = await shipped.worker(AS_SHIPPED, group=group), await cured.worker()
    await until_logged(stock, "Worker ready")
    await both(sides, b"1", b"not a number", b"2")
    await shipped.until_written("outputs", 2)
    assert await stock.end(signal.SIGTERM) == 0
    assert await values(shipped, "outputs") == [[b"1", b"3"]]
    assert await shipped.committed(group) == 3
    assert await worker.end() == ExitCode.PROJECTION


async def test_a_batch_of_which_one_event_failed_is_lost_as_a_whole_and_committed_past(sides: Sides) -> None:
    shipped, cured = sides
    await both(sides, b"1", b"not a number", b"2", b"30", b"40", b"50")
    group = f"{shipped.prefix}.shipped"
    stock, worker = await shipped.worker(AS_SHIPPED, group=group, agent="taking"), await cured.worker()
    await shipped.until_written("outputs", 1)
    assert await stock.end(signal.SIGTERM) == 0
    assert await values(shipped, "outputs") == [[b"120"]]
    assert await shipped.committed(group) == 6
    assert await worker.end() == ExitCode.PROJECTION
    assert await cured.cuts() == {}
    await cured.set_aside(0, 1)
    await cured.worker()
    await cured.until_done()
    assert await cured.verdict() == "exact"


async def test_what_cannot_be_decoded_is_dropped_and_committed_past(sides: Sides) -> None:
    shipped, cured = sides
    await both(sides, b"1", b"{", b"2")
    group = f"{shipped.prefix}.shipped"
    stock, worker = await shipped.worker(AS_SHIPPED, group=group, agent="decoding"), await cured.worker()
    await shipped.until_written("outputs", 2)
    assert await stock.end(signal.SIGTERM) == 0
    assert await values(shipped, "outputs") == [[b"1", b"2"]]
    assert await shipped.committed(group) == 3
    assert await worker.end() == ExitCode.PROJECTION
    await cured.set_aside(0, 1)
    await cured.worker()
    await cured.until_done()
    assert await values(cured, "outputs") == [[b"0 1 1", b"1 set aside", b"2 2 3"]]


async def test_documents_typed_as_dict_crash_the_agent_and_are_committed_past(sides: Sides) -> None:
    shipped, cured = sides
    await both(sides, b'{"a": 1}', b'{"a": 1, "b": 2}')
    group = f"{shipped.prefix}.shipped"
    _, worker = await shipped.worker(AS_SHIPPED, group=group, agent="dicts", settings=QUICK), await cured.worker()
    await until_group_at(shipped, group, 2)
    assert await values(shipped, "outputs") == [[]]
    assert await worker.end() == ExitCode.PROJECTION
    assert await cured.cuts() == {}


async def test_an_output_that_the_broker_refuses_is_a_line_in_the_log_and_committed_past(sides: Sides) -> None:
    shipped, cured = sides
    for side in sides:
        await refuse_above(side, "outputs", 300)
    await both(sides, b"1", b"9" * 1000, b"2")
    group = f"{shipped.prefix}.shipped"
    _, worker = await shipped.worker(AS_SHIPPED, group=group, agent="hanging", settings=QUICK), await cured.worker()
    await until_group_at(shipped, group, 3)
    assert len((await values(shipped, "outputs"))[0]) < 3
    assert await worker.end() == ExitCode.PROJECTION
    assert (
        f"{cured.prefix}.outputs does not take what is sent; the longest record, with key b'raw', has" in worker.tail()
    )


async def test_a_commit_passes_an_event_that_is_still_in_work(sides: Sides) -> None:
    shipped, cured = sides
    await both(sides, b"hang", b"1", b"2")
    group = f"{shipped.prefix}.shipped"
    stock = await shipped.worker(AS_SHIPPED, group=group, agent="hanging", settings=QUICK)
    worker = await cured.worker(stall_timeout=2.0)
    await until_group_at(shipped, group, 3)
    assert await stock.end(signal.SIGKILL) == -signal.SIGKILL
    assert await values(shipped, "outputs") == [[b"1", b"2"]]
    assert await worker.end() == ExitCode.STALLED
    assert await cured.cuts() == {}


async def test_what_is_fetched_before_the_word_of_a_seek_is_lost_after_a_recovery(sides: Sides) -> None:
    shipped, cured = sides
    group = f"{shipped.prefix}.shipped"
    first = [await shipped.worker(AS_SHIPPED, group=group), await cured.worker()]
    await until_logged(first[0], "Worker ready")
    await asyncio.gather(*(side.append(range(20), keys=1) for side in sides))
    await asyncio.gather(shipped.until_written("outputs", 20), cured.until_done())
    assert await asyncio.gather(*(worker.end(signal.SIGTERM) for worker in first)) == [0, 0]
    await asyncio.gather(*(side.append(range(20, 320), keys=1) for side in sides))
    stock = await shipped.worker(AS_SHIPPED, group=group, seek_seconds=2.0, event_seconds=0.002)
    await cured.worker(seek_seconds=2.0)
    await until_logged(stock, "Worker ready")
    await both(sides, b"0")
    await cured.until_done()
    assert await cured.verdict() == "exact"
    await shipped.until_key("outputs", b"raw")
    assert len((await values(shipped, "outputs"))[0]) < 321


async def test_outputs_are_outside_of_the_transaction_that_is_promised(sides: Sides) -> None:
    shipped, cured = sides
    group = f"{shipped.prefix}.shipped"
    stock = await shipped.worker(AS_SHIPPED, group=group, settings={**NEVER, "processing_guarantee": "exactly_once"})
    worker = await cured.worker(instance_id="one", stop_at="after_send_before_commit:1")
    await until_logged(stock, "Worker ready")
    await both(sides, b"1", b"2", b"3")
    await shipped.until_written("outputs", 3)
    assert await shipped.committed(group) is None
    assert await stock.end(signal.SIGKILL) == -signal.SIGKILL
    assert await worker.end() == -signal.SIGKILL
    assert await values(shipped, "outputs") == [[b"1", b"3", b"6"]]  # and its successor begins at the first again
    await cured.worker(instance_id="one")
    await cured.until_done()
    assert await cured.verdict() == "exact"


@pytest.mark.parametrize("sides", [2], indirect=True)
async def test_what_is_done_and_not_committed_is_done_again_after_a_rebalance(sides: Sides) -> None:
    shipped, cured = sides
    await asyncio.gather(*(side.append(range(40)) for side in sides))
    stock = {"group": f"{shipped.prefix}.shipped", "agent": "hanging", "settings": NEVER}
    await shipped.worker(AS_SHIPPED, **stock)
    await cured.worker()
    await asyncio.gather(shipped.until_written("outputs", 40), cured.until_done())
    await shipped.worker(AS_SHIPPED, **stock, data_directory=str(shipped.directory / "second"))
    second = await cured.worker()
    # the one that moved; what is done again of the one that stayed may be lost after its seek
    await asyncio.gather(until_some_partition_has(shipped, "outputs", 40), second.until_ready(1))
    await cured.append([40, 41])
    await cured.until_done()
    assert await cured.verdict() == "exact"
