"""Two sets of outputs on one ledger: written side by side, compared, switched by a setting."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from schemas.changes import FOLD_VERSION
from streams.broker import BrokerAddress
from streams.doors.fsck import compare
from streams.engine import ExitCode
from streams.reading import read_table
from streams.topics import MEASURES
from streams.topics_on_kafka import ensure_topics, topics_found
from tests.first_light.running import (
    PARTITIONS,
    PATIENCE_S,
    USUAL,
    complete,
    parley,
    played_history,
    worker,
    write,
    written,
)

BLUE, GREEN = "blue", "green"
OTHER_LEADS = {"lead_times": "30d,3d,1h"}


async def asked(
    state: Path, kafka: BrokerAddress, prefix: str, *words: str, settings: Mapping[str, str] = USUAL
) -> tuple[int, Any]:
    to = ("--brokers", kafka.bootstrap, "--prefix", prefix)
    done = await asyncio.to_thread(parley, state, *words, *to, settings=settings)
    assert done.stdout, done.stderr.decode()
    return done.returncode, json.loads(done.stdout)


def differing(report: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Return the topics of a comparison that differ, with the counts of what does."""
    return {
        name: {key: count for key, count in one.items() if key in {"differ", "only_here", "only_there"} and count}
        for name, one in report["topics"].items()
        if one["first"] is not None
    }


