"""The clock at work on a real Kafka, with real processes; time is the broker's."""

import asyncio
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.events import ComponentChanged, MetricDefined
from schemas.formulas import SumOfRates, Term
from schemas.provenance import Document, Source
from schemas.times import When
from streams.broker import BrokerAddress
from streams.doors import commanding
from streams.now import now
from streams.topics import ALERTS
from streams.topics_on_kafka import ensure_topics, topics_found
from tests.clock.running import HOUR, Live, instant, soon, until_past, until_ready
from tests.clock.world import promise
from tests.engine.asking import free_ports
from tests.first_light.running import PARTITIONS, PATIENCE_S, played_history

IN_TIME_S = 3  # a machine that runs other tests beside this one may be slow
pytestmark = pytest.mark.kafka


@pytest.fixture
async def live(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> Live:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    return Live(kafka.bootstrap, prefix, tmp_path)


async def decided_at(live: Live, alert: dict[str, object]) -> datetime:
    """Return the broker's time of the strike that an alert rests on."""
    sequence = alert["sequence"]
    assert isinstance(sequence, list)
    (found,) = [one.recorded_at for one in await live.strikes() if [one.partition, one.offset] == sequence[:2]]
    assert found is not None
    return found


async def killed(process: asyncio.subprocess.Process) -> None:
    process.send_signal(signal.SIGKILL)
    await asyncio.wait_for(process.wait(), PATIENCE_S)


async def test_two_clocks_warn_once_and_in_time_whoever_is_killed(live: Live) -> None:
    ports = free_ports(3)
    one, two, three = (("--status-port", str(port)) for port in ports)
    async with live.worker() as worker, live.clock(*one) as first, live.clock(*two) as second:
        await asyncio.gather(*(until_ready(port) for port in ports[:2]))
        await live.tell(promise("first", soon(3)))
        await live.alerts(1)
        await asyncio.gather(killed(worker), killed(first))
        async with live.worker():
            await live.tell(promise("second", soon(3)))
            await live.alerts(2)
            await killed(second)
            await live.tell(promise("third", soon(3)))
            async with live.clock(*three) as last:
                await live.alerts(3)
                last.terminate()
                assert await asyncio.wait_for(last.wait(), PATIENCE_S) == 0
            await live.tell(promise("later", soon(60)))
            await live.row("deadlines", "n/later", state="pending")
    alerts = await live.alerts(3)
    assert [(alert["deadline"], alert["lead"]) for alert in alerts] == [(n, "1h") for n in ("first", "second", "third")]
    assert [await decided_at(live, alert) >= instant(alert["warn_at"]) for alert in alerts] == [True] * 3
    assert max(alert["late_by_seconds"] for alert in alerts[:2]) < IN_TIME_S
    assert await live.findings() == []
    struck = Counter(one.id for one in await live.strikes())
    assert (len(struck), max(struck.values()) <= 2) == (3, True)


@pytest.mark.parametrize("fast_by", [3600, -3600])
async def test_a_clock_that_is_wrong_by_an_hour_alerts_nobody_early_and_corrects_itself(
    live: Live, fast_by: int
) -> None:
    (port,) = free_ports(1)
    async with live.worker(), live.clock("--status-port", str(port), f"--fast-by={fast_by}"):
        await until_ready(port)
        await live.tell(*(promise("d", soon(3 + number), f"n{number}") for number in range(3)))
        alerts = await live.alerts(3)
        partitions = {one.partition for one in await live.strikes()}
        shown = await until_ready(port)
    assert {alert["lead"] for alert in alerts} == {"1h"}
    assert max(alert["late_by_seconds"] for alert in alerts) < IN_TIME_S
    for alert in alerts:
        assert await decided_at(live, alert) >= instant(alert["warn_at"]) - timedelta(seconds=1)
    early = Counter(await live.findings())
    assert early["early_strike"] == (len(partitions) if fast_by > 0 else 0)
    assert {round(one["broker_ahead_s"]) for one in shown if one["partition"] in partitions} == {-fast_by}


async def test_a_clock_that_was_down_warns_late_and_says_how_late(live: Live) -> None:
    due = soon(3)
    await live.tell(promise("d", due), promise("e", now() - timedelta(seconds=1)))
    async with live.worker():
        await live.row("deadlines", "n/d", state="pending")
        await live.row("deadlines", "n/e", state="lapsed_unconfirmed")  # heard of after it was due: no alert
        await until_past(due - HOUR + timedelta(seconds=2.5))
        async with live.clock():
            (alert,) = await live.alerts(1)
    assert (alert["deadline"], alert["late_by_seconds"] >= 2) == ("d", True)
    late = await decided_at(live, alert) - instant(alert["warn_at"])
    assert alert["late_by_seconds"] == late // timedelta(seconds=1)


async def test_the_clock_leaves_replays_alone_and_stops_when_it_is_told_to(live: Live) -> None:
    (port,) = free_ports(1)
    history = played_history()
    await live.tell(*history, promise("d", soon(3)))
    async with live.worker(), live.clock("--status-port", str(port)) as clock:
        shown = await until_ready(port)
        assert sum(one["waiting"] for one in shown) == 1
        await live.seen(ALERTS, lambda found: any(one["negotiation"] == "n" for one in found))
        clock.terminate()
        assert await asyncio.wait_for(clock.wait(), PATIENCE_S) == 0
    assert [one.event.negotiation for one in await live.strikes() if one.event.negotiation != "us-china"] == ["n"]
    assert sum(one.event.negotiation == "us-china" for one in await live.strikes()) == sum(
        event.type == "clock_struck" for event in history
    )
    assert await live.findings() == []


def duty(stage: str, rate: str, effective: datetime, act: str, until: datetime | None = None) -> ComponentChanged:
    return ComponentChanged(
        negotiation="n",
        act=act,
        component="duty",
        measure="SY-1",
        imposer="SY",
        origins=("FR",),
        goods="all",
        stage="imposed" if stage == "imposed" else "extended",
        rate=rate,
        effective=When(at=effective, zone="UTC"),
        until=When(at=until, zone="UTC") if until is not None else None,
        until_kind="stated" if until is not None else "none_stated",
        announced=When(at=now() - timedelta(days=1), zone="UTC"),
        source=Source(name="Gazette", grade="instrument", speaks_as="issuer", own_id=act),
        document=Document(kind="instrument", issuer="SY"),
    )


async def test_rows_move_on_as_the_clock_strikes(live: Live) -> None:
    (port,) = free_ports(1)
    total = MetricDefined(
        negotiation="n",
        metric="sy_on_fr.total.collected",
        revision=1,
        unit="percent",
        definition="All duties.",
        formula=SumOfRates(kind="sum_of_rates", reading="collected", terms=(Term(component="duty"),)),
    )
    async with live.worker(), live.clock("--status-port", str(port)):
        await until_ready(port)
        start, end = now() + timedelta(seconds=8), now() + timedelta(seconds=12)
        await live.tell(total, duty("imposed", "10", start, "A1", end), promise("kept", end), promise("broken", end))
        pending = await live.row("deadlines", "n/duty.start.a1", state="pending")
        assert pending["due"] == start.isoformat().replace("+00:00", "+00:00")
        await live.row("metrics", "n/sy_on_fr.total.collected", value="0")
        await live.tell(promise("kept", end, act="P2", stage="met"))
        await live.row("deadlines", "n/kept", state="met")
        await live.row("measures", "n/duty", force="in_force", rate="10", collected=True)
        await live.row("metrics", "n/sy_on_fr.total.collected", value="10")
        await live.row("deadlines", "n/duty.start.a1", state="met")
        lapsed = await live.row("deadlines", "n/duty.lapse", state="lapsed_unconfirmed")
        broken = await live.row("deadlines", "n/broken", state="lapsed_unconfirmed")
        moved = datetime.now(UTC) + timedelta(days=90)
        await live.tell(duty("extended", "10", end, "A2", moved))
        again = await live.row("deadlines", "n/duty.lapse", state="pending", revision=2)
    assert lapsed["reason"] == "lapsed as written; no report of the outcome"
    assert broken["reason"] == "the day passed with no outcome recorded"
    assert again["trail"] == [{"due": lapsed["due"], "act": "A1"}]
    assert await live.findings() == []


async def test_a_clock_makes_no_ledger_of_a_misspelt_prefix(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> None:
    live = Live(kafka.bootstrap, prefix, tmp_path)
    async with live.clock() as clock:
        assert await asyncio.wait_for(clock.wait(), PATIENCE_S) == commanding.UNREACHABLE
    assert not await topics_found(kafka.bootstrap, prefix)
    assert f"{prefix}.events.v1" in (tmp_path / "clock.log").read_text("utf-8")
