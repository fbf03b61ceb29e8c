"""A clock goes on from what it kept on its disk, as if it had folded the ledger again; or it does fold it again."""

import asyncio
import re
import signal
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.broker import BrokerAddress
from streams.clock import PartitionClock
from streams.engine import ExitCode, Store, set_aside
from streams.engine.moves import Origin
from streams.settings import Settings
from streams.topics import EVENTS, partition_of
from streams.topics_on_kafka import ensure_topics
from streams.worker import engine_config
from tests.clock.running import HOUR, Live, soon, until_ready
from tests.clock.world import BEGIN, Broker, Machine, promise
from tests.deleting import delete_topics
from tests.engine.asking import free_ports
from tests.engine.on_disk import flipped, saved_up_to
from tests.first_light.running import PARTITIONS, PATIENCE_S


class Keeper(Machine):
    """A machine whose clock keeps what it has folded, and begins with it."""

    def __init__(self, broker: Broker, path: Path) -> None:
        self.store = Store(path)
        super().__init__(broker)

    def start(self) -> None:
        """Start the clock, as after kill -9: what was not kept is gone."""
        super().start()
        path = self.store.path
        self.store.close()
        self.store = Store(path, self.clock.layout)
        self.store.origin = Origin("events", "id", 0, "1")
        self.clock.attach(self.store)

    def keep(self) -> None:
        """Keep what there is."""
        if self.clock.next_offset:
            self.store.save(self.clock.next_offset - 1, self.clock.changed())


def asked(clock: PartitionClock) -> dict[str, object]:
    return {name: one.at for name, one in clock.wakes.asked.items()}


def folded_anew(machine: Machine, up_to: int) -> PartitionClock:
    clock = Machine(machine.broker).clock
    if up_to:
        clock.read(machine.broker.log[:up_to])
    return clock


@settings(max_examples=40, deadline=None)
@example(steps=["tell", "keep", "kill"])
@example(steps=["tell", "wait", "keep", "move", "kill", "tell", "kill"])
@given(steps=st.lists(st.sampled_from(["tell", "move", "keep", "kill", "wait", "wait"]), max_size=40))
def test_what_was_kept_asks_for_the_same_instants(tmp_path_factory: pytest.TempPathFactory, steps: list[str]) -> None:
    broker = Broker()
    machine = Keeper(broker, tmp_path_factory.mktemp("clock") / "0.snapshot")
    told: list[str] = []
    for number, step in enumerate(steps):
        match step:
            case "tell":
                told.append(f"n{number}")
                broker.append(promise("d", broker.now + 3 * HOUR, told[-1], act="set"))
            case "move" if told:
                broker.append(promise("d", broker.now + 4 * HOUR, told[0], act=f"moved-{number}"))
            case "keep":
                machine.keep()
            case "kill":
                machine.start()
                anew = folded_anew(machine, machine.clock.next_offset)
                assert (asked(machine.clock), machine.clock.time.now()) == (asked(anew), anew.time.now())
            case _:
                broker.now += timedelta(minutes=20)
        machine.look()
    while machine.clock.wakes.asked:
        machine.look()
        broker.now += timedelta(minutes=1)
    alerts = [(alert["negotiation"], alert["revision"], alert["lead"]) for alert, _ in broker.alerts()]
    assert len(set(alerts)) == len(alerts)
    assert {negotiation for negotiation, _, lead in alerts if lead == "1h"} == set(told)
    assert broker.early_strikes() == 0


def test_a_slow_clock_remembers_the_latest_stamp(tmp_path: Path) -> None:
    broker = Broker()
    machine = Keeper(broker, tmp_path / "0.snapshot")
    broker.now += HOUR
    broker.append(promise("d", BEGIN + 3 * HOUR))
    machine.look()
    machine.keep()
    machine.fast_by = -10 * HOUR
    machine.start()
    assert machine.clock.time.now() >= BEGIN + HOUR


