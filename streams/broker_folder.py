"""The folder of an embedded broker: its data, its log, its address, and the lock that lasts as long as it runs."""

import errno
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from streams.broker_installation import BrokerError

_LOG_TAIL_BYTES: Final = 16 << 10
_LOCK_PATIENCE_S: Final = 1


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker listens."""

    host: str
    port: int

    @property
    def bootstrap(self) -> str:
        """The address as clients want it: `127.0.0.1:12345`."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class RunningBroker:
    """The embedded broker that runs on a folder: where it listens, and its Java process."""

    address: BrokerAddress
    pid: int


class BrokerAlreadyRuns(BrokerError):  # noqa: N818 - a polite answer, told as what it is
    """The folder has a running broker; `running` is that one, None while it has no address yet."""

    def __init__(self, folder: Path, running: RunningBroker | None) -> None:
        self.running = running
        if running is None:
            super().__init__(f"A broker for {folder} is just starting. Try again in some seconds.")
        else:
            super().__init__(
                f"A broker for {folder} already runs at {running.address.bootstrap} (process {running.pid}); every"
                f" command finds it by itself. To stop it: kill {running.pid}"
            )


@dataclass(frozen=True, slots=True)
class BrokerFolder:
    """What lies where in the folder of an embedded broker."""

    path: Path

    @property
    def data(self) -> Path:
        """Kafka's own folder: topics and metadata."""
        return self.path / "kafka"

    @property
    def properties(self) -> Path:
        """What the broker is told."""
        return self.path / "server.properties"

    @property
    def log(self) -> Path:
        """What Java and Kafka say."""
        return self.path / "broker.log"

    @property
    def new_archive(self) -> Path:
        """Where Java leaves an archive of loaded classes."""
        return self.path / "classes.jsa"

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Make the folder and hold its lock; give the open file, which a child may inherit to go on holding it.

        BrokerAlreadyRuns when somebody else holds it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            file = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise as_broker_error(error, self.path) from error
        try:
            deadline = time.monotonic() + _LOCK_PATIENCE_S  # a look at the lock, or a broker that ends, takes moments
            while not _try_lock(file, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise BrokerAlreadyRuns(self.path, self._read())
                time.sleep(0.02)
            yield file
        finally:
            os.close(file)

    def running(self) -> RunningBroker | None:
        """Return the broker that runs here and is ready; None when there is none."""
        try:
            file = os.open(self._lock, os.O_RDWR)
        except OSError:
            return None
        try:
            return None if _try_lock(file, fcntl.LOCK_SH) else self._read()
        finally:
            os.close(file)

    def announce(self, running: RunningBroker) -> None:
        """Write down the broker's address for whoever looks for it."""
        text = json.dumps({**asdict(running.address), "pid": running.pid}) + "\n"
        unfinished = self._address.with_suffix(".new")
        unfinished.write_text(text, "utf-8")
        unfinished.replace(self._address)

    def take_back(self) -> BrokerAddress | None:
        """Remove the address that the last broker left, and return it: the next one likes to have the same."""
        last = self._read()
        self._address.unlink(missing_ok=True)
        return None if last is None else last.address

    def log_since(self, length: int) -> str:
        """Return the end of what the log holds beyond its first `length` bytes."""
        with self.log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(length, end - _LOG_TAIL_BYTES) if length <= end else 0)
            return file.read(_LOG_TAIL_BYTES).decode("utf-8", "replace")

    @property
    def _lock(self) -> Path:
        return self.path / "broker.lock"

    @property
    def _address(self) -> Path:
        return self.path / "broker.json"

    def _read(self) -> RunningBroker | None:
        try:
            found = json.loads(self._address.read_bytes())
            return RunningBroker(BrokerAddress(str(found["host"]), int(found["port"])), int(found["pid"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None


def as_broker_error(error: OSError, path: Path) -> BrokerError:
    """Say for people why the disk refused."""
    if error.errno == errno.ENOSPC:
        return BrokerError(f"No space left for the broker's data in {path}. Free some, or choose another folder.")
    return BrokerError(
        f"The broker cannot use the folder {path}: {error.strerror or error}. Choose another one:"
        " PARLEY_STATE_DIRECTORY=FOLDER."
    )


def _try_lock(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
