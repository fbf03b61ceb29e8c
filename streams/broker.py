"""A real Apache Kafka on this machine, for whoever has no cluster at hand: start it, find it, stop it."""

import contextlib
import os
import signal
import time
from contextlib import nullcontext
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Final

from streams.broker_archive import ClassArchive
from streams.broker_folder import BrokerAddress, BrokerAlreadyRuns, BrokerFolder, RunningBroker, as_broker_error
from streams.broker_installation import BrokerError, FetchProgress, KafkaInstallation, resolve_kafka
from streams.broker_ports import HOST, broker_ports
from streams.broker_progress import fetch_progress
from streams.broker_properties import JVM_OPTIONS, LASTING, SHORT_LIVED, server_properties
from streams.broker_readiness import cluster_at, listens
from streams.broker_storage import cause, format_storage
from streams.processes import NotStarted, Started, open_log, spawn
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

_START_S: Final = 60
_STOP_S: Final = 60
CLEANLY: Final = 128 + signal.SIGTERM


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
        with contextlib.suppress(ProcessLookupError):
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
    One that is `lasting` starts slower, and does more after a minute.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        die_with_parent: bool = True,
        lasting: bool = False,
        settings: Settings | None = None,
        progress: FetchProgress | None = None,
    ) -> None:
        self._folder = BrokerFolder(data_dir.absolute())
        self._port = port
        self._die_with_parent = die_with_parent
        self._jvm = (*JVM_OPTIONS, *(LASTING if lasting else SHORT_LIVED))
        self._settings = settings
        self._progress = progress
        self._process: Started | None = None
        self._over = Event()
        self._archive: ClassArchive | None = None

    @property
    def pid(self) -> int:
        """The process id of Kafka itself; BrokerError when it was not started."""
        if self._process is None:
            raise BrokerError("The broker was not started.")
        return self._process.pid

    @property
    def log(self) -> Path:
        """What Java and Kafka say."""
        return self._folder.log

    @property
    def exit_code(self) -> int | None:
        """None while it runs or was not started, else how it ended by itself (128 + n for signal n)."""
        return None if self._process is None else self._process.exit_code

    def start(self, *, over: Event | None = None) -> BrokerAddress:
        """Start it and return where it listens, once it answers; blocks for some seconds, or while Kafka is fetched.

        BrokerAlreadyRuns when one runs on the same folder; BrokerError with what to do about it otherwise, and when it
        is `over` meanwhile.
        """
        self._over = over or Event()
        if self._process is not None:
            running = self._folder.running()
            if running is not None and self._process.exit_code is None:
                return running.address
            self.stop()
        settings = self._settings or Settings()
        with self._folder.locked() as lock:
            try:
                return self._start(self._resolve(settings), lock)
            except OSError as error:
                raise as_broker_error(error, self._folder.path) from error

    def stop(self) -> None:
        """Stop it cleanly, or by force after some seconds; nothing happens when it does not run."""
        process, self._process = self._process, None
        if process is not None and process.stop() == CLEANLY and self._archive is not None:
            self._archive.keep()

    def __enter__(self) -> BrokerAddress:
        """Start it."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    def _start(self, kafka: KafkaInstallation, lock: int) -> BrokerAddress:
        folder = self._folder
        last = folder.take_back()
        port, controller_port = broker_ports(folder.path, self._port, last.port if last is not None else None)
        address = BrokerAddress(HOST, port)
        text = server_properties(host=HOST, port=port, controller_port=controller_port, log_dir=folder.data)
        folder.properties.write_text(text, "utf-8")
        self._go_on()
        self._archive = ClassArchive(kafka, folder.new_archive)
        self._archive.prepare()
        cluster = format_storage(kafka, folder, (*JVM_OPTIONS, *SHORT_LIVED, *self._archive.options_for_tools()))
        options = (*self._jvm, *self._archive.options())
        command = kafka.command("kafka.Kafka", str(folder.properties), options=options)
        self._go_on()
        log = open_log(folder.log)
        try:
            said = os.fstat(log).st_size
            self._process = process = spawn(command, log=log, lock=lock, guarded=self._die_with_parent)
        except NotStarted as error:
            raise BrokerError(f"The broker's process did not start. Its log: {folder.log}") from error
        finally:
            os.close(log)
        try:
            self._wait_until_ready(process, address, cluster, said)
            folder.announce(RunningBroker(address, process.pid))
        except BaseException:
            self.stop()
            raise
        return address

    def _go_on(self) -> None:
        if self._over.is_set():
            raise BrokerError("The broker was told to stop before it was up.")

    def _resolve(self, settings: Settings) -> KafkaInstallation:
        with fetch_progress() if self._progress is None else nullcontext(self._progress) as report:

            def told(here: int, total: int) -> None:
                self._go_on()
                report(here, total)

            return resolve_kafka(told, cache_directory=settings.cache_directory, repository=settings.maven_repository)

    def _wait_until_ready(self, process: Started, address: BrokerAddress, cluster: str, said: int) -> None:
        log = self._folder.log
        failed: BaseException | None = None
        deadline = time.monotonic() + _START_S
        while (left_s := deadline - time.monotonic()) > 0:
            if listens(address.host, address.port):
                answer = cluster_at(address.bootstrap, left_s)
                while not answer.done() and process.exit_code is None and time.monotonic() < deadline:
                    self._go_on()
                    time.sleep(0.01)
                failed = answer.exception() if answer.done() else None
                if answer.done() and failed is None and answer.result() == cluster:
                    return
            self._go_on()
            if (code := process.exit_code) is not None:
                why = cause(self._folder.log_since(said))
                raise BrokerError(f"The broker ended with code {code}{why} Its log: {log}")
            time.sleep(0.02)
        raise BrokerError(
            f"The broker did not answer at {address.bootstrap} within {_START_S} s"
            f"{'' if failed is None else f' (the last time: {failed!r})'}. Its log: {log}"
        ) from failed
