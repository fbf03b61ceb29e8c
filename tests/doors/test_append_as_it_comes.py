"""What is appended from a pipe lands as it comes; Ctrl-C ends the waiting, and says what has landed."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from schemas.codec import EVENT_BYTES_MAX, Undecodable, encode
from streams.broker import BrokerAddress
from streams.doors.appending import Appended, appended_report
from streams.doors.arriving import arriving
from streams.doors.commanding import BAD_INPUT, INTERRUPTED
from streams.reading import end_positions
from streams.topics import EVENTS
from streams.topics_on_kafka import ensure_topics
from tests.first_light.running import PARTITIONS, PATIENCE_S, environment, parley, played_history


async def read(descriptor: int) -> list[bytes]:
    return [line for some in [some async for some in arriving(descriptor)] for line in some]


@pytest.fixture
def pipe() -> tuple[int, int]:
    return os.pipe()


async def test_lines_come_whole_in_whatever_pieces_they_are_written(pipe: tuple[int, int]) -> None:
    reading = asyncio.create_task(read(pipe[0]))
    for piece in (b"on", b"e\ntw", b"o\n\nth", b"ree"):
        os.write(pipe[1], piece)
        await asyncio.sleep(0)
    os.close(pipe[1])
    assert await asyncio.wait_for(reading, PATIENCE_S) == [b"one", b"two", b"", b"three"]
    os.close(pipe[0])


async def test_a_line_is_given_before_the_next_one_is_written(pipe: tuple[int, int]) -> None:
    lines = arriving(pipe[0])
    for line in (b"one", b"two"):
        os.write(pipe[1], line + b"\n")
        assert await asyncio.wait_for(anext(lines), PATIENCE_S) == [line]
    await lines.aclose()  # type: ignore[attr-defined] # a generator
    for end in pipe:
        os.close(end)


@pytest.mark.parametrize("content", [b"", b"one\ntwo\n", b"one\r\n\ntwo", b"x" * 3_000_000 + b"\nlast\n"])
async def test_a_file_is_read_to_its_end(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(content)
    with path.open("rb") as file:
        found = await read(file.fileno())
    expected = [line[: EVENT_BYTES_MAX + 1] for line in content.split(b"\n")]
    assert [line[: EVENT_BYTES_MAX + 1] for line in found] == (expected if expected[-1] else expected[:-1])


async def test_of_a_line_without_end_only_the_beginning_is_kept(pipe: tuple[int, int]) -> None:
    reading = asyncio.create_task(read(pipe[0]))

    def write() -> None:
        for _ in range(200):
            os.write(pipe[1], b"x" * 65_536)
        os.close(pipe[1])

    await asyncio.to_thread(write)
    (line,) = await asyncio.wait_for(reading, PATIENCE_S)
    assert len(line) == EVENT_BYTES_MAX + 1
    os.close(pipe[0])


@pytest.mark.kafka
async def test_what_comes_through_a_pipe_is_on_the_ledger_before_the_pipe_ends(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        # else deaf where the tests run in the background
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from streams.doors.cli import main; main()",
        *("append", "-", "--brokers", kafka.bootstrap, "--prefix", prefix),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(tmp_path),
        cwd=tmp_path,
    )
    try:
        assert process.stdin is not None
        for count, event in enumerate(played_history()[:2], start=1):
            process.stdin.write(encode(event) + b"\n")
            await until_appended(kafka.bootstrap, prefix, count)
        process.send_signal(signal.SIGINT)
        told, said = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == INTERRUPTED, said
    assert json.loads(told) == {"accepted": 2, "duplicates": 0, "refused": [], "whole": False}
    assert "interrupted: append all of it again" in " ".join(said.decode().split())


@pytest.mark.kafka
async def test_nothing_is_appended_where_a_file_is_missing(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    (tmp_path / "good").write_bytes(encode(played_history()[0]))
    to = ("--brokers", kafka.bootstrap, "--prefix", prefix)
    done = await asyncio.to_thread(parley, tmp_path, "append", "good", "missing", *to)
    assert (done.returncode, done.stdout) == (BAD_INPUT, b"")
    assert "missing: No such file" in done.stderr.decode()
    assert sum((await end_positions(kafka.bootstrap, EVENTS.name(prefix))).values()) == 0


def test_what_landed_before_a_failure_is_told() -> None:
    one, two = Appended(accepted=497), Appended(duplicates=2)
    for number in range(1, 4):
        one.refuse(number, Undecodable("not_json", "x"))
    report = appended_report([("a", one), ("b", two)], whole=False)
    assert (report["accepted"], report["duplicates"], report["whole"]) == (497, 2, False)
    assert [(line["file"], line["line"]) for line in report["refused"]] == [("a", 1), ("a", 2), ("a", 3)]


async def until_appended(bootstrap: str, prefix: str, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while sum((await end_positions(bootstrap, EVENTS.name(prefix))).values()) < count:  # noqa: ASYNC110 -- Kafka tells nobody
            await asyncio.sleep(0.05)


@pytest.mark.kafka
async def test_refused_lines_beyond_those_that_are_shown_are_counted(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    files = [tmp_path / name for name in ("one", "two")]
    for path in files:
        path.write_bytes(b"{}\n" * 10_003)
    to = ("--brokers", kafka.bootstrap, "--prefix", prefix)
    done = await asyncio.to_thread(parley, tmp_path, "append", *map(str, files), *to)
    report = json.loads(done.stdout)
    assert done.returncode == BAD_INPUT
    assert (report["accepted"], len(report["refused"]), report["refused_more"]) == (0, 20_000, 6)