@pytest.fixture
async def live(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> Live:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    return Live(kafka.bootstrap, prefix, tmp_path)


PLACE = partition_of(b"n", PARTITIONS)


def snapshot(live: Live) -> Path:
    return live.state / "clock" / f"{live.prefix}.{PLACE}.snapshot"


def said(live: Live) -> str:
    return (live.state / "clock.log").read_text("utf-8")


async def kept(live: Live) -> None:
    """Run a clock until it has folded the ledger, and let it leave."""
    (port,) = free_ports(1)
    async with live.clock("--status-port", str(port)) as clock:
        await until_ready(port)
        clock.terminate()
        assert await asyncio.wait_for(clock.wait(), PATIENCE_S) == 0


async def folds(live: Live, count: int, of: int) -> None:
    """See how many events a clock that is started now has to fold."""
    before = said(live)
    await kept(live)
    assert f"folding {count} of {of} events" in said(live).removeprefix(before)


@pytest.mark.kafka
async def test_a_clock_that_is_killed_folds_only_what_came_since_and_forgets_no_warning(live: Live) -> None:
    (port,) = free_ports(1)
    await live.tell(*(promise(f"d{number}", soon(3600)) for number in range(20)), promise("first", soon(8)))
    # whether "first" is due before the kill or after it depends on the machine: either way it is told once
    async with live.worker():
        async with live.clock("--status-port", str(port)) as clock:
            await until_ready(port)
            async with asyncio.timeout(PATIENCE_S):
                while saved_up_to(snapshot(live)) < 20:  # noqa: ASYNC110  another process writes it
                    await asyncio.sleep(0.02)
            clock.send_signal(signal.SIGKILL)
            await asyncio.wait_for(clock.wait(), PATIENCE_S)
        begins_at, before = saved_up_to(snapshot(live)) + 1, said(live)
        await live.tell(promise("second", soon(5)))
        async with live.clock():
            alerts = await live.alerts(2)
    assert sorted(alert["deadline"] for alert in alerts) == ["first", "second"]
    folded = re.search(r"folding (\d+) of (\d+) events", said(live).removeprefix(before))
    assert folded is not None
    assert int(folded[2]) - int(folded[1]) == begins_at


@pytest.mark.kafka
async def test_what_is_set_aside_after_it_was_folded_and_kept_is_folded_no_more(live: Live) -> None:
    await live.tell(promise("d", soon(3600)), promise("e", soon(7200)))
    await kept(live)
    await folds(live, 0, of=2)
    config = engine_config(Settings(prefix=live.prefix), live.bootstrap, PARTITIONS)
    await set_aside(config, PLACE, 1, "it was not meant")
    await folds(live, 2, of=2)
    assert "does not fit the ledger" in said(live)
    await folds(live, 0, of=2)


OFFENCES: dict[str, Callable[[Path], object]] = {
    "a flipped byte": flipped,
    "no database": lambda path: path.write_bytes(b"x" * 10_000),
}


@pytest.mark.kafka
@pytest.mark.parametrize("offence", OFFENCES)
async def test_a_damaged_snapshot_is_never_believed(live: Live, offence: str) -> None:
    await live.tell(promise("d", soon(3600)))
    await kept(live)
    OFFENCES[offence](snapshot(live))
    await folds(live, 1, of=1)
    assert "thrown away" in said(live)


@pytest.mark.kafka
@pytest.mark.parametrize("keys", ["6E00%", "6E0069647300%"], ids=["all", "of ids, which are read to be saved"])
async def test_damage_that_shows_when_a_value_is_loaded_ends_the_clock(live: Live, keys: str) -> None:
    await live.tell(promise("d", soon(3600)))
    await kept(live)
    with sqlite3.connect(snapshot(live)) as connection:
        assert connection.execute("UPDATE kept SET value = x'7b7d' WHERE hex(key) LIKE ?", (keys,)).rowcount > 0
    connection.close()
    await live.tell(promise("e", soon(3600)))
    async with live.clock() as clock:
        assert await asyncio.wait_for(clock.wait(), PATIENCE_S) == ExitCode.SNAPSHOT
    await folds(live, 2, of=2)


@pytest.mark.kafka
async def test_the_snapshot_of_a_ledger_that_was_made_anew_is_not_believed(live: Live) -> None:
    await live.tell(promise("d", soon(3600)))
    await kept(live)
    await delete_topics(live.bootstrap, EVENTS.name(live.prefix))
    await ensure_topics(live.bootstrap, live.prefix, PARTITIONS)
    await live.tell(promise("e", soon(3600)), promise("f", soon(3600)))
    await folds(live, 2, of=2)


@pytest.mark.kafka
async def test_a_second_clock_beside_the_first_does_without_a_snapshot(live: Live) -> None:
    one, two = free_ports(2)
    await live.tell(promise("d", soon(3600)))
    await kept(live)
    async with live.clock("--status-port", str(one)):
        await until_ready(one)
        async with live.clock("--status-port", str(two)):
            await until_ready(two)
            assert "no snapshot is kept" in said(live)
            assert "folding 1 of 1 events" in said(live)
