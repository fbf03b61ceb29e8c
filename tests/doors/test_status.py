"""`parley status`: who folds, as the broker's group of workers has it."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, KafkaConnectionError, NodeNotReadyError, StaleMetadata

import streams.doors.cli  # noqa: F401 -- commands are registered in the order of the help
from streams.broker import BrokerAddress
from streams.broker_reaching import BrokerUnreachable
from streams.doors.commands import status as door
from streams.doors.readiness import Recovering, described, recoveries
from streams.engine import Progress
from streams.engine.config import PORT_NOTE
from streams.engine.status import StatusPort, listening
from streams.membership import Member, Membership, membership
from streams.topics import EVENTS
from streams.topics_on_kafka import ensure_topics
from tests.engine.observing import until
from tests.first_light.running import PARTITIONS, complete, parley, played_history, service, worker, write


async def test_status_tells_the_workers_and_that_there_is_none(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    to = ("--brokers", kafka.bootstrap, "--prefix", prefix)

    async def status(*words: str) -> str:
        done = await asyncio.to_thread(parley, tmp_path, "status", *words, *to)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    async def group_has(*members: Member) -> bool:
        found = await membership(kafka.bootstrap, f"{prefix}-worker", EVENTS.name(prefix))
        return not found.rebalancing and found.members == members

    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    nobody: dict[str, Any] = json.loads(await status())
    assert (nobody["workers"], nobody["rebalancing"]) == ([], False)
    assert "No worker runs: `parley worker`" in await status("--table")

    await write(kafka.bootstrap, prefix, played_history()[:20])
    async with worker(tmp_path, kafka.bootstrap, prefix):
        await complete(kafka.bootstrap, prefix)
        await until(lambda: group_has(Member("one", "127.0.0.1", tuple(range(PARTITIONS)))))
        found = json.loads(await status())
        assert found["workers"] == [{"worker": "one", "host": "127.0.0.1", "partitions": [0, 1, 2, 3], "ready": None}]
        assert "Workers, with their partitions: one (0, 1, 2, 3)." in await status("--table")
    await until(group_has)  # with its session


async def test_status_tells_whether_a_worker_with_a_port_has_recovered(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    to = ("--brokers", kafka.bootstrap, "--prefix", prefix)

    async def told() -> list[dict[str, Any]]:
        workers: list[dict[str, Any]] = json.loads((await asyncio.to_thread(parley, tmp_path, "status", *to)).stdout)[
            "workers"
        ]
        return workers

    async def is_ready() -> bool:
        return [one["ready"] for one in await told()] == [True]

    await write(kafka.bootstrap, prefix, played_history()[:20])
    async with service(tmp_path, "worker", *to, "--instance", "a/b", "--status-port", "0"):
        await complete(kafka.bootstrap, prefix)
        await until(is_ready)
        assert [(one["worker"], one["folded"], one["to_fold"]) for one in await told()] == [("a/b", 20, 20)]


async def test_a_worker_that_still_folds_is_told_as_such(tmp_path: Path) -> None:
    progress = [Progress(0, folded=99, cut=299, ready=False), Progress(3, folded=-1, cut=-1, ready=True)]
    note = tmp_path / "instance-one" / PORT_NOTE
    port = StatusPort(listening(0, ""), lambda: (False, [asdict(one) for one in progress]), note=note)
    await port.start()
    found = await recoveries(tmp_path)
    await port.stop()
    assert found == {"one": Recovering(ready=False, folded=100, events=300)}
    worker = described({"worker": "one", "host": "here", "partitions": [0, 3]}, found)
    said = door._attended({"workers": [worker], "rebalancing": False})  # noqa: SLF001 -- the sentence alone
    assert said.endswith("one (0, 3). one has folded 100 of 300 events again; nothing new before that.")
    assert await recoveries(tmp_path) == {}  # it is gone, its note is not


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200 OK\r\n\r\n<html>", b"HTTP/1.1 200 OK\r\n\r\n[1, null]", b"\r\n\r\n" + b"[" * 500_000],
    ids=["nothing", "a page", "another list", "too deep"],
)
async def test_another_program_on_the_port_is_no_worker(tmp_path: Path, answer: bytes) -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    note = tmp_path / "unnamed" / PORT_NOTE
    note.parent.mkdir()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        note.write_text(str(server.sockets[0].getsockname()[1]))
        assert await recoveries(tmp_path) == {}
    note.write_text("no number")
    assert await recoveries(tmp_path) == {}


async def test_a_worker_that_was_given_no_name_is_called_unnamed(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    async def group_has(name: str) -> bool:
        found = await membership(kafka.bootstrap, f"{prefix}-worker", EVENTS.name(prefix))
        return [member.name for member in found.members] == [name]

    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    async with service(tmp_path, "worker", "--brokers", kafka.bootstrap, "--prefix", prefix):
        await until(lambda: group_has("unnamed"))


@pytest.mark.parametrize("silence", [KafkaConnectionError, NodeNotReadyError, StaleMetadata])
async def test_a_broker_of_several_that_is_gone_does_not_hide_the_group(
    kafka: BrokerAddress, prefix: str, monkeypatch: pytest.MonkeyPatch, silence: type[Exception]
) -> None:
    silences = iter([silence(), silence()])
    ask = AIOKafkaAdminClient.describe_consumer_groups

    async def asked(admin: AIOKafkaAdminClient, groups: list[str]) -> Any:  # noqa: ANN401 -- as aiokafka answers
        for error in silences:
            raise error
        return await ask(admin, groups)

    monkeypatch.setattr(AIOKafkaAdminClient, "describe_consumer_groups", asked)
    assert await membership(kafka.bootstrap, f"{prefix}-worker", EVENTS.name(prefix)) == Membership(
        rebalancing=False, members=()
    )


@pytest.mark.parametrize("fault", [GroupAuthorizationFailedError(), BrokerUnreachable("there", "no answer")])
async def test_what_else_is_known_is_told_when_nobody_tells_of_the_group(
    kafka: BrokerAddress,
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def untold(*_: object) -> Membership:
        raise fault

    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    monkeypatch.setattr(door, "membership", untold)
    await asyncio.to_thread(door.status, brokers=kafka.bootstrap, prefix=prefix, as_json=True)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (found["workers"], found["complete"], len(found["partitions"])) == (None, True, PARTITIONS)
