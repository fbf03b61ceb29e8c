"""Whether the workers of this machine have recovered: each leaves the port of its status beside its snapshots."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from streams.broker_ports import HOST
from streams.engine.config import PORT_NOTE

_WITHIN_S: Final = 1.0
_ANSWER_BYTES_MAX: Final = 1 << 20
_INSTANCE: Final = "instance-"


class Recovering(NamedTuple):
    """How far a worker is: it has `folded` so many events of those up to its cuts, and is `ready` when it has all."""

    ready: bool
    folded: int
    events: int


async def recoveries(folder: Path) -> Mapping[str, Recovering]:
    """Ask every worker that keeps its snapshots in this folder, and has a port, how far it is; by the worker's name.

    One that is gone, or does not answer within a second, is left out.
    """
    ports = _ports(folder)
    found = await asyncio.gather(*map(_recovery, ports.values()))
    return {name: one for name, one in zip(ports, found, strict=True) if one is not None}


def _ports(folder: Path) -> dict[str, int]:
    ports: dict[str, int] = {}
    for note in sorted(folder.glob(f"*/{PORT_NOTE}")):
        with suppress(OSError, ValueError):  # it is being written just now
            ports[unquote(note.parent.name.removeprefix(_INSTANCE))] = int(note.read_text("ascii"))
    return ports


async def _recovery(port: int) -> Recovering | None:
    try:
        async with asyncio.timeout(_WITHIN_S):
            ready, _ = await asked(port, "/readyz")
            _, body = await asked(port, "/status")
        partitions = [one for one in json.loads(body) if {"folded", "cut"} <= one.keys()]
        return Recovering(ready, *(sum(one[what] + 1 for one in partitions) for what in ("folded", "cut")))
    except (OSError, TimeoutError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None  # another program may have the port by now


async def asked(port: int, path: str) -> tuple[bool, bytes]:
    """Ask a status port of this machine: whether the answer is 200, and its body. OSError when nobody answers."""
    reader, writer = await asyncio.open_connection(HOST, port, limit=_ANSWER_BYTES_MAX)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        answer = await reader.read(_ANSWER_BYTES_MAX)
        while len(answer) < _ANSWER_BYTES_MAX and (more := await reader.read(_ANSWER_BYTES_MAX)):
            answer += more
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.startswith(b"HTTP/1.1 200"), body


def described(worker: dict[str, Any], found: Mapping[str, Recovering]) -> dict[str, Any]:
    """Return what is told of a worker, with whether it has recovered; null where it cannot be asked from here."""
    one = found.get(worker["worker"])
    if one is None:
        return {**worker, "ready": None}
    return {**worker, "ready": one.ready, "folded": one.folded, "to_fold": one.events}
