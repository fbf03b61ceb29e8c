"""A small TCP proxy on this machine: it cuts, swallows, holds back and slows down what goes through it."""

import asyncio
from asyncio import StreamReader, StreamWriter
from typing import Literal

from streams.broker_ports import HOST

Mode = Literal["open", "cut", "black hole", "replies lost", "frozen", "slow"]
MODES: tuple[Mode, ...] = ("cut", "black hole", "replies lost", "frozen", "slow")
"""cut: connections end and new ones are refused. black hole: everything is swallowed. replies lost: only what comes
back is. frozen: everything is held, and delivered later. slow: every piece waits a quarter of a second."""

_SLOW_S = 0.25
_PIECE_BYTES = 1 << 16


class Proxy:
    """Forwards connections to `port` to `target`, both on 127.0.0.1."""

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self._target = target
        self._mode: Mode = "open"
        self._flows = asyncio.Event()
        self._flows.set()
        self._open: set[StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Open the port."""
        self._server = await asyncio.start_server(self._serve, HOST, self.port)

    async def stop(self) -> None:
        """Close the port and all connections."""
        if self._server is not None:
            self._server.close()
        self._abort()
        self._flows.set()

    def become(self, mode: Mode) -> None:
        """Treat everything in this way from now on. A connection of which something was swallowed ends with that."""
        if mode == "cut" or self._mode in ("black hole", "replies lost"):
            self._abort()
        self._mode = mode
        (self._flows.clear if mode == "frozen" else self._flows.set)()

    def _abort(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            if self._mode == "cut":
                return
            back, there = await asyncio.open_connection(HOST, self._target)
        except OSError:
            return
        else:
            self._open |= {writer, there}
            ways = [
                asyncio.create_task(self._pass(reader, there, swallowed_by=("black hole",))),
                asyncio.create_task(self._pass(back, writer, swallowed_by=("black hole", "replies lost"))),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            self._open -= {writer, there}
            there.transport.abort()
        finally:
            writer.transport.abort()

    async def _pass(self, source: StreamReader, sink: StreamWriter, *, swallowed_by: tuple[Mode, ...]) -> None:
        try:
            while piece := await source.read(_PIECE_BYTES):
                await self._flows.wait()
                if self._mode in swallowed_by:
                    continue
                if self._mode == "slow":
                    await asyncio.sleep(_SLOW_S)
                sink.write(piece)
                await sink.drain()
        except OSError:
            return
