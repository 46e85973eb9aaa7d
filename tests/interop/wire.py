"""A wire between two nodes that can be cut, and that can go silent without anybody being told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Wire:
    """Carries TCP connections from its own `port` to another one."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._carries = asyncio.Event()
        self._carries.set()
        self._is_whole = True
        self.port = 0

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection from one side: open one to the other."""
        if not self._is_whole:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        ends = (writer, far_writer)
        self._writers.update(ends)
        try:
            await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        finally:
            for end in ends:
                self._writers.discard(end)
                end.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while octets := await reader.read(65_536):
                await self._carries.wait()
                writer.write(octets)
                await writer.drain()
        writer.close()

    def cut(self) -> None:
        """Both ends notice at once, and cannot connect."""
        self._is_whole = False
        for writer in list(self._writers):
            writer.transport.abort()

    def mend(self) -> None:
        """As it was."""
        self._is_whole = True
        self._carries.set()

    def go_silent(self) -> None:
        """Nothing arrives any more, and no end notices."""
        self._carries.clear()


@asynccontextmanager
async def wire_to(port: int) -> AsyncIterator[Wire]:
    """A wire that leads to `port`."""
    wire = Wire(port)
    server = await asyncio.start_server(wire.accept, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        wire.mend()
        wire.cut()
        server.close()
        await server.wait_closed()
