"""What connections of both versions of HTTP have in common: whose they are, and when they are read.

A connection is a stranger's until a packet of a peer was answered on it. Until then it is read in small pieces, when
its turn comes (`strangers`), and may be cut off to make room for others (`port`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sized
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from interledger.link.http.strangers import READ_MAX, USELESS_MAX
from interledger.link.read_buffer import read_buffer

if TYPE_CHECKING:
    from interledger.link.http.port import Port

__all__ = ["IN_TURN_MS", "OpenConnection"]

IN_TURN_MS: Final = 1_000
"""How long a peer that asked too much, or what nobody agreed on, is read like a stranger after it did so last."""


class OpenConnection(asyncio.BufferedProtocol):
    """One socket of a port. `source`: where it comes from, as `throttle.source_of` says."""

    def __init__(self, port: Port, source: str) -> None:
        self.port = port
        self.source = source
        self.loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        """None: not open yet, or not ours any more."""
        self.since = port.tick
        """The port's tick of what the next deadline counts from."""
        self.waits_turn = True
        """It is read in turn. False for a peer's, and for one that was refused: what still comes there is dropped."""
        self.served = False
        """It was of use: something was answered by other than a refusal."""
        self.kept = False
        """A peer's: a packet was answered on it."""
        self._in_turn_until = -1
        """The port's tick before which a packet makes it no peer's."""
        self.held = False
        """It waits for its turn to be read (`strangers`)."""
        self.pieces = 0
        """Small reads since its last whole request."""
        self.useless = 0
        """Refused requests since it was taken for a peer's, or brought a packet in its turn."""
        self._buffer = memoryview(b"")

    # What each version does its own way.

    exchanges: Sized
    """Requests that are not answered yet."""

    def receive(self, octets: memoryview | bytes) -> None:
        """Octets of the client."""
        raise NotImplementedError

    def may_read(self) -> bool:
        """Whether there is room for what the client sends."""
        raise NotImplementedError

    def finish(self) -> None:
        """Write what is there and close."""
        raise NotImplementedError

    def sweep(self) -> None:
        """Once per `sweep_ms`: end what takes too long."""
        raise NotImplementedError

    # The same for all.

    def get_buffer(self, sizehint: int) -> memoryview:
        self._buffer = buffer = read_buffer()[:READ_MAX] if self.waits_turn else read_buffer()
        return buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self.waits_turn:
            self.port.strangers.receive(self, self._buffer[:nbytes])
        else:
            self.receive(self._buffer[:nbytes])

    def eof_received(self) -> None:
        """The client is done. What it still waits for cannot be told from what it has given up: it is gone."""

    def stop_reading(self) -> None:
        """Read nothing more for now."""
        if self.transport is not None:
            self.transport.pause_reading()

    def read_on(self) -> None:
        """Read again, unless it waits for its turn, or there is no room."""
        if self.transport is not None and not self.held and self.may_read():
            self.transport.resume_reading()

    def keep(self) -> None:
        """It is a peer's from now on, unless it has to wait its turn."""
        self.useless = 0
        if self.port.tick < self._in_turn_until:
            return
        self.kept = self.served = True
        self.read_at_once()
        self.port.standing.brought_packet(self.source, self.port.clock.now())

    def read_at_once(self) -> None:
        """It waits for no turn any more, and is not cut off to make room: a peer's, or ending already."""
        self.waits_turn = False
        self.port.no_stranger(self)

    def read_in_turn(self) -> None:
        """It is a peer's and does what a peer should not: for a while its packets do not let it in before others."""
        self.kept, self.served, self.waits_turn = False, True, True
        self._in_turn_until = self.port.tick + self.port.ticks(IN_TURN_MS)

    def refused(self, status: int) -> None:
        """A request was answered so. A peer that goes on with what is of no use is read in turn; see `USELESS_MAX`.

        That we are busy, or stop, is nobody else's fault.
        """
        if 400 <= status < HTTPStatus.TOO_MANY_REQUESTS and status != HTTPStatus.REQUEST_TIMEOUT:
            self.useless += 1
            if self.kept and self.useless > USELESS_MAX:
                self.read_in_turn()

    def cost_too_much(self) -> None:
        """It is cut off for what came over it: that counts against its source, unless it was of use before."""
        if not self.served:
            self.port.standing.cut_off(self.source, self.port.clock.now())

    def leave(self) -> None:
        """The socket is not ours any more: closed, or another protocol's."""
        self.transport = None
        self.port.leave(self)

    def judge(self) -> None:
        """It is closed: what does that say of its source?"""
        now = self.port.clock.now()
        if self.kept:
            self.port.standing.brought_packet(self.source, now)
        elif not self.served:
            self.port.standing.wasted(self.source, now)
