"""Parley from Python, against a real Kafka."""

import asyncio
from pathlib import Path

from schemas.times import parse_instant
from streams import ledger_file
from streams.broker import BrokerAddress
from streams.client import Parley
from streams.doors.appending import Appended
from streams.topics_on_kafka import ensure_topics
from tests.first_light.running import PARTITIONS, complete, worker

SYLVANIA = Path(__file__).parents[1] / "stories" / "sylvania_freedonia.jsonl"
NEGOTIATION = "sylvania-freedonia"


async def test_the_client_appends_asks_reads_and_watches(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    events = ledger_file.events(str(SYLVANIA))
    parley = Parley(kafka.bootstrap, prefix=prefix)
    assert await parley.append(events) == Appended(accepted=len(events))
    assert await parley.append(events) == Appended(duplicates=len(events))
    async with worker(tmp_path, kafka.bootstrap, prefix):
        await complete(kafka.bootstrap, prefix)
    found = await parley.state(NEGOTIATION, at=parse_instant("2024-04-02T00:00:00+02:00"))
    metrics = found["metrics"]
    assert isinstance(metrics, dict)
    assert metrics["sy_on_fr.total.collected"]["value"] == "2.5"
    rows = await parley.rows(NEGOTIATION)
    assert set(rows["measures"]) == {"sy_all_goods", "sy_emergency"}
    following = parley.watch(NEGOTIATION, since="0")
    first = await anext(following)
    await following.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    watched = [one async for one in parley.watch(NEGOTIATION, since="0", follow=False)]
    assert watched[0] == first
    assert [one async for one in parley.watch(NEGOTIATION, follow=False)] == watched
    assert [one["schema"] for one in watched] == ["parley.change/1"] * len(watched)
    assert len({str(one["id"]) for one in watched}) == len(watched) > 0
