"""A TCP proxy that fails, the same way for the same seed. It knows no protocol, so it serves links of every kind.

    async with fault_proxy(node.port, Faults(cut=0.3), seed=1) as port:   # dial `port` instead of the node's

Each connection has at most one fault, drawn when it is opened, at an offset counted in octets from its beginning:

    drop        accepted, then nothing: what is sent is swallowed, no answer ever comes
    refuse      closed as soon as it is accepted
    cut         both ways, behind so many octets of the one that dials
    lose        the octets of the one that dials arrive, the answer does not: cut behind so many octets of the answers.
                Whoever repeats then sends what was received already
    half_close  as `cut`, but only this way is closed; the other stays open, and silent
    delay       every read waits this long
    duplicate   all that the dialling side sends arrives twice, on a connection of its own each; the answers to the
                second one are lost. What a proxy does that tries again, and nobody else can: TCP gives octets once
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

__all__ = ["FaultProxy", "Faults", "fault_proxy"]

READ_OCTETS: Final = 65_536


@dataclass(frozen=True, kw_only=True)
class Faults:
    """The share of connections that each fault gets; the rest has none. `offset_max`: of cuts, in octets."""

    drop: float = 0.0
    refuse: float = 0.0
    cut: float = 0.0
    lose: float = 0.0
    half_close: float = 0.0
    delay: float = 0.0
    duplicate: float = 0.0
    delay_ms: int = 100
    offset_max: int = 2_000

    def draw(self, chance: random.Random) -> tuple[str, int]:
        """One connection's fate: (fault or `none`, offset)."""
        names = ("drop", "refuse", "cut", "lose", "half_close", "delay", "duplicate")
        shares = [getattr(self, name) for name in names]
        (fault,) = chance.choices([*names, "none"], [*shares, max(0.0, 1 - sum(shares))])
        # Half of the cuts hit the first octets, where requests begin and answers are due.
        return fault, chance.randrange(chance.choice((2, self.offset_max)))


@dataclass
class FaultProxy:
    """A running proxy. `faults` may be replaced while it runs: connections opened later follow."""

    to_port: int
    faults: Faults
    chance: random.Random
    port: int = 0
    drawn: dict[str, int] = field(default_factory=dict)
    """Fault -> how many connections had it."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _readers: list[asyncio.Task[None]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        self._writers.add(writer)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._close(writer)
            if task is not None:
                self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault, offset = self.faults.draw(self.chance)
        self.drawn[fault] = self.drawn.get(fault, 0) + 1
        if fault == "refuse":
            return
        if fault == "drop":
            while await reader.read(READ_OCTETS):
                pass
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.to_port)
        self._writers.add(back)
        twice = await self._second() if fault == "duplicate" else None
        wait_s = self.faults.delay_ms / 1000 if fault == "delay" else 0.0
        request_max = offset if fault in ("cut", "half_close") else None
        answer_max = offset if fault == "lose" else None
        pumps = [
            asyncio.ensure_future(_pump(reader, back, request_max, wait_s, twice)),
            asyncio.ensure_future(_pump(there, writer, answer_max, wait_s)),
        ]
        try:
            # Whatever ends first ends both; but the way that stays open after a half close waits for its end.
            done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            if fault == "half_close" and pumps[0] in done:
                with contextlib.suppress(OSError, RuntimeError):
                    back.write_eof()
                await pumps[1]
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._close(back)
            if twice is not None:
                self._close(twice)

    async def _second(self) -> asyncio.StreamWriter:
        """Another connection, whose answers nobody reads."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.to_port)
        self._writers.add(writer)
        self._readers.append(asyncio.ensure_future(_swallow(reader)))
        return writer

    def _close(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.transport.abort()

    async def stop(self) -> None:
        """Cut what is open."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in tuple(self._writers):
            self._close(writer)
        await asyncio.gather(*self._readers)


async def _swallow(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):
        while await reader.read(READ_OCTETS):
            pass


async def _pump(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    octets_max: int | None,
    wait_s: float,
    also: asyncio.StreamWriter | None = None,
) -> None:
    """One way, until its end or so many octets. `also` gets all of it too."""
    left = octets_max
    with contextlib.suppress(ConnectionError):
        while octets := await reader.read(READ_OCTETS):
            if wait_s:
                await asyncio.sleep(wait_s)
            if left is not None:
                octets = octets[:left]
                left -= len(octets)
            if also is not None:
                also.write(octets)
            writer.write(octets)
            await writer.drain()
            if left == 0:
                return


@asynccontextmanager
async def fault_proxy(
    to_port: int | Callable[[], int], faults: Faults, seed: int, port: int = 0
) -> AsyncIterator[FaultProxy]:
    """A proxy on a free port in front of `to_port`."""
    proxy = FaultProxy(to_port if isinstance(to_port, int) else to_port(), faults, random.Random(seed))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", port)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.stop()
        await server.wait_closed()
