"""A real Apache Kafka on this machine, for whoever has no cluster at hand: start it, find it, stop it."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Final

from streams.broker_folder import BrokerAddress, BrokerAlreadyRuns, BrokerFolder, RunningBroker, as_broker_error
from streams.broker_installation import BrokerError, FetchProgress, KafkaInstallation, resolve_kafka
from streams.broker_process import KafkaProcess, spawn
from streams.broker_progress import fetch_progress
from streams.broker_properties import JVM_OPTIONS, cluster_id, server_properties
from streams.broker_readiness import cluster_at, listens
from streams.settings import Settings

__all__ = [
    "BrokerAddress",
    "BrokerAlreadyRuns",
    "BrokerError",
    "EmbeddedBroker",
    "FetchProgress",
    "KafkaInstallation",
    "RunningBroker",
    "resolve_kafka",
    "running_broker",
    "stop_running",
]

_HOST: Final = "127.0.0.1"
_START_S: Final = 60
_FORMAT_S: Final = 60
_STOP_S: Final = 20
_CAUSES: Final = (
    ("Address already in use", "a port it wanted was taken by another program; start it again"),
    ("No space left on device", "there is no space left on the disk"),
    ("Could not reserve enough space", "there is not enough memory for it (it wants 1 GiB of heap)"),
    ("Cannot allocate memory", "there is not enough memory for it (it wants 1 GiB of heap)"),
    ("OutOfMemoryError", "it ran out of memory"),
    ("Permission denied", "it may not write to its folder"),
)


def running_broker(settings: Settings) -> BrokerAddress | None:
    """Return where this installation's embedded broker listens, None when it does not run."""
    running = BrokerFolder(settings.broker_directory).running()
    return None if running is None else running.address


def stop_running(data_dir: Path) -> RunningBroker | None:
    """Stop the broker that runs on a folder, whoever started it; return which it was, None when none ran."""
    folder = BrokerFolder(data_dir)
    running = folder.running()
    if running is None:
        return None
    for kind in (signal.SIGTERM, signal.SIGKILL):
        os.kill(running.pid, kind)
        deadline = time.monotonic() + _STOP_S / 2
        while time.monotonic() < deadline:
            if folder.running() is None:
                return running
            time.sleep(0.05)
    raise BrokerError(f"The broker (process {running.pid}) did not stop within {_STOP_S} s.")


class EmbeddedBroker:
    """One Kafka node on 127.0.0.1 with its data in `data_dir`; a context manager that starts and stops it.

    Without a `port` it takes the one it had last time on that folder, or a free one. With `die_with_parent` it ends
    when the process that started it does, however that ends; without, it goes on and is found by `running_broker`.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        die_with_parent: bool = True,
        settings: Settings | None = None,
        progress: FetchProgress | None = None,
    ) -> None:
        self._folder = BrokerFolder(data_dir.absolute())
        self._port = port
        self._die_with_parent = die_with_parent
        self._settings = settings
        self._progress = progress
        self._process: KafkaProcess | None = None
        self._address: BrokerAddress | None = None

    @property
    def pid(self) -> int:
        """The process id of Kafka itself; BrokerError when it was not started."""
        if self._process is None:
            raise BrokerError("The broker was not started.")
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs or was not started, else how it ended by itself (128 + n for signal n)."""
        return None if self._process is None else self._process.exit_code

    def start(self) -> BrokerAddress:
        """Start it and return where it listens, once it answers; blocks for some seconds.

        BrokerAlreadyRuns when one runs on the same folder; BrokerError with what to do about it otherwise.
        """
        if self._process is not None and self._address is not None:
            if self._process.exit_code is None:
                return self._address
            self.stop()
        settings = self._settings or Settings()
        with self._folder.locked() as lock:
            try:
                self._address = self._start(_resolve(settings, self._progress), lock)
            except OSError as error:
                raise as_broker_error(error, self._folder.path) from error
        return self._address

    def stop(self) -> None:
        """Stop it cleanly, or by force after some seconds; nothing happens when it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.stop()

    def __enter__(self) -> BrokerAddress:
        """Start it."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    def _start(self, kafka: KafkaInstallation, lock: int) -> BrokerAddress:
        last = self._folder.take_back()
        port = _port(self._port, last.port if last is not None else None)
        address = BrokerAddress(_HOST, port)
        text = server_properties(host=_HOST, port=port, controller_port=_free_port(), log_dir=self._folder.data)
        self._folder.properties.write_text(text, "utf-8")
        cluster = cluster_id(self._folder.path)
        if not self._folder.data.exists():
            _format(kafka, self._folder, cluster)
        options = (*JVM_OPTIONS, f"-XX:AOTCache={kafka.archive}") if kafka.archive.exists() else JVM_OPTIONS
        command = kafka.command("kafka.Kafka", str(self._folder.properties), options=options)
        log = self._folder.open_log()
        try:
            said = os.fstat(log).st_size
            self._process = spawn(command, lock=lock, log=log, guarded=self._die_with_parent)
        finally:
            os.close(log)
        try:
            _wait_until_ready(self._process, address, cluster, self._folder, said)
            self._folder.announce(RunningBroker(address, self._process.pid))
        except BaseException:
            self.stop()
            raise
        return address


