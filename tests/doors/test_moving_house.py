"""A ledger moved to another cluster says what it said: the same answers, rows, changes and alerts."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from ledger.history import Negotiation
from schemas.cloudevents import headers
from schemas.codec import encode
from schemas.events import ClockStruck, Event
from schemas.ids import event_id
from schemas.positions import Recorded
from streams.bench import workload
from streams.broker import BrokerAddress, EmbeddedBroker
from streams.doors.kafka import read_rows
from streams.producing import Append, LedgerWriter
from streams.topics import EVENTS, partition_of
from streams.topics_on_kafka import ensure_topics
from tests.first_light.running import PARTITIONS, complete, parley, played_history, worker, write, written

OTHER_PARTITIONS = 3
HOUR = timedelta(hours=1)
AT, KNOWN_AT = ("--at", "2025-01-01T03:00:00+00:00"), ("--known-at", "2025-01-01T04:00:00+00:00")
QUESTIONS = (
    (*AT, *KNOWN_AT),
    (*AT, *KNOWN_AT, "--recorded-by", "2025-01-01T01:00:00+00:00"),
    (*AT, "--known-at", "2026-11-01T00:00:00+00:00"),
)


def with_strikes(events: list[Event]) -> Iterator[Event]:
    """Give live events with the strikes that they ask for, each recorded when it was due; the first also too early."""
    folds: dict[str, Negotiation] = {}
    early = 0
    for offset, event in enumerate(events):
        fold = folds.setdefault(event.negotiation, Negotiation(event.negotiation))
        told_at = event.first_recorded_at
        assert told_at is not None
        while (wake := fold.next_wake) is not None and wake <= told_at:
            strike = ClockStruck(negotiation=event.negotiation, at=wake, mode="live", first_recorded_at=wake)
            if early < 3:
                yield strike.model_copy(update={"first_recorded_at": wake - HOUR})
                early += 1
            yield strike
            fold.evolve(Recorded(strike, event_id(strike), 0, offset, None))
        fold.evolve(Recorded(event, event_id(event), 0, offset, None))
        yield event


def as_appended(event: Event) -> Append:
    key = event.negotiation.encode()
    return Append(key, encode(event), headers(event), partition_of(key, PARTITIONS))


def conflicting(event: Event) -> Event:
    """Return another event under the same id, as two writers at one moment can leave it."""
    assert event.first_recorded_at is not None
    other = event.model_copy(update={"title": "another", "first_recorded_at": event.first_recorded_at + HOUR})
    assert event_id(other) == event_id(event)
    return other


async def fill(bootstrap: str, prefix: str) -> list[str]:
    """Write a ledger with everything that a ledger may hold; return its negotiations."""
    live = list(with_strikes(list(workload.reports(5, 400, negotiations=3))))
    reports = [event for event in live if not isinstance(event, ClockStruck) and hasattr(event, "source")]
    await write(bootstrap, prefix, played_history()[:400])
    unreadable = Append(b"us-china", b"{", (), partition_of(b"us-china", PARTITIONS))
    good = as_appended(reports[-1])
    misplaced = good._replace(partition=(good.partition + 1) % PARTITIONS)
    async with LedgerWriter(bootstrap, EVENTS.name(prefix)) as writer:
        await writer.append_all([misplaced, unreadable])
        await writer.append_all([as_appended(event) for event in live])
        await writer.append_all([as_appended(conflicting(reports[7])), as_appended(reports[8]), unreadable])
    return sorted({event.negotiation for event in live} | {"us-china"})


def by_negotiation(lines: list[bytes]) -> dict[str, list[dict[str, Any]]]:
    """Return changes or alerts of each negotiation in order, without their place, which is another elsewhere."""
    found = defaultdict(list)
    for line in lines:
        document = json.loads(line)
        del document["sequence"]
        found[document["negotiation"]].append(document)
    return dict(found)


async def test_a_ledger_moved_to_another_cluster_says_what_it_said(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    negotiations = await fill(kafka.bootstrap, prefix)
    here = ("--brokers", kafka.bootstrap, "--prefix", prefix)
    exported = await asyncio.to_thread(parley, tmp_path, "export", *here)
    assert b"3 records are no events" in b" ".join(exported.stderr.split())
    async with worker(tmp_path, kafka.bootstrap, prefix):
        await complete(kafka.bootstrap, prefix)
    outputs = await written(kafka.bootstrap, prefix)
    found = {json.loads(line)["key"].split("/")[1] for line in outputs.changes}
    assert found >= {"early_strike", "conflicting_duplicate"}
    assert len(outputs.alerts) > 10

    (tmp_path / "second").mkdir()
    with EmbeddedBroker(tmp_path / "second" / "broker") as second:
        await ensure_topics(second.bootstrap, prefix, OTHER_PARTITIONS)
        there = ("--brokers", second.bootstrap, "--prefix", prefix)
        done = await asyncio.to_thread(parley, tmp_path, "append", "-", *there, given=exported.stdout)
        lines = len(exported.stdout.splitlines())
        assert json.loads(done.stdout) == {"accepted": lines - 1, "duplicates": 1, "refused": []}
        again = await asyncio.to_thread(parley, tmp_path, "append", "-", *there, given=exported.stdout)
        assert json.loads(again.stdout) == {"accepted": 0, "duplicates": lines, "refused": []}
        async with worker(tmp_path / "second", second.bootstrap, prefix):
            await complete(second.bootstrap, prefix)
        moved = await written(second.bootstrap, prefix)
        assert by_negotiation(moved.changes) == by_negotiation(outputs.changes)
        assert by_negotiation(moved.alerts) == by_negotiation(outputs.alerts)
        for negotiation in negotiations:
            rows = await read_rows(kafka.bootstrap, prefix, negotiation)
            assert await read_rows(second.bootstrap, prefix, negotiation) == rows
            for asked in QUESTIONS:
                answers = [parley(tmp_path, "state", negotiation, *asked, *place).stdout for place in (here, there)]
                assert json.loads(answers[0])["digest"] == json.loads(answers[1])["digest"]
        checked = await asyncio.to_thread(parley, tmp_path, "fsck", *there)
        assert checked.returncode == 0, checked.stdout.decode()
        back = await asyncio.to_thread(parley, tmp_path, "export", *there)
        assert sorted(back.stdout.splitlines()) == sorted({*exported.stdout.splitlines()})
