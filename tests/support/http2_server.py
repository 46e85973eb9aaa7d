"""A server of HTTP/2 for tests, on `h2`: another implementation than ours, which answers as it is told."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

__all__ = ["Http2Peer", "http2_server"]


class Http2Peer:
    """What the server saw. `requests`: (stream, headers, body); `settings` go to each client at once."""

    def __init__(self, answer: Callable[[Http2Peer, h2.connection.H2Connection, int], None]) -> None:
        self.requests: list[tuple[int, dict[str, str], bytes]] = []
        self.connections = 0
        self.port = 0
        self.settings: dict[int, int] = {}
        self.first_settings: dict[int, int] = {}
        """Said in the very first frame."""
        self.protocols: list[h2.connection.H2Connection] = []
        self.writers: list[asyncio.StreamWriter] = []
        self._answer = answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        protocol = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.protocols.append(protocol)
        self.writers.append(writer)
        if self.first_settings:
            protocol.local_settings = h2.settings.Settings(client=False, initial_values=self.first_settings)
        protocol.initiate_connection()
        if self.settings:
            protocol.update_settings(self.settings)
        heads: dict[int, dict[str, str]] = {}
        bodies: dict[int, bytes] = {}
        writer.write(protocol.data_to_send())
        with suppress(ConnectionError, h2.exceptions.ProtocolError):
            while data := await reader.read(65_536):
                for event in protocol.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        heads[event.stream_id] = {str(name): str(value) for name, value in event.headers}
                        bodies[event.stream_id] = b""
                    elif isinstance(event, h2.events.DataReceived):
                        bodies[event.stream_id] += event.data
                        protocol.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    elif isinstance(event, h2.events.StreamEnded):
                        stream = event.stream_id
                        self.requests.append((stream, heads.pop(stream), bodies.pop(stream)))
                        self._answer(self, protocol, stream)
                self.flush(protocol, writer)
        writer.close()

    def flush(self, protocol: h2.connection.H2Connection, writer: asyncio.StreamWriter) -> None:
        writer.write(protocol.data_to_send())

    def flush_all(self) -> None:
        for protocol, writer in zip(self.protocols, self.writers, strict=True):
            self.flush(protocol, writer)


@asynccontextmanager
async def http2_server(
    tls: ssl.SSLContext, answer: Callable[[Http2Peer, h2.connection.H2Connection, int], None]
) -> AsyncIterator[Http2Peer]:
    """`answer(peer, protocol, stream)` is called with every whole request."""
    tls.set_alpn_protocols(["h2"])
    peer = Http2Peer(answer)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0, ssl=tls)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for writer in peer.writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in peer.writers), return_exceptions=True)