async def test_two_versions_write_side_by_side_are_compared_and_switched(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    history = played_history()[:800]
    await write(kafka.bootstrap, prefix, history[:200])
    for name in (BLUE, GREEN):
        await ensure_topics(kafka.bootstrap, f"{prefix}+{name}", PARTITIONS)
    async with AsyncExitStack() as running:
        for settings in ({}, {"outputs": BLUE}, {"outputs": GREEN, **OTHER_LEADS}):
            await running.enter_async_context(worker(tmp_path, kafka.bootstrap, prefix, settings=settings))
        await write(kafka.bootstrap, prefix, history[200:])
        for installation in (prefix, f"{prefix}+{BLUE}", f"{prefix}+{GREEN}"):
            await complete(kafka.bootstrap, installation)

    code, equal = await asked(tmp_path, kafka, prefix, "fsck", "--against", BLUE)
    assert (code, equal["equal"], equal["in_motion"], differing(equal)) == (0, True, 0, {})
    assert equal["topics"]["changes.v1"]["same"] > 500
    assert equal["topics"]["measures.v1"]["same"] > 50

    code, differs = await asked(tmp_path, kafka, prefix, "fsck", "--against", GREEN)
    assert (code, differs["equal"], set(differing(differs))) == (1, False, {"alerts.v1"})
    counts = differing(differs)["alerts.v1"]
    assert set(counts) == {"only_here", "only_there"}
    usual = [json.loads(alert) for alert in (await written(kafka.bootstrap, prefix)).alerts]
    other = [json.loads(alert) for alert in (await written(kafka.bootstrap, f"{prefix}+{GREEN}")).alerts]
    ids, other_ids = {alert["id"] for alert in usual}, {alert["id"] for alert in other}
    assert counts == {"only_here": len(ids - other_ids), "only_there": len(other_ids - ids)}
    assert {alert["id"] for alert in usual if alert["lead"] in {"30d", "1h"}} == ids & other_ids
    assert (await asked(tmp_path, kafka, prefix, "fsck", "--outputs", GREEN, settings=OTHER_LEADS))[0] == 0

    _, switched = await asked(tmp_path, kafka, prefix, "status", settings={"outputs": GREEN})
    assert (switched["outputs"], switched["complete"]) == (GREEN, True)
    assert {one["version"] for one in switched["partitions"]} == {None, f"{FOLD_VERSION}+30d,3d,1h"}
    follow = ("watch", "--kind", "alerts", "--since", "0", "--no-follow")
    to = ("--brokers", kafka.bootstrap, "--prefix", prefix)
    lines = await asyncio.to_thread(parley, tmp_path, *follow, *to, settings={"outputs": GREEN})
    assert [json.loads(line)["id"] for line in lines.stdout.splitlines()] == [alert["id"] for alert in other]


async def test_a_new_set_has_as_many_partitions_as_its_ledger(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    code, _ = await asked(tmp_path, kafka, prefix, "topics", "--partitions", "2")
    assert code == 0
    code, made = await asked(tmp_path, kafka, prefix, "topics", "--outputs", BLUE)
    assert (code, {topic["partitions"] for topic in made["topics"]}) == (0, {2})
    to = ("--brokers", kafka.bootstrap, "--prefix", prefix)
    wrong = await asyncio.to_thread(parley, tmp_path, "topics", "--outputs", GREEN, "--partitions", "3", *to)
    assert (wrong.returncode, wrong.stdout) == (3, b"")
    assert f"{prefix}.events.v1: expected partitions 3, found 2" in wrong.stderr.decode()
    found = await topics_found(kafka.bootstrap, f"{prefix}+{GREEN}")
    assert [topic.name for topic in found] == [f"{prefix}.events.v1", f"{prefix}.decisions.v1"]


async def test_a_worker_of_another_version_stops_with_the_way_out(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    await write(kafka.bootstrap, prefix, played_history()[:50])
    async with worker(tmp_path, kafka.bootstrap, prefix):
        await complete(kafka.bootstrap, prefix)
    async with worker(tmp_path, kafka.bootstrap, prefix, settings=OTHER_LEADS) as stopped:
        assert await asyncio.wait_for(stopped.wait(), PATIENCE_S) == ExitCode.VERSION
    told = " ".join((tmp_path / "worker.log").read_text().split())
    other = f"{FOLD_VERSION}+30d,3d,1h"
    assert f"written by fold version {FOLD_VERSION!r}, this worker folds version {other!r}" in told
    assert "`parley worker --outputs NAME`" in told
    await ensure_topics(kafka.bootstrap, f"{prefix}+{GREEN}", PARTITIONS)
    async with worker(tmp_path, kafka.bootstrap, prefix, settings={"outputs": GREEN, **OTHER_LEADS}):
        await complete(kafka.bootstrap, f"{prefix}+{GREEN}")


async def test_two_sets_are_compared_while_both_are_written(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> None:
    history = played_history()
    blue = f"{prefix}+{BLUE}"
    await write(kafka.bootstrap, prefix, history[:200])
    await ensure_topics(kafka.bootstrap, blue, PARTITIONS)
    async with (
        worker(tmp_path, kafka.bootstrap, prefix),
        worker(tmp_path, kafka.bootstrap, prefix, settings={"outputs": BLUE}),
    ):
        await complete(kafka.bootstrap, prefix)
        await complete(kafka.bootstrap, blue)
        for begin in range(200, 400, 50):
            _, compared = await asyncio.gather(
                write(kafka.bootstrap, prefix, history[begin : begin + 50]), compare(kafka.bootstrap, prefix, blue)
            )
            assert compared.equal, compared
        await complete(kafka.bootstrap, prefix)
        await complete(kafka.bootstrap, blue)

    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    try:
        key, row = min((await read_table(kafka.bootstrap, MEASURES.name(blue))).items())
        await producer.send_and_wait(MEASURES.name(blue), key=key, value=b"{}", partition=row.partition)
    finally:
        await producer.stop()
    code, report = await asked(tmp_path, kafka, prefix, "fsck", "--against", BLUE)
    assert (code, differing(report)) == (1, {"measures.v1": {"differ": 1}})
    assert report["topics"]["measures.v1"]["first"]["place"] == key.decode()
    assert report["topics"]["measures.v1"]["first"]["there"] == {}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("fsck", "--against", ""), "expected --against to name another set"),
        (("fsck", "--against", "Blue"), "--outputs"),
        (("worker", "--outputs", "a.b"), "--outputs"),
    ],
)
def test_a_set_that_cannot_be_is_refused(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    done = parley(tmp_path, *words, "--brokers", "127.0.0.1:1")
    assert (done.returncode, done.stdout) == (2, b"")
    assert says in done.stderr.decode()
