"""A client of HTTP/2 for tests, on `h2`: another implementation than ours, which also sends what a client must not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import h2.config
import h2.connection
import h2.events
import h2.exceptions

__all__ = ["Answer", "Http2Client", "http2_client"]

Headers = list[tuple[str, str]]
WAIT_S: Final = 5.0


@dataclass
class Answer:
    """What a stream brought. `reset`: the error code, when it was reset."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    ended: bool = False
    reset: int | None = None


class Http2Client:
    """One connection. `answers`: by stream. `goaway`: the error code of the server's goodbye; `closed`: it hung up."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, scheme: str) -> None:
        config = h2.config.H2Configuration(
            client_side=True,
            header_encoding="utf-8",
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
            validate_inbound_headers=True,
        )
        self.protocol = h2.connection.H2Connection(config)
        self.answers: dict[int, Answer] = {}
        self.goaway: int | None = None
        self.closed = False
        self.consumes = True
        """Gives back the window of what it reads."""
        self.writer = writer
        self._reader = reader
        self._scheme = scheme
        self._news = asyncio.Condition()

    async def flush(self) -> None:
        self.writer.write(self.protocol.data_to_send())
        with suppress(ConnectionError):
            await self.writer.drain()

    async def run(self) -> None:
        """Read until the server hangs up."""
        while data := await self._read():
            try:
                events = self.protocol.receive_data(data)
            except h2.exceptions.ProtocolError:
                break
            for event in events:
                self._take(event)
            await self.flush()
            async with self._news:
                self._news.notify_all()
        async with self._news:
            self.closed = True
            self._news.notify_all()

    async def _read(self) -> bytes:
        try:
            return await self._reader.read(65_536)
        except ConnectionError:
            return b""

    def _take(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.ResponseReceived):
            answer = self.answers[event.stream_id]
            answer.headers = {str(name): str(value) for name, value in event.headers}
            answer.status = int(answer.headers[":status"])
        elif isinstance(event, h2.events.DataReceived):
            self.answers[event.stream_id].body += event.data
            if self.consumes and event.flow_controlled_length:
                self.protocol.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self.answers[event.stream_id].ended = True
        elif isinstance(event, h2.events.StreamReset) and event.stream_id in self.answers:
            self.answers[event.stream_id].reset = int(event.error_code)
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = int(event.error_code or 0)

    def begin(self, headers: Headers, *, method: str = "POST", path: str = "/ilp", body: bytes | None = None) -> int:
        """Queue a request; `body` None leaves it open. Its stream."""
        stream = self.protocol.get_next_available_stream_id()
        self.answers[stream] = Answer()
        head = [(":method", method), (":scheme", self._scheme), (":authority", "localhost"), (":path", path), *headers]
        self.protocol.send_headers(stream, head, end_stream=body == b"")
        if body:
            self.protocol.send_data(stream, body, end_stream=True)
        return stream

    async def wait(self, stream: int) -> Answer:
        """Until the stream's answer is whole, or cut."""
        answer = self.answers[stream]
        async with asyncio.timeout(WAIT_S), self._news:
            await self._news.wait_for(lambda: answer.ended or answer.reset is not None or self.closed)
        return answer

    async def wait_closed(self, timeout_s: float = WAIT_S) -> int | None:
        """Until the server hangs up. The error code of its goodbye."""
        async with asyncio.timeout(timeout_s), self._news:
            await self._news.wait_for(lambda: self.closed)
        return self.goaway

    async def request(self, headers: Headers, *, method: str = "POST", path: str = "/ilp", body: bytes = b"") -> Answer:
        stream = self.begin(headers, method=method, path=path, body=body)
        await self.flush()
        return await self.wait(stream)


@asynccontextmanager
async def http2_client(port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Http2Client]:
    """Connected; over TLS when there is a context, else with prior knowledge."""
    if tls is not None:
        tls.set_alpn_protocols(["h2"])
    name = None if tls is None else "localhost"
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname=name)
    if tls is not None:
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
    client = Http2Client(reader, writer, "http" if tls is None else "https")
    client.protocol.initiate_connection()
    await client.flush()
    reading = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        writer.close()
        reading.cancel()
        await asyncio.gather(reading, writer.wait_closed(), return_exceptions=True)