def _resolve(settings: Settings, progress: FetchProgress | None) -> KafkaInstallation:
    cache, mirror = settings.cache_directory, settings.maven_repository
    if progress is not None:
        return resolve_kafka(progress, cache_directory=cache, repository=mirror)
    with fetch_progress() as report:
        return resolve_kafka(report, cache_directory=cache, repository=mirror)


def _port(wanted: int | None, last: int | None) -> int:
    for port in (wanted, last):
        if port is None:
            continue
        if _is_free(port):
            return port
        if port == wanted:
            raise BrokerError(
                f"Port {port} on {_HOST} is taken by another program. Name another one, or none to get a free one."
            )
    return _free_port()


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Kafka binds: old connections do not count
        try:
            one.bind((_HOST, port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((_HOST, 0))
        return int(one.getsockname()[1])


def _format(kafka: KafkaInstallation, folder: BrokerFolder, cluster: str) -> None:
    """Make Kafka's data folder, whole or not at all."""
    unfinished = folder.data.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    properties = folder.path / "format.properties"
    properties.write_text(
        folder.properties.read_text("utf-8").replace(f"log.dirs={folder.data}\n", f"log.dirs={unfinished}\n"), "utf-8"
    )
    command = kafka.command(
        "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties), options=JVM_OPTIONS
    )
    done = subprocess.run(  # noqa: S603 - the command is Parley's own
        command, check=False, capture_output=True, text=True, timeout=_FORMAT_S
    )
    if done.returncode != 0:
        raise BrokerError(f"Kafka's data folder {folder.data} could not be made{_cause(done.stdout + done.stderr)}")
    properties.unlink()
    unfinished.replace(folder.data)


def _wait_until_ready(
    process: KafkaProcess, address: BrokerAddress, cluster: str, folder: BrokerFolder, said: int
) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if listens(address.host, address.port):
            answer = cluster_at(address.bootstrap, deadline - time.monotonic())
            while not answer.done() and process.exit_code is None:
                time.sleep(0.01)
            if answer.done() and answer.result() == cluster:
                return
        if (code := process.exit_code) is not None:
            raise BrokerError(
                f"The broker ended with code {code}{_cause(folder.log_since(said))} Its log: {folder.log}"
            )
        time.sleep(0.02)
    raise BrokerError(f"The broker did not answer at {address.bootstrap} within {_START_S} s. Its log: {folder.log}")


def _cause(said: str) -> str:
    for words, meaning in _CAUSES:
        if words in said:
            return f": {meaning}."
    lines = [line for line in said.splitlines() if line.strip()]
    return f": {lines[-1].strip()}." if lines else " without a word."
