"""Ask a worker's status port."""

import asyncio
import json
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from tests.engine.trial import PATIENCE_S


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody listens on."""
    with ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


async def ask(port: int, path: str) -> tuple[int, str]:
    """Return the status code and the body of a GET; 0 while nobody listens."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return 0, ""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split()[1]), body


async def until_shown(ports: Sequence[int], partitions: list[dict[str, int | bool]]) -> dict[int, Any]:
    """Wait until all workers are ready and show these partitions, taken together; return what each one shows.

    What happened on the way is left out: how many bytes were sent, and from where the state came.
    """
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answers = [(await ask(port, "/readyz"), await ask(port, "/status")) for port in ports]
            if all(ready[0] == 200 for ready, _ in answers):
                shown = {port: json.loads(status[1]) for port, (_, status) in zip(ports, answers, strict=True)}
                told = [one for each in shown.values() for one in each]
                if [{name: one[name] for name in one.keys() - {"sent_bytes", "resumed"}} for one in told] == partitions:
                    return shown
            await asyncio.sleep(0.05)
