"""A load generator and a sink for ILP over HTTP/1.1, with prebuilt requests: one in flight per connection."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urlsplit

import httptools

from interledger.codec.timestamp import encode_interledger_time
from interledger.ilp.packet import Fulfill, Prepare
from interledger.ilp.peer import PEER_CONDITION


class HttpSink(asyncio.Protocol):
    """A server that fulfills every Prepare."""

    _body = Fulfill(bytes(32)).encode()
    _answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % len(_body) + _body
    )
    received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        HttpSink.received += 1
        self.transport.write(self._answer)


class HttpGenerator:
    """`in_flight` connections, each of which sends its next Prepare when the last is answered."""

    def __init__(self, url: str, token: str, destination: str, in_flight: int, data_octets: int = 64) -> None:
        self.fulfilled = 0
        self.failed: list[bytes] = []
        self.latencies: list[float] = []
        self.sample = False
        self._number = 0
        self._in_flight = in_flight
        self._url = urlsplit(url)
        expires = (int(time.time()) + 600) * 1000
        packet = Prepare(100, expires, PEER_CONDITION, destination, b"\0" * data_octets).encode()
        head = (
            f"POST {self._url.path} HTTP/1.1\r\nHost: {self._url.netloc}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/octet-stream\r\nAccept: application/octet-stream\r\n"
            f"Content-Length: {len(packet)}\r\n\r\n"
        )
        self._head = head.encode() + packet[:-8]
        self._expiry_at = self._head.index(encode_interledger_time(expires))

    def request(self) -> bytes:
        self._number += 1
        if not self._number % 16:
            # As a real sender's: later with every burst.
            expiry = encode_interledger_time(int(time.time() * 1000) + 30_000)
            self._head = self._head[: self._expiry_at] + expiry + self._head[self._expiry_at + 17 :]
        return self._head + self._number.to_bytes(8, "big")

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(self._in_flight):
            await loop.create_connection(lambda: _Connection(self), self._url.hostname, self._url.port)


class _Connection(asyncio.Protocol):
    def __init__(self, generator: HttpGenerator) -> None:
        self._generator = generator

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._parser = httptools.HttpResponseParser(self)
        self._body = b""
        self._send()

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self.transport.write(self._generator.request())

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        generator, body = self._generator, self._body
        self._body = b""
        if body[:1] == b"\x0d":
            generator.fulfilled += 1
        elif len(generator.failed) < 10:
            generator.failed.append(b"%d " % self._parser.get_status_code() + body)
        if generator.sample:
            generator.latencies.append(time.perf_counter() - self._sent_at)
        self._send()
