"""A bench that is told to stop leaves nothing behind: no process, and no topic on a Kafka that it was given.

One that is killed can delete no topics, but its processes end with it.
"""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from streams.broker import BrokerAddress
from streams.doors.commanding import INTERRUPTED
from tests.clock.running import until
from tests.clock.test_up import runs
from tests.first_light.running import PATIENCE_S
from tests.house.tree import ROOT

LONG = ("bench", "latency", "--rate", "50", "--seconds", "600", "--history", "1000", "--json")


def children(process: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def is_alive(process: int) -> bool:
    return Path(f"/proc/{process}/exe").exists()  # what ended and nobody has waited for yet has none


async def topics_of_benches(kafka: BrokerAddress) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        return {topic for topic in await admin.list_topics() if topic.startswith("bench-")}
    finally:
        await admin.close()


async def running_bench(kafka: BrokerAddress) -> tuple[asyncio.subprocess.Process, list[int]]:
    bench = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streams.doors.starting", *LONG, "--brokers", kafka.bootstrap,
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    async def all_run() -> bool:
        return len(children(bench.pid)) == 3  # worker, subscriber and appender

    await until(all_run)
    return bench, children(bench.pid)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
async def test_processes_and_topics_go_with_a_bench_that_is_told_to_stop(
    kafka: BrokerAddress, by: signal.Signals
) -> None:
    before = await topics_of_benches(kafka)
    bench, started = await running_bench(kafka)
    bench.send_signal(by)
    said, _ = await asyncio.wait_for(bench.communicate(), PATIENCE_S)
    assert (bench.returncode, said) == (INTERRUPTED, b"")
    assert [one for one in started if runs(one)] == []

    async def topics_are_gone() -> bool:
        return await topics_of_benches(kafka) <= before

    await until(topics_are_gone)


async def test_processes_end_with_a_bench_that_is_killed(kafka: BrokerAddress) -> None:
    bench, started = await running_bench(kafka)
    assert all(is_alive(one) for one in started)
    bench.kill()
    await asyncio.wait_for(bench.wait(), PATIENCE_S)

    async def all_ended() -> bool:
        return not any(is_alive(one) for one in started)

    await until(all_ended)
