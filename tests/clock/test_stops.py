"""The clock stops with a code and a reason, never with a wrong strike."""

import asyncio
import socket
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from schemas.codec import encode
from streams.broker import BrokerAddress
from streams.engine import ExitCode, set_aside
from streams.producing import LedgerWriter
from streams.settings import Settings
from streams.topics import EVENTS, partition_of
from streams.topics_on_kafka import ensure_topics
from streams.worker import engine_config
from tests.clock.running import Live, soon, until_ready
from tests.clock.world import promise
from tests.deleting import delete_topics
from tests.engine.asking import free_ports
from tests.first_light.running import PARTITIONS, PATIENCE_S, parley

pytestmark = pytest.mark.kafka


@pytest.fixture
async def live(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> Live:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    return Live(kafka.bootstrap, prefix, tmp_path)


async def end(live: Live, words: tuple[str, ...] = ()) -> tuple[int, str]:
    async with live.clock(*words) as clock:
        return await asyncio.wait_for(clock.wait(), PATIENCE_S), (live.state / "clock.log").read_text("utf-8")


async def test_a_hole_in_the_ledger_stops_it(live: Live) -> None:
    topic = EVENTS.name(live.prefix)
    async with AIOKafkaProducer(bootstrap_servers=live.bootstrap, transactional_id=f"{live.prefix}.t") as producer:
        async with producer.transaction():
            await producer.send_and_wait(topic, b"{}", partition=0)
        async with producer.transaction():
            await producer.send_and_wait(topic, b"{}", partition=0)
    code, said = await end(live)
    assert (code, f"exit 70: {topic}/0: expected offset 1, found 2" in said) == (ExitCode.HOLE, True), said


async def test_an_event_of_a_newer_major_version_stops_it_until_it_is_set_aside(live: Live) -> None:
    (port,) = free_ports(1)
    place = partition_of(b"n", PARTITIONS)
    newer = encode(promise("d", soon(1))).replace(b'"type"', b'"version":"2.0","type"')
    async with LedgerWriter(live.bootstrap, EVENTS.name(live.prefix)) as writer:
        await writer.append(b"n", newer, (), partition=place)
    code, said = await end(live)
    assert (code, "upgrade me" in said) == (ExitCode.PROJECTION, True), said
    config = engine_config(Settings(prefix=live.prefix), live.bootstrap, PARTITIONS)
    await set_aside(config, place, 0, "this version will not be installed")
    async with live.clock("--status-port", str(port)):
        shown = await until_ready(port)
    assert (shown[place]["folded"], shown[place]["waiting"]) == (0, 0)


async def test_a_ledger_made_anew_under_its_feet_stops_it(live: Live) -> None:
    (port,) = free_ports(1)
    await live.tell(promise("d", soon(60)))
    async with live.clock("--status-port", str(port)) as clock:
        await until_ready(port)
        await delete_topics(live.bootstrap, EVENTS.name(live.prefix))
        await ensure_topics(live.bootstrap, live.prefix, PARTITIONS)
        assert await asyncio.wait_for(clock.wait(), PATIENCE_S) == ExitCode.LEDGER


async def test_without_a_kafka_it_says_so(tmp_path: Path) -> None:
    done = await asyncio.to_thread(parley, tmp_path, "clock", "--brokers", "127.0.0.1:1")
    assert (done.returncode, b"No Kafka at 127.0.0.1:1" in done.stderr) == (4, True)


async def test_a_status_port_that_is_taken_is_named_with_what_to_do(live: Live) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, said = await end(live, ("--status-port", str(port)))
    expected = f"exit 75: port {port} on 127.0.0.1 is taken by another program. Name another one with --status-port"
    assert (code, expected in said, "Traceback" in said) == (ExitCode.PRODUCER, True, False), said
