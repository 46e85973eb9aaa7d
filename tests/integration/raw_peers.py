"""Peers that do as they are told: one that speaks BTP by hand, and one that speaks HTTP octet by octet."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from websockets.asyncio.client import ClientConnection, connect

from interledger.clock import SystemClock, Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply, decode_packet
from interledger.link.btp.auth import auth_message
from interledger.link.btp.messages import (
    BtpError,
    BtpMessage,
    BtpPacket,
    BtpResponse,
    ContentType,
    ProtocolData,
    decode_btp,
    find_entry,
)
from interledger.node.node import Node


def secret(tag: str) -> bytes:
    """The fulfillment of the packet called `tag`."""
    return hashlib.sha256(tag.encode()).digest()


def prepare(tag: str, amount: int, destination: str, *, lifetime_ms: int = 5_000) -> Prepare:
    condition = hashlib.sha256(secret(tag)).digest()
    expires_at = Timestamp(SystemClock().now() + lifetime_ms)
    return Prepare(amount, expires_at, condition, Address(destination), b"data")


def ilp(packet: Prepare | Reply | bytes) -> ProtocolData:
    return ProtocolData("ilp", ContentType.OCTETS, packet if isinstance(packet, bytes) else packet.encode())


class RawBtp:
    """A BTP peer whose every octet is chosen by the test."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.last_id = 0

    async def send(self, packet: BtpPacket | bytes) -> None:
        await self.socket.send(packet if isinstance(packet, bytes) else packet.encode())

    async def receive(self) -> BtpPacket:
        octets = await asyncio.wait_for(self.socket.recv(), 5)
        assert isinstance(octets, bytes)
        return decode_btp(octets)

    async def send_prepare(self, packet: Prepare | bytes) -> int:
        self.last_id += 1
        await self.send(BtpMessage(self.last_id, (ilp(packet),)))
        return self.last_id

    async def ask(self, packet: Prepare | bytes) -> Fulfill | Reject | BtpError:
        """Send a Prepare, return what is answered to it."""
        request_id = await self.send_prepare(packet)
        answer = await self.receive()
        assert answer.request_id == request_id
        if isinstance(answer, BtpError):
            return answer
        return reply_of(answer)

    async def receive_prepare(self) -> tuple[int, Prepare]:
        """The next Prepare of the node, and the id to answer it with."""
        packet = await self.receive()
        entry = find_entry(packet.entries, "ilp")
        assert entry is not None
        return packet.request_id, Prepare.decode(entry.data)

    async def reply(self, request_id: int, reply: Reply) -> None:
        await self.send(BtpResponse(request_id, (ilp(reply),)))

    async def closed(self, timeout_s: float = 5) -> int | None:
        """Wait until the node closes. Its close code."""
        async with asyncio.timeout(timeout_s):
            await self.socket.wait_closed()
        return self.socket.close_code


def reply_of(packet: BtpPacket) -> Fulfill | Reject:
    entry = find_entry(packet.entries, "ilp")
    assert entry is not None
    reply = decode_packet(entry.data)
    assert isinstance(reply, Fulfill | Reject)
    return reply


@asynccontextmanager
async def raw_btp(node: Node, name: str, token: str | None, path: str | None = None) -> AsyncIterator[RawBtp]:
    """Connected, and authenticated when there is a token."""
    url = f"ws://127.0.0.1:{node.port}{path or f'/accounts/{name}/ilp/btp'}"
    async with connect(url, max_size=None, compression=None, ping_interval=None) as socket:
        peer = RawBtp(socket)
        if token is not None:
            await peer.send(auth_message(0, "", token))
            answer = await peer.receive()
            assert answer == BtpResponse(0)
        yield peer


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: bytes


async def exchange(node: Node, octets: bytes, timeout_s: float = 5) -> Answer | None:
    """Send octets to the node's port; what it answers, or None when it only hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    try:
        writer.write(octets)
        return await read_answer(reader, timeout_s)
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def read_answer(reader: asyncio.StreamReader, timeout_s: float = 5) -> Answer | None:
    async with asyncio.timeout(timeout_s):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Answer(int(lines[0].split()[1]), body)


def post(name: str, body: bytes, token: str | None, *, length: int | None = None) -> bytes:
    """A Prepare's request, whose length may be a lie."""
    lines = [
        f"POST /accounts/{name}/ilp HTTP/1.1",
        "host: node",
        "content-type: application/octet-stream",
        f"content-length: {len(body) if length is None else length}",
    ]
    if token is not None:
        lines.append(f"authorization: Bearer {token}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
