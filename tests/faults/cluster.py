"""One Kafka node, or three with three copies of everything, each behind a proxy of its own; nodes can be hurt."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from streams.broker_archive import ClassArchive
from streams.broker_folder import BrokerFolder
from streams.broker_installation import KafkaInstallation, resolve_kafka
from streams.broker_ports import HOST, is_free
from streams.broker_properties import JVM_OPTIONS, SHORT_LIVED, cluster_id, server_properties
from streams.broker_readiness import cluster_at, listens
from streams.processes import Started, open_log, spawn
from streams.settings import Settings
from tests.faults.disk import Disk
from tests.faults.proxy import Proxy

_FIRST_PORT, _LAST_PORT = 14_000, 19_999
_READY_S = 90.0
_OPTIONS = tuple("-Xmx512m" if option.startswith("-Xmx") else option for option in (*JVM_OPTIONS, *SHORT_LIVED))


@dataclass(slots=True)
class Node:
    """One node; clients only know its proxy."""

    number: int
    folder: BrokerFolder
    port: int
    peer_port: int
    controller_port: int
    proxy: Proxy
    process: Started | None = None

    @property
    def pid(self) -> int:
        """The process id of Kafka; the node must run."""
        assert self.process is not None
        return self.process.pid

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return self.process is not None and self.process.exit_code is None


@dataclass(slots=True)
class Cluster:
    """A cluster in a folder of its own; a single node's data lies on a disk of its own."""

    folder: Path
    count: int
    nodes: list[Node] = field(default_factory=list)
    disk: Disk = field(init=False)
    _kafka: KafkaInstallation = field(init=False)

    def __post_init__(self) -> None:
        """Name the disk; it is made when the cluster starts."""
        self.disk = Disk(self.folder / "disk")

    @property
    def bootstrap(self) -> str:
        """Where clients reach it."""
        return ",".join(f"{HOST}:{node.proxy.port}" for node in self.nodes)

    async def start(self) -> None:
        """Make the nodes and start them; return when each answers."""
        if self.count == 1:
            self.disk.mount()
        self._kafka = resolve_kafka(cache_directory=Settings().cache_directory)
        ports = _free_ports(self.folder)
        for number in range(1, self.count + 1):
            port, peer, controller, outside = islice(ports, 4)
            folder = BrokerFolder(self.folder / f"node-{number}")
            folder.path.mkdir(parents=True)
            self.nodes.append(Node(number, folder, port, peer, controller, Proxy(outside, port)))
        for node in self.nodes:
            await node.proxy.start()
            node.folder.properties.write_text(self._properties(node), "utf-8")
        await asyncio.gather(*(asyncio.to_thread(self._format, node) for node in self.nodes))
        for node in self.nodes:
            self.launch(node)
        await asyncio.gather(*(self.ready(node) for node in self.nodes))

    async def stop(self) -> None:
        """End every node."""
        try:
            for node in self.nodes:
                await node.proxy.stop()
                if node.runs:
                    os.kill(node.pid, signal.SIGCONT)
            there = [node.process for node in self.nodes if node.process is not None]
            await asyncio.gather(*(asyncio.to_thread(process.stop) for process in there))
        finally:
            self.disk.unmount()

    def launch(self, node: Node) -> None:
        """Start a node's process."""
        archive = ClassArchive(self._kafka, node.folder.new_archive)
        command = self._kafka.command(
            "kafka.Kafka", str(node.folder.properties), options=(*_OPTIONS, *archive.options_for_tools())
        )
        log = open_log(node.folder.log)
        try:
            node.process = spawn(command, log=log)
        finally:
            os.close(log)

    async def ready(self, node: Node) -> None:
        """Wait until a node answers by itself, not through its proxy."""
        place = f"{HOST}:{node.port}"
        async with asyncio.timeout(_READY_S):
            while not listens(HOST, node.port) or await asyncio.wrap_future(cluster_at(place, 5)) is None:
                assert node.runs, node.folder.log.read_text("utf-8", "replace")[-2_000:]
                await asyncio.sleep(0.05)

    async def revive(self, node: Node) -> None:
        """Start a node that was killed or ended by itself; return when it answers."""
        if node.process is not None:
            await asyncio.to_thread(node.process.stop)
        self.launch(node)
        await self.ready(node)

    async def gone(self, node: Node) -> None:
        """Wait until a node's process has ended."""
        async with asyncio.timeout(_READY_S):
            while node.runs:  # noqa: ASYNC110 -- another process changes it
                await asyncio.sleep(0.02)

    def _format(self, node: Node) -> None:
        archive = ClassArchive(self._kafka, node.folder.new_archive)
        archive.prepare()
        command = self._kafka.command(
            "kafka.tools.StorageTool", "format", "-t", cluster_id(self.folder), "-c", str(node.folder.properties),
            options=(*_OPTIONS, *archive.options_for_tools()),
        )  # fmt: skip
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def _properties(self, node: Node) -> str:
        data = self.disk.folder / "kafka" if self.count == 1 else node.folder.data
        text = server_properties(host=HOST, port=node.port, controller_port=node.controller_port, log_dir=data)
        properties = dict(line.split("=", maxsplit=1) for line in text.splitlines())
        voters = ",".join(f"{one.number}@{HOST}:{one.controller_port}" for one in self.nodes)
        properties |= {
            "node.id": str(node.number),
            "controller.quorum.voters": voters,
            "inter.broker.listener.name": "PEER",
            "listeners": f"OUTSIDE://{HOST}:{node.port},PEER://{HOST}:{node.peer_port},"
            f"CONTROLLER://{HOST}:{node.controller_port}",
            "advertised.listeners": f"OUTSIDE://{HOST}:{node.proxy.port},PEER://{HOST}:{node.peer_port}",
            "listener.security.protocol.map": "OUTSIDE:PLAINTEXT,PEER:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "offsets.topic.replication.factor": str(self.count),
            "transaction.state.log.replication.factor": str(self.count),
            "transaction.state.log.min.isr": str(max(1, self.count - 1)),
            "log.retention.check.interval.ms": "1000",
            "log.initial.task.delay.ms": "1000",
        }
        return "".join(f"{name}={value}\n" for name, value in properties.items())


def _free_ports(folder: Path) -> Iterator[int]:
    """Give ports that are free, from a place that depends on the folder; below those of the embedded broker."""
    begin = int.from_bytes(cluster_id(folder).encode()[:4], "big")
    count = _LAST_PORT - _FIRST_PORT + 1
    return (port for n in range(count) if is_free(port := _FIRST_PORT + (begin + n) % count))
