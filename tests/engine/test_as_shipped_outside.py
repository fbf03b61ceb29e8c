"""What Faust as shipped does with what others do to topic, records and group, and what the engine does instead."""

import asyncio
import signal
from typing import Any

import pytest

from streams.engine import ExitCode
from tests.engine.batches import append_batch, gzip_bomb, plain
from tests.engine.observing import peak_bytes, until_group_at, until_logged, until_stopped, values
from tests.engine.trial import Trial, Worker

pytestmark = pytest.mark.kafka
AS_SHIPPED = "tests.engine.as_shipped"
REVOKED = "Revoking previously assigned partitions"
MIB = 1 << 20
Sides = tuple[Trial, Trial]


def revoked(worker: Worker) -> int:
    """Return how often a worker has let go of what it had, if only of nothing, to join its group again."""
    return worker.log.read_text().count(REVOKED)


async def test_a_topic_made_anew_is_gone_on_with_where_the_old_one_was_and_committed_past(sides: Sides) -> None:
    shipped, cured = sides
    group = f"{shipped.prefix}.shipped"
    stock = {"group": group, "agent": "hanging", "settings": {"broker_commit_interval": 0.2}}
    workers = (await shipped.worker(AS_SHIPPED, **stock), await cured.worker())
    await asyncio.gather(*(side.append_raw(b"1", b"2", b"3") for side in sides))
    await asyncio.gather(until_group_at(shipped, group, 3), cured.until_done())
    for side, worker in zip(sides, workers, strict=True):
        worker.pause()
        await until_stopped(worker)
        await side.delete_topic("ledger")
        await side.create_topics("ledger")
        await side.append_raw(b"4", b"5", b"6", b"7", b"8")
        worker.wake()
    await until_group_at(shipped, group, 5)
    assert await values(shipped, "outputs") == [[b"1", b"2", b"3", b"7", b"8"]]
    assert await workers[1].end() == ExitCode.LEDGER
    assert await (await cured.worker()).end() == ExitCode.LEDGER
    assert {n: cut.offset for n, cut in (await cured.cuts()).items()} == {0: 2}


async def test_a_name_of_a_header_that_is_no_utf_8_ends_every_start_and_what_comes_before_is_not_reached(
    sides: Sides,
) -> None:
    shipped, cured = sides
    for side in sides:
        await side.append_raw(b"1")
        await append_batch(side.bootstrap, side.ledger, plain([b"2"], [(b"\xff\xfe", b"x")]))
        await side.append_raw(b"3")
    group = f"{shipped.prefix}.shipped"
    for _ in range(2):
        stock = await shipped.worker(AS_SHIPPED, group=group, agent="hanging")
        assert await stock.end() == 1
        assert "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff" in stock.log.read_text()
    assert (await values(shipped, "outputs"), await shipped.committed(group)) == ([[]], None)
    await cured.worker()
    await cured.until_done()
    assert await values(cured, "outputs") == [[b"0 1 1", b"1 to 1 refused", b"2 2 4"]]


async def test_what_is_small_on_the_wire_and_large_in_memory_is_unpacked(sides: Sides) -> None:
    shipped, cured = sides
    group = f"{shipped.prefix}.shipped"
    workers = (await shipped.worker(AS_SHIPPED, group=group, agent="levels"), await cured.worker())
    await asyncio.gather(*(side.append_raw(b"1") for side in sides))
    await asyncio.gather(shipped.until_written("outputs", 1), cured.until_done())
    before = [peak_bytes(worker) for worker in workers]
    for side in sides:
        await append_batch(side.bootstrap, side.ledger, gzip_bomb(200 * MIB))
        await side.append_raw(b"3")
    await asyncio.gather(shipped.until_written("outputs", 3), cured.until_done())
    more = [peak_bytes(worker) - memory for worker, memory in zip(workers, before, strict=True)]
    assert more[0] > 200 * MIB
    assert more[1] < 16 * MIB
    assert (await values(cured, "outputs"))[0][1] == b"1 to 1 refused"


@pytest.mark.parametrize("sides", [2], indirect=True)
async def test_whoever_starts_again_takes_the_partitions_of_all_others_away(sides: Sides) -> None:
    shipped, cured = sides
    stock = {"group": f"{shipped.prefix}.shipped", "agent": "hanging"}

    def named(name: str) -> dict[str, Any]:
        return {"instance_id": name, "session_timeout": 24.0}  # a restart on a busy machine takes longer than 6 s

    first = (await shipped.worker(AS_SHIPPED, **stock), await cured.worker(**named("a")))
    await asyncio.gather(until_logged(first[0], "Worker ready"), first[1].until_ready(2))
    second = (await shipped.worker(AS_SHIPPED, **stock), await cured.worker(**named("b")))
    await asyncio.gather(until_logged(second[0], "Worker ready"), second[1].until_ready(1))
    await asyncio.gather(*(side.append(range(40)) for side in sides))
    await asyncio.gather(shipped.until_written("outputs", 40), cured.until_done())
    before = [revoked(worker) for worker in (*first, second[1])]
    assert await asyncio.gather(*(worker.end(signal.SIGTERM) for worker in second)) == [0, 0]
    _, again = await shipped.worker(AS_SHIPPED, **stock), await cured.worker(**named("b"))
    await asyncio.gather(until_logged(first[0], REVOKED, before[0] + 1), again.until_ready(1))
    await cured.append(range(40, 80))
    await cured.until_done()
    assert await first[1].end(signal.SIGTERM) == 0  # the leader of the group, this time
    assert revoked(first[1]) == before[1]
    leader = await cured.worker(**named("a"))
    await leader.until_ready(1)
    await cured.append(range(80, 120))
    await cured.until_done()
    assert revoked(again) == before[2]
    assert await cured.verdict() == "exact"


async def test_who_is_not_let_into_the_group_stays_without_a_word(sides: Sides) -> None:
    shipped, cured = sides
    longer_than_allowed = {"broker_session_timeout": 86_400.0, "broker_request_timeout": 86_401.0}
    stock = await shipped.worker(
        AS_SHIPPED, group=f"{shipped.prefix}.shipped", agent="hanging", settings=longer_than_allowed
    )
    await until_logged(stock, "InvalidSessionTimeoutError")
    worker = await cured.worker(session_timeout=86_400.0, request_timeout=86_401.0)
    assert await worker.end() == ExitCode.PRODUCER
    assert stock.process.returncode is None
    assert (stock.log.read_text().count("(Re-)joining group"), "Worker ready" in stock.tail()) == (1, False)
