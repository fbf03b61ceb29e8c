"""Fetching Apache Kafka: only the pinned bytes, once, and words when it cannot be had."""

import functools
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from streams.broker import BrokerAddress, BrokerError, resolve_kafka
from streams.broker_installation import KAFKA_VERSION, pinned_files
from streams.broker_progress import fetch_progress
from streams.settings import Settings


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def mirror(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_kafka_is_fetched_whole_from_a_mirror_and_then_kept(kafka: BrokerAddress, tmp_path: Path) -> None:
    assert kafka.port  # the broker that runs has Kafka in the cache: it is what the mirror serves
    told: list[tuple[int, int]] = []
    with mirror(Settings().cache_directory / "kafka") as url:
        resolve_kafka(lambda here, total: told.append((here, total)), cache_directory=tmp_path, repository=url)
    total = sum(file.length for file in pinned_files())
    assert told[-1] == (total, total)
    assert all(file.is_at(file.below(tmp_path / "kafka")) for file in pinned_files())
    with mirror(tmp_path / "nothing") as url:
        again = resolve_kafka(cache_directory=tmp_path, repository=url)  # nothing is asked for
    assert again.version == KAFKA_VERSION
    assert all(jar.is_relative_to(tmp_path) for jar in again.jars)


def test_a_broken_file_is_replaced_and_the_others_are_not_fetched_again(kafka: BrokerAddress, tmp_path: Path) -> None:
    assert kafka.port
    with mirror(Settings().cache_directory / "kafka") as url:
        resolve_kafka(cache_directory=tmp_path, repository=url)
        shortest = min(pinned_files(), key=lambda file: file.length)
        shortest.below(tmp_path / "kafka").unlink()
        told: list[tuple[int, int]] = []
        resolve_kafka(lambda here, total: told.append((here, total)), cache_directory=tmp_path, repository=url)
    assert told[-1] == (shortest.length, shortest.length)
    assert shortest.is_at(shortest.below(tmp_path / "kafka"))


def test_a_file_that_is_not_the_pinned_one_is_refused_and_not_kept(tmp_path: Path) -> None:
    served, cache = tmp_path / "served", tmp_path / "cache"
    for file in pinned_files():
        path = file.below(served)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"something else")
    with mirror(served) as url, pytest.raises(BrokerError, match=r"arrived with 14 bytes and is not the pinned file"):
        resolve_kafka(cache_directory=cache, repository=url)
    assert not list(cache.rglob("*.verified"))


def test_without_a_network_the_ways_out_are_named(tmp_path: Path) -> None:
    with pytest.raises(BrokerError) as refusal:
        resolve_kafka(cache_directory=tmp_path, repository="http://127.0.0.1:1")
    message = str(refusal.value)
    assert message.startswith(f"Apache Kafka {KAFKA_VERSION} could not be fetched: ")
    for way_out in ("HTTPS_PROXY", "PARLEY_MAVEN_REPOSITORY=URL", "PARLEY_BROKERS=host:port"):
        assert way_out in message


def test_a_folder_that_cannot_be_written_is_named_and_not_the_network(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BrokerError) as refusal:
        resolve_kafka(cache_directory=tmp_path / "file", repository="http://127.0.0.1:1")
    assert str(refusal.value) == (
        f"Apache Kafka cannot be kept in {tmp_path}/file/kafka: not a directory. "
        "Set PARLEY_CACHE_DIRECTORY to a folder of yours."
    )


def test_a_mirror_that_does_not_hold_kafka_is_told_as_such(tmp_path: Path) -> None:
    with mirror(tmp_path) as url, pytest.raises(BrokerError, match=r"not found in remote repositories"):
        resolve_kafka(cache_directory=tmp_path / "cache", repository=url)


def test_progress_in_a_pipe_is_a_line_at_the_start_and_one_at_the_end() -> None:
    stream = io.StringIO()
    with fetch_progress(stream) as report:
        for here in (1 << 20, 2 << 20, 3 << 20):
            report(here, 3 << 20)
    assert stream.getvalue() == (
        f"Fetching Apache Kafka {KAFKA_VERSION} (once): 3 MiB …\nApache Kafka is here and verified.\n"
    )


def test_progress_is_silent_when_there_is_nothing_to_fetch() -> None:
    stream = io.StringIO()
    with fetch_progress(stream):
        pass
    assert stream.getvalue() == ""
