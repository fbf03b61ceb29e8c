"""What Faust as shipped does with its tables, and what the engine does with rows instead, side by side.

The records are appended once Faust is ready: what it finds waiting it may lose, what comes later not.
"""

import asyncio
import signal

import pytest

from streams.engine import ExitCode
from tests.engine.observing import until, until_group_at, until_logged, until_stopped, values
from tests.engine.trial import Trial

pytestmark = pytest.mark.kafka
AS_SHIPPED = "tests.engine.as_shipped"
Sides = tuple[Trial, Trial]


async def test_a_zombie_overwrites_newer_rows_and_nobody_notices(sides: Sides) -> None:
    shipped, cured = sides
    group = f"{shipped.prefix}.shipped"
    soon = {
        "broker_session_timeout": 6.0,
        "broker_heartbeat_interval": 1.5,
        "broker_rebalance_timeout": 6.0,
        "broker_commit_interval": 0.2,
    }
    zombies = (
        await shipped.worker(AS_SHIPPED, group=group, settings=soon, stop_before="2"),
        await cured.worker(stop_before="2"),
    )
    await until_logged(zombies[0], "Worker ready")
    await asyncio.gather(*(side.append_raw(b"1") for side in sides))
    await asyncio.gather(until_group_at(shipped, group, 1), cured.until_done())
    await asyncio.gather(*(side.append_raw(b"2") for side in sides))
    await asyncio.gather(*(until_stopped(zombie) for zombie in zombies))
    stock = await shipped.worker(AS_SHIPPED, group=group, settings=soon)
    await cured.worker()
    await until_logged(stock, "Worker ready")
    await asyncio.gather(*(side.append_raw(b"30", b"40") for side in sides))
    await asyncio.gather(*(side.append_raw(b"0", key=b"end") for side in sides))
    await asyncio.gather(shipped.until_key("outputs", b"end"), cured.until_done())
    (before,) = await values(shipped, "shipped-sums-changelog")
    assert int(before[-2]) >= 71
    for zombie in zombies:
        zombie.wake()

    async def overwritten() -> bool:
        (written,) = await values(shipped, "shipped-sums-changelog")
        return b"3" in written[len(before) :]

    await until(overwritten)
    assert await zombies[1].end() == ExitCode.PRODUCER
    assert await cured.verdict() == "exact"


async def test_a_value_changed_in_place_never_reaches_the_changelog(sides: Sides) -> None:
    shipped, cured = sides
    group = f"{shipped.prefix}.shipped"
    first = [await shipped.worker(AS_SHIPPED, group=group, agent="mutating"), await cured.worker()]
    await until_logged(first[0], "Worker ready")
    await asyncio.gather(*(side.append_raw(b"1", b"2", b"3") for side in sides))
    await asyncio.gather(shipped.until_written("outputs", 3), cured.until_done())
    assert await asyncio.gather(*(worker.end(signal.SIGTERM) for worker in first)) == [0, 0]
    assert await values(shipped, "shipped-lists-changelog") == [[b"[]"]]
    stock = await shipped.worker(AS_SHIPPED, group=group, agent="mutating")
    await cured.worker()
    await until_logged(stock, "Worker ready")
    await asyncio.gather(*(side.append_raw(b"4") for side in sides))
    await asyncio.gather(shipped.until_written("outputs", 4), cured.until_done())
    assert await values(shipped, "outputs") == [[b"1", b"2", b"3", b"1"]]
    assert await cured.verdict() == "exact"


@pytest.mark.parametrize("sides", [2], indirect=True)
async def test_a_rebalance_reads_back_also_what_is_still_there(sides: Sides) -> None:
    shipped, cured = sides
    stock = {"group": f"{shipped.prefix}.shipped", "agent": "replaying"}
    workers = [await shipped.worker(AS_SHIPPED, **stock)]
    await cured.worker(tells="folded")
    await until_logged(workers[0], "Worker ready")
    await asyncio.gather(*(side.append(range(40)) for side in sides))
    await asyncio.gather(shipped.until_written("outputs", 40), cured.until_done())
    workers.append(await shipped.worker(AS_SHIPPED, **stock, data_directory=str(shipped.directory / "second")))
    second = await cured.worker(tells="folded")
    ready = (until_logged(one, "Worker ready", times) for one, times in zip(workers, (2, 1), strict=True))
    await asyncio.gather(*ready, second.until_ready(1))
    await asyncio.gather(*(side.append([40, 41]) for side in sides))
    await asyncio.gather(shipped.until_key("outputs", b"k40"), shipped.until_key("outputs", b"k41"), cured.until_done())
    read_back = [int(dict(written)[b"k%d" % (40 + n)]) for n, written in (await shipped.read("outputs")).items()]
    assert min(read_back) >= 20
    kept, moved = sorted(await values(cured, "outputs"), key=lambda written: int(written[-1]))
    assert (len(kept), len(moved)) == (21, 21)
    assert {int(folded) for folded in kept} == {0}


@pytest.mark.parametrize("sides", [2], indirect=True)
async def test_a_table_with_fewer_partitions_than_the_ledger_loses_every_event(sides: Sides) -> None:
    shipped, cured = sides
    group = f"{shipped.prefix}.shipped"
    await cured.delete_topic("rows")
    await cured.create_topics("rows", partitions=1)
    await asyncio.gather(*(side.append(range(4)) for side in sides))
    await shipped.worker(AS_SHIPPED, group=group, settings={"broker_commit_interval": 0.2}, table_partitions=1)
    worker = await cured.worker()
    await until_group_at(shipped, group, 2)
    assert await values(shipped, "outputs") == [[], []]
    assert await worker.end() == ExitCode.LEDGER
    assert f"expected partition 1 of {cured.prefix}.rows, as the ledger has one, it has [0]" in worker.tail()
