"""What can be seen from outside of a trial and of its workers: groups, topics, sockets, a stopped process."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.engine.trial import PATIENCE_S, Trial, Worker

_LISTENING = "0A"


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something that only the outside tells holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():  # noqa: ASYNC110  another process changes it
            await asyncio.sleep(0.05)


async def until_group_at(trial: Trial, group: str, offset: int) -> None:
    """Wait until a group has committed an offset of ledger partition 0."""

    async def there() -> bool:
        return await trial.committed(group) == offset

    await until(there)


async def until_logged(worker: Worker, words: str, times: int = 1) -> None:
    """Wait until a worker has said something in its log, that many times."""

    async def said() -> bool:
        assert worker.process.returncode is None, worker.tail()
        return worker.log.read_text().count(words) >= times

    await until(said)


async def until_stopped(worker: Worker) -> None:
    """Wait until a worker has stopped itself with SIGSTOP."""

    async def stopped() -> bool:
        assert worker.process.returncode is None, worker.tail()
        return state_of(worker) == "T"

    await until(stopped)


def state_of(worker: Worker) -> str:
    """Return the letter that Linux has for the state of a process: S sleeps, T is stopped."""
    return Path(f"/proc/{worker.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def peak_bytes(worker: Worker) -> int:
    """Return the most memory that a worker ever had."""
    status = Path(f"/proc/{worker.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


async def values(trial: Trial, topic: str) -> list[list[bytes]]:
    """Return the values of a topic, by partition, in order."""
    return [[value for _, value in records] for _, records in sorted((await trial.read(topic)).items())]


async def until_some_partition_has(trial: Trial, topic: str, count: int) -> None:
    """Wait until one of a topic's partitions has that many records that a read_committed reader sees."""

    async def there() -> bool:
        return max(len(written) for written in await values(trial, topic)) >= count

    await until(there)


async def topics(trial: Trial) -> set[str]:
    """Return the names of the trial's topics on the broker, without their prefix."""
    admin = AIOKafkaAdminClient(bootstrap_servers=trial.bootstrap)
    await admin.start()
    try:
        names = await admin.list_topics()
    finally:
        await admin.close()
    return {name.removeprefix(f"{trial.prefix}.") for name in names if name.startswith(f"{trial.prefix}.")}


async def refuse_above(trial: Trial, topic: str, size: int) -> None:
    """Let the broker refuse batches of more than `size` bytes on a topic."""
    await configure(trial, topic, {"max.message.bytes": str(size)})


async def configure(trial: Trial, topic: str, settings: dict[str, str]) -> None:
    """Give a topic these settings, and no others."""
    admin = AIOKafkaAdminClient(bootstrap_servers=trial.bootstrap)
    await admin.start()
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, f"{trial.prefix}.{topic}", configs=settings)
        await admin.alter_configs([resource])
    finally:
        await admin.close()


def listens_at(worker: Worker) -> set[str]:
    """Return the addresses and ports of IPv4 at which a process listens, as `0.0.0.0:6066`."""
    process = Path(f"/proc/{worker.process.pid}")
    inodes = set()
    for descriptor in (process / "fd").iterdir():
        target = str(descriptor.readlink())
        if target.startswith("socket:["):
            inodes.add(target.removeprefix("socket:[").removesuffix("]"))
    found = set()
    for line in (process / "net" / "tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == _LISTENING and fields[9] in inodes:
            address, port = fields[1].split(":")
            found.add(".".join(str(part) for part in reversed(bytes.fromhex(address))) + f":{int(port, 16)}")
    return found
