"""An event of a later major version stops the worker; once it is set aside, nobody folds it."""

import asyncio
import json
from pathlib import Path

from schemas.cloudevents import headers
from schemas.codec import encode
from streams.broker import BrokerAddress
from streams.doors.kafka import read_ledger, read_rows
from streams.engine import ExitCode, set_aside
from streams.producing import LedgerWriter
from streams.reading import read_set_asides, read_to_end
from streams.settings import Settings
from streams.topics import DEAD_LETTERS, EVENTS, partition_of
from streams.worker import engine_config
from tests.first_light.running import PARTITIONS, PATIENCE_S, complete, parley, played_history, worker, write
from tests.first_light.test_exactness import NEGOTIATION, folded


async def test_an_event_of_a_later_major_version_stops_the_worker_until_it_is_set_aside(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    history = played_history()[:40]
    await write(kafka.bootstrap, prefix, history[:20])
    key = NEGOTIATION.encode()
    place = partition_of(key, PARTITIONS)
    later = json.dumps({**json.loads(encode(history[20])), "version": "2.0"}).encode()
    async with LedgerWriter(kafka.bootstrap, EVENTS.name(prefix)) as writer:
        poison = await writer.append(key, later, headers(history[20]), partition=place)
    await write(kafka.bootstrap, prefix, history[21:])

    async with worker(tmp_path, kafka.bootstrap, prefix) as stopped:
        assert await asyncio.wait_for(stopped.wait(), PATIENCE_S) == ExitCode.PROJECTION
    log = (tmp_path / "worker.log").read_text()
    assert "upgrade me" in log
    assert f"parley set-aside {place}:{poison.offset}" in log

    config = engine_config(Settings(prefix=prefix), kafka.bootstrap, PARTITIONS)
    await set_aside(config, place, poison.offset, "this version will not be installed")
    async with worker(tmp_path, kafka.bootstrap, prefix):
        await complete(kafka.bootstrap, prefix)
    assert await read_set_asides(kafka.bootstrap, prefix) == {
        (place, poison.offset): "this version will not be installed"
    }
    assert (await read_ledger(kafka.bootstrap, prefix)).unreadable == 1
    asked = parley(tmp_path, "state", NEGOTIATION, "--brokers", kafka.bootstrap, "--prefix", prefix)
    assert json.loads(asked.stdout)["unread"] == 1
    assert "1 records beside them on the ledger are no events, or set aside" in " ".join(asked.stderr.decode().split())
    assert await read_rows(kafka.bootstrap, prefix, NEGOTIATION) == (await folded(kafka.bootstrap, prefix))[0]
    checked = parley(tmp_path, "fsck", "--brokers", kafka.bootstrap, "--prefix", prefix)
    assert checked.returncode == 0, checked.stdout.decode()
    dead = [one async for records in read_to_end(kafka.bootstrap, DEAD_LETTERS.name(prefix)) for one in records]
    assert [(one.key, one.value) for one in dead] == [(key, later)]
    assert dict(dead[0].headers)["parley_code"] == b"set_aside"
    assert dict(dead[0].headers)["parley_position"] == f"{place}:{poison.offset}".encode()
