"""Clocks that stand still, die and hear nothing back while instants fall due: an alert is decided once."""

import asyncio
import signal
from collections import Counter
from pathlib import Path

import pytest

from streams.broker import BrokerAddress
from streams.engine import ExitCode
from streams.topics_on_kafka import ensure_topics
from tests.clock.running import HOUR, Live, instant, soon, until, until_past, until_ready
from tests.clock.world import promise
from tests.engine.asking import free_ports
from tests.faults.campaign import staged
from tests.first_light.running import PARTITIONS, PATIENCE_S

pytestmark = pytest.mark.kafka


async def until_folded(port: int, events: int) -> None:
    """Wait until a clock has folded so many events."""

    async def enough() -> bool:
        return sum(int(one["folded"]) + 1 for one in await until_ready(port)) >= events

    await until(enough)


async def test_a_clock_that_stood_still_while_another_was_killed_warns_late_and_once(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    live = Live(kafka.bootstrap, prefix, tmp_path)
    ports = free_ports(2)
    one, two = (("--status-port", str(port)) for port in ports)
    async with live.worker(), live.clock(*one) as paused, live.clock(*two) as killed:
        await asyncio.gather(*(until_ready(port) for port in ports))
        begin = [soon(3 + number / 4) for number in range(8)]
        last = soon(10)
        await live.tell(*(promise(f"d{n}", at, f"n{n}") for n, at in enumerate(begin)), promise("last", last))
        await live.alerts(1)
        paused.send_signal(signal.SIGSTOP)
        try:
            await live.alerts(3)
            killed.send_signal(signal.SIGKILL)  # some of the others fall due just now
            await asyncio.wait_for(killed.wait(), PATIENCE_S)
            await until_past(last - HOUR)
            assert "last" not in {alert["deadline"] for alert in await live.alerts(3)}
        finally:
            paused.send_signal(signal.SIGCONT)
        alerts = await live.alerts(9)
        paused.terminate()
        assert await asyncio.wait_for(paused.wait(), PATIENCE_S) == 0
    told = Counter(alert["deadline"] for alert in await live.alerts(9))
    assert told == {"last": 1, **{f"d{n}": 1 for n in range(8)}}
    stamps = {(one.partition, one.offset): one.recorded_at for one in await live.strikes()}
    for alert in alerts:
        decided_at = stamps[alert["sequence"][0], alert["sequence"][1]]
        assert decided_at is not None
        assert decided_at >= instant(alert["warn_at"])
    assert await live.findings() == []


async def test_a_clock_whose_strike_is_not_acknowledged_leaves_and_strikes_it_no_second_time(
    prefix: str, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    async with staged(1, tmp_path) as stage:
        assert stage.cluster is not None
        await ensure_topics(stage.bootstrap, prefix, PARTITIONS)
        live = Live(stage.bootstrap, prefix, tmp_path)
        (node,) = stage.cluster.nodes
        async with live.clock("--status-port", str(port)) as clock:
            await until_ready(port)
            await live.tell(promise("first", soon(1)))
            async with live.worker():
                await live.alerts(1)
            await live.tell(promise("second", soon(3)))
            await until_folded(port, 3)
            node.proxy.become("replies lost")
            assert await asyncio.wait_for(clock.wait(), PATIENCE_S) == ExitCode.PRODUCER
        node.proxy.become("open")
        assert "records were not acknowledged" in (tmp_path / "clock.log").read_text("utf-8")
        assert len(await live.strikes()) == 2  # both are there: only the reply was lost
        async with live.worker(), live.clock("--status-port", str(port)):
            await until_ready(port)
            assert [alert["deadline"] for alert in await live.alerts(2)] == ["first", "second"]
            assert len(await live.strikes()) == 2
