"""What the embedded broker is told: one Kafka node, on this machine only, for one ledger."""

import base64
import hashlib
from pathlib import Path
from typing import Final

_LONGEST_MS: Final = (1 << 31) - 1
_MIB: Final = 1 << 20

JVM_OPTIONS: Final = (
    "-Xmx1g",
    "-Xmn256m",  # a collection stops the broker, however much it collects: so rather few
    "-XX:ReservedCodeCacheSize=128m",  # with less, whole collections make room for code
    "-XX:+ExitOnOutOfMemoryError",  # stop rather than limp
    "-XX:-UsePerfData",
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "-Djava.awt.headless=true",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)

# A broker that lives for a minute starts faster without the second compiler (1.5 instead of 2.1 s). One that goes on
# takes half the processor time for a transaction once that compiler has seen a minute of them.
SHORT_LIVED: Final = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
# Two threads collect in 7 to 9 ms what one takes 25 to 60 for.
LASTING: Final = ("-XX:+UseParallelGC",)


def cluster_id(data_dir: Path) -> str:
    """Return the id of a new cluster: 22 characters, the same for the same folder."""
    digest = hashlib.sha256(str(data_dir.resolve()).encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=").replace("-", "A", 1)


def server_properties(*, host: str, port: int, controller_port: int, log_dir: Path) -> str:
    """Return the text of `server.properties`."""
    broker, controller = f"{host}:{port}", f"{host}:{controller_port}"
    properties: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{controller}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{broker}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": log_dir,
        # topics are Parley's to create and verify
        "auto.create.topics.enable": "false",
        # one node: one copy, and few partitions where Kafka would make fifty
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        # nobody waits for members that do not exist, nor long for a worker or a transaction that died
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        # after kill -9 the next start waits for the session to end; if it were shorter, a busy machine would end it
        "broker.heartbeat.interval.ms": 500,
        "broker.session.timeout.ms": 6000,
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
        # else a worker whose partition was quiet for a week has its next transaction refused, and starts anew
        "transactional.id.expiration.ms": _LONGEST_MS,
        # compacted tables become small soon
        "log.cleaner.backoff.ms": 1000,
        "log.cleaner.dedupe.buffer.size": 32 * _MIB,
        "log.segment.delete.delay.ms": 5000,
        # one machine shared with everything else
        "num.network.threads": 2,
        "num.io.threads": 4,
        "background.threads": 2,
    }
    return "".join(f"{name}={value}\n" for name, value in properties.items())
