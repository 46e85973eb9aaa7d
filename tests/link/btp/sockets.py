"""Real sockets over loopback: a link with events to wait for, servers, clients, and raw ones that misbehave."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from interledger.accounts.account import AccountId
from interledger.clock import SystemClock, SystemEntropy, Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.link.btp.client import BtpClient
from interledger.link.btp.link import BtpLink
from interledger.link.btp.server import BtpServer
from interledger.link.btp.urls import parse_btp_url
from interledger.link.handshake import ClientHandshake
from interledger.link.websocket import WebSocket

CLOCK = SystemClock()
ENTROPY = SystemEntropy()
ALICE = AccountId("alice")


@dataclass
class Side:
    """One end: its link, its handler, and events to wait for."""

    answer: Reply | None = field(default_factory=lambda: Fulfill(bytes(32), b"done"))
    prepares: int = 0
    replies: dict[int, Reply] = field(default_factory=dict)
    ups: int = 0
    downs: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.link = BtpLink(
            ALICE, self, clock=CLOCK, defer=loop.call_soon, address=lambda: "test.node", link_up=self.up
        )

    def up(self, account: AccountId, now: Timestamp) -> None:
        self.ups += 1
        self.changed.set()

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        self.prepares += 1
        return self.answer

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        self.replies[request_id] = reply
        self.changed.set()

    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None:
        raise AssertionError("not expected here")

    def link_lost(self, account: AccountId, now: Timestamp) -> None:
        self.downs += 1
        self.changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that comes with a packet or a change of the link."""
        async with asyncio.timeout(5):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    def send(self, count: int, first: int = 0) -> None:
        for i in range(first, first + count):
            prepare = Prepare(i, Timestamp(CLOCK.now() + 10_000), bytes(32), Address("test.bob"), bytes(i % 600))
            self.link.send_prepare(RequestId(i), prepare)


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait for something that no event tells."""
    for _ in range(5000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came")


async def settle() -> None:
    """A few turns of the loop: what was accepted or closed just now gets there."""
    for _ in range(5):
        await asyncio.sleep(0)


class Port(asyncio.Protocol):
    """What a listener does: reads the head of a request and hands the socket over."""

    def __init__(self, server: BtpServer, account_in_path: str | None) -> None:
        self.server = server
        self.account_in_path = account_in_path
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, end, trailing = self.received.partition(b"\r\n\r\n")
        if end:
            self.server.upgrade(self.transport, head + end, trailing, self.account_in_path)


def authenticate(
    username: str | None, token: str, source: str = "", certificate: bytes | None = None
) -> AccountId | None:
    return ALICE if username in (None, "alice") and token in ("secret", "") else None


@asynccontextmanager
async def serve(
    side: Side, *, path: str | None = None, tls: ssl.SSLContext | None = None, known: bool = True, **more: Any
) -> AsyncIterator[str]:
    """A server for `side`; gives the URL with the right token."""
    server = BtpServer(authenticate, lambda account: side.link if known else None, clock=CLOCK, entropy=ENTROPY, **more)
    loop = asyncio.get_running_loop()
    ports: list[Port] = []

    def accept() -> Port:
        ports.append(Port(server, path))
        return ports[-1]

    listener = await loop.create_server(accept, "127.0.0.1", 0, ssl=tls)
    port = listener.sockets[0].getsockname()[1]
    try:
        yield f"btp+ws{'s' if tls else ''}://alice:secret@127.0.0.1:{port}/"
    finally:
        await server.stop()
        listener.close()
        await listener.wait_closed()
        await eventually(lambda: all(port.transport.is_closing() for port in ports))
        await settle()


@asynccontextmanager
async def dial(side: Side, url: str, **more: Any) -> AsyncIterator[BtpClient]:
    client = BtpClient(side.link, parse_btp_url(url), clock=CLOCK, entropy=ENTROPY, **more)
    client.start()
    client.start()
    try:
        yield client
    finally:
        await client.stop()


@asynccontextmanager
async def raw_server(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """A server that speaks anything but BTP."""

    running: list[asyncio.StreamWriter] = []

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.append(writer)
        with suppress(OSError, asyncio.IncompleteReadError):  # our client hangs up when it is stopped
            await answer(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        running.remove(writer)

    listener = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    try:
        yield f"btp+ws://:secret@127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
    finally:
        listener.close()
        await listener.wait_closed()
        await settle()
        await eventually(lambda: not running)


@dataclass
class RawClient:
    """A client made of its parts, so that it can do what ours never would."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    frames: WebSocket
    messages: list[bytes]

    async def receive(self) -> list[bytes]:
        """The next messages; none when the connection ends."""
        if self.messages:
            first, self.messages = self.messages, []
            return first
        async with asyncio.timeout(5):
            while octets := await self.reader.read(65_536):
                messages = self.frames.receive(octets, CLOCK.now())
                if messages:
                    return messages
        return []

    async def send(self, *messages: bytes) -> None:
        for message in messages:
            self.frames.send(message)
        self.writer.write(self.frames.octets_to_send())
        await self.writer.drain()


@asynccontextmanager
async def raw_client(url: str, first: bytes = b"", source: str | None = None) -> AsyncIterator[RawClient]:
    """After the handshake. `first`: octets that leave together with the request; `source`: from which address."""
    address = parse_btp_url(url)
    local = None if source is None else (source, 0)
    reader, writer = await asyncio.open_connection(address.host, address.port, local_addr=local)
    try:
        handshake = ClientHandshake(address.url, ENTROPY)
        writer.write(handshake.octets_to_send() + first)
        trailing = None
        while trailing is None:
            octets = await reader.read(4096)
            assert octets, "the server closed the connection"
            trailing = handshake.receive(octets)
        frames = WebSocket(client=True, entropy=ENTROPY, wake=lambda: None, now=CLOCK.now())
        yield RawClient(reader, writer, frames, frames.receive(trailing, CLOCK.now()))
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
