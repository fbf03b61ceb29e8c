"""Several workers under load, killed, paused, restarted and joined by another: what they write is the fold still."""

import asyncio
import signal
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

import pytest

from streams.broker import BrokerAddress
from streams.engine import ExitCode
from streams.topics import ALERTS, CHANGES, DEAD_LETTERS, TABLES
from streams.topics_on_kafka import ensure_topics
from tests.faults.checkers import Finding, check_outputs, check_rows
from tests.faults.judge import last_values
from tests.faults.places import Contents
from tests.faults.reference import Reference
from tests.first_light.busy_ledger import POISON, brought_about, named
from tests.first_light.running import PARTITIONS, complete, parley
from tests.first_light.storm import BUSY, NAMES, THROWS, Storm, storm

LANDED_MIN = 6
SHOWN_MAX = 10
SHOWN_CHARS_MAX = 400


async def weather(trial: Storm) -> None:
    """Hurt three workers in an order of the seed's, and let them come to rest."""
    await trial.preload(1_000)
    trial.load(per_second=50)
    for name in NAMES:
        await trial.worker(name)
    for throw in trial.random.sample(THROWS, len(THROWS)):
        await throw(trial)
    await trial.quiet()
    await trial.until_covered()
    await trial.holders()
    await asyncio.gather(*(trial.leaves(trial.crew.slots[name]) for name in NAMES))


def landed(trial: Storm) -> list[str]:
    """Return the faults that struck in the middle of a backlog."""
    faults = trial.history.of("fault")
    return [one["fault"] for one in faults if sum(trial.waiting_at(one["at_ms"]).values()) >= BUSY]


def shown(findings: Iterable[Finding]) -> str:
    """Return the first of what was found, a line each."""
    return "\n".join(str(one)[:SHOWN_CHARS_MAX] for one in islice(findings, SHOWN_MAX))


def left_by_themselves(trial: Storm) -> list[tuple[str, int, bool]]:
    """Return who left without being told to, with which code, and whether it was a zombie that had been refused."""
    paused = {one["target"] for one in trial.history.of("fault") if one["fault"] == "pause"}
    told = (0, -signal.SIGKILL)
    left = [one for one in trial.history.of("exited") if one["code"] not in told]
    return [(one["worker"], one["code"], one["worker"] in paused and "Fenced" in one["why"]) for one in left]


async def references(trial: Storm) -> dict[int, Reference]:
    """Fold the ledger that is on Kafka, in this process; what is poison is known from who wrote it."""
    poison: dict[int, set[int]] = defaultdict(set)
    for one in trial.history.of("append"):
        if one["author"] == POISON:
            poison[one["partition"]].add(one["offset"])
    ledger = await trial.places.read(trial.places.ledger)
    return {n: brought_about(records, poison[n]) for n, records in ledger.items()}


def wrong_rows(tables: Mapping[str, Contents], expected: Mapping[int, Reference]) -> Iterator[Finding]:
    """Compare the tables with the rows of the reference."""
    for table, found in tables.items():
        for n, one in expected.items():
            rows = {key: values for (kind, key), values in one.rows.items() if kind == table}
            yield from check_rows(f"{table}/{n}", rows, last_values(found[n]))


async def wrong_outputs(trial: Storm, expected: Mapping[int, Reference]) -> list[Finding]:
    """Compare what was appended, in order and byte for byte."""
    findings: list[Finding] = []
    for topic in (CHANGES, ALERTS, DEAD_LETTERS):
        found = await trial.places.read(topic.name(trial.places.prefix))
        for n, one in expected.items():
            wanted = {CHANGES: one.changes, ALERTS: one.alerts, DEAD_LETTERS: one.dead_letters}[topic]
            there = named(topic.kind, found[n])
            findings += check_outputs(f"{topic.kind}/{n}", wanted, there)
            if not findings and [name for name, _ in there] != [entry.id for entry in wanted]:
                findings.append(Finding("out of order", f"{topic.kind}/{n}", "keys are in order, the whole is not"))
    return findings


@pytest.mark.parametrize("seed", [1])
async def test_workers_that_are_hurt_under_load_write_what_the_fold_does(
    kafka: BrokerAddress, prefix: str, tmp_path: Path, seed: int
) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    async with storm(kafka.bootstrap, prefix, seed, tmp_path) as trial:
        await weather(trial)
    await complete(kafka.bootstrap, prefix)
    assert len(landed(trial)) >= LANDED_MIN, trial.history.path
    assert {(code, refused) for _, code, refused in left_by_themselves(trial)} == {(ExitCode.PRODUCER, True)}

    to = ("--brokers", kafka.bootstrap, "--prefix", prefix)
    checking = asyncio.create_task(asyncio.to_thread(parley, tmp_path, "fsck", *to))
    expected = await references(trial)
    assert all(one.changes and one.alerts and one.dead_letters for one in expected.values())
    assert shown(await wrong_outputs(trial, expected)) == ""
    names = {topic.kind: topic.name(prefix) for topic in TABLES}
    written = {table: await trial.places.read(name) for table, name in names.items()}
    assert shown(wrong_rows(written, expected)) == ""
    checked = await checking
    assert checked.returncode == 0, checked.stdout
    compacted = await asyncio.gather(*(trial.places.compact(name) for name in names.values()))
    assert shown(wrong_rows(dict(zip(names, compacted, strict=True)), expected)) == ""
