"""Lines of a file, a pipe or a terminal as they come."""

import asyncio
import os
import select
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TextIO

from schemas.codec import EVENT_BYTES_MAX
from streams.ledger_file import BadLedgerFile

_READ_BYTES = 1 << 20
_CHUNK_BYTES = 4 << 20
_CHUNK_LINES = 5_000
_LINE_BYTES_MAX = EVENT_BYTES_MAX + 1  # as much of an overlong line as tells that it is one


def standard_input() -> BinaryIO:
    """Return standard input as bytes. BadLedgerFile if whoever started this process has closed it."""
    given: TextIO | None = sys.stdin
    if given is None:
        raise BadLedgerFile("-: standard input is closed. Name a JSON Lines file, or give one: - < FILE.")
    return given.buffer


@contextmanager
def opened(name: str) -> Iterator[int]:
    """Open a file, or standard input for `-`. BadLedgerFile if it cannot be opened, or is closed."""
    if name == "-":
        yield standard_input().fileno()
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 -- closed below
    except OSError as error:
        raise BadLedgerFile(f"{name}: {error.strerror}. Name a JSON Lines file, or - for standard input.") from error
    with file:
        yield file.fileno()


async def arriving(descriptor: int) -> AsyncIterator[Sequence[bytes]]:
    """Give the lines of an open file, some MiB of them at a time, or fewer when whoever writes them pauses.

    Waiting for more can be cancelled. Of an overlong line only the beginning is kept, so that memory stays bounded.
    """
    rest = b""
    while data := await _read(descriptor):
        *whole, rest = (rest + data).split(b"\n")
        rest = rest[:_LINE_BYTES_MAX]
        if whole:
            yield whole
    if rest:
        yield [rest]


async def at_hand(data: Iterable[bytes]) -> AsyncIterator[Sequence[bytes]]:
    """Give lines that are there already, some thousand at a time."""
    rest = iter(data)
    while chunk := list(islice(rest, _CHUNK_LINES)):
        yield chunk


async def _read(descriptor: int) -> bytes:
    """Return what has come, b"" at the end. OSError as in os.read."""
    await _readable(descriptor)
    found = [os.read(descriptor, _READ_BYTES)]
    while found[-1] and sum(map(len, found)) < _CHUNK_BYTES and _more(descriptor):
        found.append(os.read(descriptor, _READ_BYTES))
    return b"".join(found)


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    come = asyncio.Event()
    try:
        loop.add_reader(descriptor, come.set)
    except PermissionError:  # a file on a disk has all that will come
        return
    try:
        await come.wait()
    finally:
        loop.remove_reader(descriptor)


def _more(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
