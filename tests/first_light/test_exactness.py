"""What the worker writes is the fold of the ledger, whatever is killed."""

import asyncio
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.history import Negotiation
from schemas.encoding import canonical_json
from schemas.events import DeadlineChanged, Event, ReportRetracted
from schemas.ids import event_id
from streams.broker import BrokerAddress
from streams.doors.kafka import read_ledger, read_rows
from streams.topics import ALERTS, CHANGES, CUTS, DEADLINES, MEASURES, Topic, partition_of
from tests.clock.world import promise
from tests.first_light.running import (
    PARTITIONS,
    PATIENCE_S,
    Written,
    complete,
    parley,
    played_history,
    worker,
    write,
    written,
)
from tests.tearing import tear

NEGOTIATION = "us-china"
SOON = datetime(2027, 3, 1, tzinfo=UTC)
Tables = dict[str, dict[str, bytes]]


def retraction(told: DeadlineChanged) -> ReportRetracted:
    source = told.source.model_copy(update={"own_id": f"{told.source.own_id}/retracted"})
    return ReportRetracted(
        negotiation=told.negotiation, act=told.act, report=event_id(told), reason="a misprint",
        announced=told.announced, document=told.document, source=source,
    )  # fmt: skip


async def folded(bootstrap: str, prefix: str) -> tuple[Tables, Written]:
    """Fold the ledger that is on Kafka, in this process: the reference."""
    negotiation = Negotiation(NEGOTIATION)
    result = Written([], [])
    for recorded in (await read_ledger(bootstrap, prefix, NEGOTIATION)).events:
        outcome = negotiation.evolve(recorded)
        result.changes.extend(canonical_json(change) for change in outcome.changes)
        result.alerts.extend(canonical_json(alert) for alert in outcome.alerts)
    tables: Tables = {"measures": {}, "deadlines": {}, "meetings": {}, "metrics": {}}
    for (table, key), row in negotiation.rows.items():
        tables[table][key] = canonical_json(row)
    return tables, result


async def killed_inside_a_transaction(bootstrap: str, prefix: str, folder: Path) -> list[Event]:
    """Let a worker die (-9) when all of the second third of the history is sent, and return the last third."""
    history = played_history()
    third = len(history) // 3
    await write(bootstrap, prefix, history[:third])
    async with worker(folder, bootstrap, prefix):
        await complete(bootstrap, prefix)
    await write(bootstrap, prefix, history[third : 2 * third])
    async with worker(folder, bootstrap, prefix, stop_at="after_send_before_commit") as killed:
        assert await asyncio.wait_for(killed.wait(), PATIENCE_S) == -signal.SIGKILL
    return history[2 * third :]


async def test_every_row_is_byte_for_byte_the_fold_of_the_ledger(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    told = promise("taken-back", SOON, NEGOTIATION)
    await write(kafka.bootstrap, prefix, [*played_history(), told])
    async with worker(tmp_path, kafka.bootstrap, prefix):
        await complete(kafka.bootstrap, prefix)
        assert "taken-back" in (await read_rows(kafka.bootstrap, prefix, NEGOTIATION))["deadlines"]
        await write(kafka.bootstrap, prefix, [retraction(told)])
        await complete(kafka.bootstrap, prefix)
    tables, outputs = await folded(kafka.bootstrap, prefix)
    assert "taken-back" not in tables["deadlines"]
    assert await read_rows(kafka.bootstrap, prefix, NEGOTIATION) == tables
    assert await written(kafka.bootstrap, prefix) == outputs
    assert len(tables["measures"]) > 100
    assert len(outputs.alerts) > 100


async def test_rows_differ_from_the_fold_while_the_worker_is_stopped(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    history = played_history()
    half = len(history) // 2
    await write(kafka.bootstrap, prefix, history[:half])
    async with worker(tmp_path, kafka.bootstrap, prefix):
        await complete(kafka.bootstrap, prefix)
    await write(kafka.bootstrap, prefix, history[half:])
    tables, _ = await folded(kafka.bootstrap, prefix)
    assert await read_rows(kafka.bootstrap, prefix, NEGOTIATION) != tables


async def test_kill_9_inside_an_open_transaction_leaves_no_trace(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    rest = await killed_inside_a_transaction(kafka.bootstrap, prefix, tmp_path)
    before = await written(kafka.bootstrap, prefix)
    await write(kafka.bootstrap, prefix, rest)
    async with worker(tmp_path, kafka.bootstrap, prefix):
        await complete(kafka.bootstrap, prefix)
    tables, outputs = await folded(kafka.bootstrap, prefix)
    after = await written(kafka.bootstrap, prefix)
    assert before.changes == outputs.changes[: len(before.changes)]
    assert len(before.changes) < len(outputs.changes)
    assert after == outputs
    assert await read_rows(kafka.bootstrap, prefix, NEGOTIATION) == tables


@pytest.mark.parametrize("parts", [(CHANGES, MEASURES), (CUTS, ALERTS, DEADLINES)], ids=["changes", "cut"])
async def test_a_transaction_that_the_cluster_tore_apart_is_made_whole(
    kafka: BrokerAddress, prefix: str, tmp_path: Path, parts: tuple[Topic, ...]
) -> None:
    rest = await killed_inside_a_transaction(kafka.bootstrap, prefix, tmp_path)
    topics = sorted(part.name(prefix) for part in parts)
    assert await tear(kafka.bootstrap, partition_of(NEGOTIATION.encode(), PARTITIONS), topics) == topics
    await write(kafka.bootstrap, prefix, rest)
    async with worker(tmp_path, kafka.bootstrap, prefix):
        await complete(kafka.bootstrap, prefix)
    assert "the cluster has torn a transaction apart" in (tmp_path / "worker.log").read_text()
    tables, outputs = await folded(kafka.bootstrap, prefix)
    assert await written(kafka.bootstrap, prefix) == outputs
    assert await read_rows(kafka.bootstrap, prefix, NEGOTIATION) == tables
    checked = await asyncio.to_thread(parley, tmp_path, "fsck", "--brokers", kafka.bootstrap, "--prefix", prefix)
    assert checked.returncode == 0, checked.stderr


async def test_a_disturbed_run_writes_what_an_undisturbed_one_does(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    history = played_history()
    calm, rough = f"{prefix}-calm", f"{prefix}-rough"
    await write(kafka.bootstrap, calm, history)
    async with worker(tmp_path, kafka.bootstrap, calm):
        await complete(kafka.bootstrap, calm)
    await write(kafka.bootstrap, rough, history)
    async with worker(tmp_path, kafka.bootstrap, rough, stop_at="after_send_before_commit") as killed:
        assert await asyncio.wait_for(killed.wait(), PATIENCE_S) == -signal.SIGKILL
    async with worker(tmp_path, kafka.bootstrap, rough):
        await complete(kafka.bootstrap, rough)
    assert await written(kafka.bootstrap, rough) == await written(kafka.bootstrap, calm)
    assert await read_rows(kafka.bootstrap, rough, NEGOTIATION) == await read_rows(kafka.bootstrap, calm, NEGOTIATION)
