"""A load generator and a sink that speak BTP with prebuilt frames, so that nearly all CPU is the node's.

The generator keeps a fixed number of Prepares in flight; the sink fulfills each with 32 zero octets. Both are clients
of the node. The WebSocket mask is zero (RFC 6455 allows it), so masking costs neither side of the comparison anything.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from interledger.codec.oer import encode_octets
from interledger.codec.timestamp import encode_interledger_time
from interledger.ilp.packet import Fulfill, Prepare
from interledger.ilp.peer import PEER_CONDITION

ILP_ENTRY = b"\x01\x01\x03ilp\x00"


def frame(message: bytes) -> bytes:
    """A masked binary WebSocket frame whose mask is zero."""
    n = len(message)
    head = bytes((0x82, 0x80 | n)) if n < 126 else bytes((0x82, 0xFE, n >> 8, n & 0xFF))
    return head + bytes(4) + message


def btp(kind: int, request_id: int, packet: bytes) -> bytes:
    """A BTP message that carries one ILP packet."""
    return bytes((kind,)) + request_id.to_bytes(4, "big") + encode_octets(ILP_ENTRY + encode_octets(packet))


def auth(request_id: int, token: str) -> bytes:
    """The first message of a client."""
    entries = b"\x01\x03\x04auth\x00\x00\x0dauth_username\x01\x00\x0aauth_token\x01" + encode_octets(token.encode())
    return b"\x06" + request_id.to_bytes(4, "big") + encode_octets(entries)


class Socket(asyncio.Protocol):
    """A BTP client: handshake, authentication, then `on_message` for each message."""

    def __init__(self, url: str, token: str) -> None:
        self._handshake = ClientProtocol(parse_uri(url))
        self._token = token
        self._buffer = b""
        self.ready = asyncio.get_running_loop().create_future()
        self._open = False
        self.out: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._handshake.send_request(self._handshake.connect())
        transport.write(b"".join(self._handshake.data_to_send()))

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        if not self._open:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                self._buffer = buffer
                return
            assert buffer.startswith(b"HTTP/1.1 101"), buffer[:200]
            self._open = True
            buffer = buffer[end + 4 :]
            self.transport.write(frame(auth(1, self._token)))
        i, n = 0, len(buffer)
        while n - i >= 2:
            length, start = buffer[i + 1] & 0x7F, i + 2
            if length == 126:
                if n - i < 4:
                    break
                length, start = (buffer[i + 2] << 8) | buffer[i + 3], i + 4
            if start + length > n:
                break
            if buffer[i] == 0x82:
                self._message(buffer[start : start + length])
            elif buffer[i] == 0x89:
                self.out.append(bytes((0x8A, 0x80 | length)) + bytes(4) + buffer[start : start + length])
            i = start + length
        self._buffer = buffer[i:]
        if self.out:
            self.transport.write(b"".join(self.out))
            self.out.clear()

    def _message(self, message: bytes) -> None:
        if not self.ready.done():
            assert message[0] == 1, message
            self.ready.set_result(None)
            return
        self.on_message(message)

    def on_message(self, message: bytes) -> None:
        raise NotImplementedError


class Sink(Socket):
    """Fulfills every Prepare."""

    _fulfill = Fulfill(bytes(32)).encode()
    _tail = encode_octets(ILP_ENTRY + encode_octets(_fulfill))

    def __init__(self, url: str, token: str) -> None:
        super().__init__(url, token)
        self.received = 0

    def on_message(self, message: bytes) -> None:
        if message[0] == 6:
            self.received += 1
            self.out.append(frame(b"\x01" + message[1:5] + self._tail))


class Generator(Socket):
    """Keeps `in_flight` Prepares out. Their data differs by a counter, so that no cache can answer for the sink."""

    def __init__(self, url: str, token: str, destination: str, in_flight: int, data_octets: int = 64) -> None:
        super().__init__(url, token)
        self.fulfilled = 0
        self.failed: list[bytes] = []
        self.latencies: list[float] = []
        self.sample = False
        self._in_flight = in_flight
        self._sent_at: dict[int, float] = {}
        self._next = 2
        expires = (int(time.time()) + 600) * 1000
        packet = Prepare(100, expires, PEER_CONDITION, destination, b"\0" * data_octets).encode()
        message = btp(6, 0, packet)
        self._head = frame(message)[: -len(message)]
        self._body = message[5:-8]
        self._expiry_at = self._body.index(encode_interledger_time(expires))

    def start(self) -> None:
        self.transport.write(b"".join(self._make() for _ in range(self._in_flight)))

    def _make(self) -> bytes:
        number = self._next
        self._next = number + 1
        if not number % 16:
            # As a real sender's: later with every burst.
            expiry = encode_interledger_time(int(time.time() * 1000) + 30_000)
            self._body = self._body[: self._expiry_at] + expiry + self._body[self._expiry_at + 17 :]
        request_id = number & 0xFFFFFFFF
        if self.sample:
            self._sent_at[request_id] = time.perf_counter()
        return self._head + b"\x06" + request_id.to_bytes(4, "big") + self._body + number.to_bytes(8, "big")

    def on_message(self, message: bytes) -> None:
        if message[0] != 1:
            return
        # 5 octets of head, a length of 1 or 2, the entry's name, a length of 1 or 2, then the packet's type.
        offset = 6 if message[5] < 128 else 7
        offset += len(ILP_ENTRY)
        offset += 1 if message[offset] < 128 else 2
        if message[offset] == 13:
            self.fulfilled += 1
        elif len(self.failed) < 10:
            self.failed.append(message[offset:])
        if self.sample:
            sent_at = self._sent_at.pop(int.from_bytes(message[1:5], "big"), None)
            if sent_at is not None:
                self.latencies.append(time.perf_counter() - sent_at)
        self.out.append(self._make())


async def dial(factory: Callable[[], Socket], url: str, tls: ssl.SSLContext | None = None) -> Socket:
    """Connect, and wait until the node has accepted the token."""
    parts = urlsplit(url)
    _, protocol = await asyncio.get_running_loop().create_connection(factory, parts.hostname, parts.port, ssl=tls)
    await asyncio.wait_for(protocol.ready, 10)
    return protocol
