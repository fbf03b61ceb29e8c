"""How far a command is: told beside its answer, on a terminal and in a log, and what is told adds up."""

import asyncio
import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from schemas.codec import encode
from streams.broker import BrokerAddress
from streams.doors import progress
from streams.doors.fsck import check, compare
from streams.doors.progress import Count, told_if_slow
from streams.producing import LedgerWriter
from streams.projection import LedgerProjection
from streams.topics import EVENTS
from streams.topics_on_kafka import ensure_topics
from tests.first_light.running import (
    PARTITIONS,
    PATIENCE_S,
    appended,
    complete,
    environment,
    played_history,
    worker,
    write,
)

BLUE = "blue"
AT_ONCE = (
    "from streams.doors import progress; progress._PATIENCE_S = 0; progress._LINE_S = 0.001;"
    "from streams.doors.cli import main; main()"
)


@dataclass(slots=True)
class Told:
    """What a comparison tells of its progress."""

    total: int = -1
    more: list[int] = field(default_factory=list)

    def begin(self, total: int) -> None:
        self.total = total


def impatient(
    state: Path, *words: str, given: bytes = b"", errors: int = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    """Run a command that tells how far it is from the first millisecond on."""
    return subprocess.run(
        [sys.executable, "-c", AT_ONCE, *words], input=given, stdout=subprocess.PIPE, stderr=errors,
        env=environment(state) | {"TERM": "xterm"}, cwd=state, timeout=PATIENCE_S, check=False,
    )  # fmt: skip


def counts(told: str, what: str) -> list[tuple[int, int]]:
    """Return the counts that lines tell, each of how many; there must be no other lines."""
    found = [re.fullmatch(rf"(\d+)(?: of (\d+))? {what}", line) for line in told.splitlines()]
    assert all(found), told
    return [(int(one[1]), int(one[2] or one[1])) for one in found if one is not None]


async def two_sets(kafka: BrokerAddress, prefix: str, state: Path) -> tuple[int, int]:
    """Let two workers write; return up to how many events both are complete, and up to how many the usual set is.

    A record that is no event has a partition to itself, in which nothing changes.
    """
    history = played_history()[:360]
    await write(kafka.bootstrap, prefix, history[:299])
    async with LedgerWriter(kafka.bootstrap, EVENTS.name(prefix)) as writer:
        record = appended(history[0], PARTITIONS)
        await writer.append_all([record._replace(value=b"{", partition=(record.partition + 1) % PARTITIONS)])
    await ensure_topics(kafka.bootstrap, f"{prefix}+{BLUE}", PARTITIONS)
    async with worker(state, kafka.bootstrap, prefix):
        async with worker(state, kafka.bootstrap, prefix, settings={"outputs": BLUE}):
            await complete(kafka.bootstrap, f"{prefix}+{BLUE}")
        await write(kafka.bootstrap, prefix, history[300:350])
        await complete(kafka.bootstrap, prefix)
    await write(kafka.bootstrap, prefix, history[350:])
    return 300, 350


@pytest.mark.kafka
async def test_what_is_told_of_a_check_adds_up_to_the_events_up_to_the_cut(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    both, usual = await two_sets(kafka, prefix, tmp_path)
    against, folded = Told(), Told()
    await compare(kafka.bootstrap, prefix, f"{prefix}+{BLUE}", begin=against.begin, progress=against.more.append)
    assert (against.total, sum(against.more)) == (both, both)
    assert (min(against.more), len(against.more) > both // 2) == (1, True)  # as it goes, not at the end
    await check(
        kafka.bootstrap,
        prefix,
        lambda _: LedgerProjection(prefix=prefix, partitions=PARTITIONS),
        begin=folded.begin,
        progress=folded.more.append,
    )
    assert (folded.total, sum(folded.more)) == (usual + 10, usual)

    to = ("--brokers", kafka.bootstrap, "--prefix", prefix)
    for words, what, last in (
        (("fsck",), "events folded", (usual, usual + 10)),
        (("fsck", "--against", BLUE), "events compared", (both, both)),
    ):
        done = await asyncio.to_thread(impatient, tmp_path, *words, *to)
        assert (done.returncode, json.loads(done.stdout)["equal"]) == (0, True), done.stderr
        told = counts(done.stderr.decode(), what)
        assert (told[-1], told) == (last, sorted(set(told)))
        shown = await asyncio.to_thread(on_a_terminal, tmp_path, *words, *to)
        assert re.search(rf"\d+ of {last[1]} {what}", shown), shown


def on_a_terminal(state: Path, *words: str) -> str:
    """Run a command whose standard error is a terminal, and return what that was sent."""
    ours, terminal = pty.openpty()
    sent: list[bytes] = []

    def read() -> None:
        with suppress(OSError):  # how Linux says that a terminal's last user is gone
            while some := os.read(ours, 1 << 16):
                sent.append(some)

    reading = threading.Thread(target=read)
    reading.start()
    try:
        done = impatient(state, *words, errors=terminal)
    finally:
        os.close(terminal)
        reading.join()
        os.close(ours)
    assert json.loads(done.stdout)["equal"] is True
    return b"".join(sent).decode()


@pytest.mark.kafka
async def test_in_a_pipe_lines_tell_how_far_it_is_beside_an_answer_that_stays_whole(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    lines = b"".join(encode(event) + b"\n" for event in played_history()[:100])
    to = ("--brokers", kafka.bootstrap, "--prefix", prefix)
    taken = await asyncio.to_thread(impatient, tmp_path, "append", "-", *to, given=lines)
    assert json.loads(taken.stdout) == {"accepted": 100, "duplicates": 0, "refused": []}
    assert counts(taken.stderr.decode(), "lines")[-1] == (100, 100)
    exported = await asyncio.to_thread(impatient, tmp_path, "export", *to)
    assert len([json.loads(line) for line in exported.stdout.splitlines()]) == 100
    assert counts(exported.stderr.decode(), "events written")[-1] == (100, 100)

    nobody, errors = os.pipe()
    os.close(nobody)
    unheard = await asyncio.to_thread(impatient, tmp_path, "export", *to, errors=errors)
    os.close(errors)
    assert (unheard.returncode, unheard.stdout) == (0, exported.stdout)


def test_what_is_soon_done_tells_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with told_if_slow("lines") as count:
        count.begin(3)
        count.add(3)
    assert capsys.readouterr() == ("", "")


class Turns(threading.Event):
    """An end that comes after so many looks; it says what happens between them."""

    def __init__(self, between: Iterator[Callable[[], None]]) -> None:
        super().__init__()
        self._between = between
        self.waited: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout)
        happens = next(self._between, None)
        if happens is None:
            return True
        happens()
        return False


def test_a_log_has_a_line_every_five_seconds_at_most_and_none_where_nothing_has_moved(
    capsys: pytest.CaptureFixture[str],
) -> None:
    count, lines = Count("events"), progress._Lines()  # noqa: SLF001 -- its time is that of the test
    moves = (lambda: count.begin(7), lambda: count.add(3), lambda: None, lambda: count.add(1))
    turns = Turns(iter(moves))
    progress._tell(count, lines, turns)  # noqa: SLF001
    count.add(5)
    lines.end(count)
    assert turns.waited == [5.0] * 5
    assert capsys.readouterr().err.splitlines() == [
        "0 of 7 events",
        "3 of 7 events",
        "4 of 7 events",
        "9 of 9 events",
    ]
