"""A small local port that says whether this worker is ready, and how far it is."""

import asyncio
import errno
import json
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mode import Service

from streams.engine.faults import ExitCode, Fault
from streams.engine.halt import halt

log = logging.getLogger(__name__)

_REQUEST_TIMEOUT = 5.0
Status = Callable[[], tuple[bool, Any]]


def listening(port: int, hint: str) -> socket.socket:
    """Return a socket that listens on 127.0.0.1 (0: at a free port), or halt.

    It is asked for before anything else is done: a process that is going to end over it takes nobody's partitions.
    hint: how to name another port, and what to do then
    """
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "is taken by another program" if taken else f"cannot be opened: {os.strerror(error.errno or 0)}"
        halt(Fault(ExitCode.PRODUCER, f"port {port} on 127.0.0.1 {why}. {hint}"))


class StatusPort(Service):
    """Serves GET /readyz (200 or 503) and GET /status (JSON) on a socket that listens.

    status: returns whether the worker is ready, and what /status says
    note: the file in which the number of the port is left, for whoever asks on this machine
    """

    def __init__(
        self,
        listens: socket.socket,
        status: Status,
        *,
        note: Path | None = None,
        **kwargs: Any,  # noqa: ANN401  Faust's own
    ) -> None:
        super().__init__(**kwargs)
        self._socket = listens
        self._note = note
        self._status = status
        self._server: asyncio.Server | None = None

    async def on_start(self) -> None:
        """Serve."""
        self._server = await asyncio.start_server(self._serve, sock=self._socket)
        port = self._socket.getsockname()[1]
        log.info("status on http://127.0.0.1:%d/readyz and /status", port)
        if self._note is not None:
            try:
                self._note.parent.mkdir(parents=True, exist_ok=True)
                self._note.write_text(str(port), "ascii")
            except OSError as error:  # nobody works worse without it
                log.warning("%s: %s. Nobody will find the status port by itself", self._note, error)

    async def on_stop(self) -> None:
        """Close the port."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_TIMEOUT):
                request = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer(request.split(b" ", 2)))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            log.info("a request to the status port was not understood")
        finally:
            writer.close()

    def _answer(self, request: list[bytes]) -> bytes:
        ready, status = self._status()
        match request:
            case [b"GET", b"/readyz", *_]:
                code, body = (b"200 OK", b"ready\n") if ready else (b"503 Service Unavailable", b"recovering\n")
            case [b"GET", b"/status", *_]:
                code, body = b"200 OK", json.dumps(status).encode() + b"\n"
            case _:
                code, body = b"404 Not Found", b"GET /readyz or /status\n"
        head = b"HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        return head % (code, len(body)) + body
