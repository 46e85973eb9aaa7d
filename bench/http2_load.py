"""A load generator and a sink for ILP over HTTP/2 (TLS): all packets in flight on one connection, one write a turn."""

from __future__ import annotations

import asyncio
import datetime
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import ngh2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from interledger.ilp.packet import Fulfill, Prepare
from interledger.ilp.peer import PEER_CONDITION

REFRESH = 16
"""Packets after which the expiry is later, as a real sender's with every burst."""


def make_certificate(path: Path) -> Path:
    """A file with a certificate for this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


class _Session(asyncio.Protocol):
    """What both ends share: events in, one write per turn out."""

    def __init__(self, role: ngh2.Role, take: Callable[[ngh2.Event], None]) -> None:
        self.session = ngh2.Connection(role)
        self._take = take
        self._due = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.session.initiate_connection({ngh2.Setting.MAX_CONCURRENT_STREAMS: 1_024})
        self.session.set_local_window_size(1 << 20)
        self.flush()

    def data_received(self, data: bytes) -> None:
        self.session.receive_data(data)
        for event in self.session.events():
            self._take(event)
        self.flush()

    def wake(self) -> None:
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        self._due = False
        octets = self.session.data_to_send()
        self.session.events()
        if octets:
            self._transport.write(octets)


class Http2Sink(_Session):
    """A server that fulfills every Prepare."""

    _body = Fulfill(bytes(32)).encode()
    _head = (
        (b":status", b"200"),
        (b"content-type", b"application/octet-stream"),
        (b"content-length", b"%d" % len(_body)),
    )

    def __init__(self) -> None:
        super().__init__(ngh2.Role.SERVER, self._answer)

    def _answer(self, event: ngh2.Event) -> None:
        if isinstance(event, ngh2.DataReceived) and event.end_stream:
            self.session.send_response(event.stream_id, self._head)
            self.session.send_data(event.stream_id, self._body, end_stream=True)

    @classmethod
    async def start(cls, certificate: Path) -> asyncio.Server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.set_alpn_protocols(["h2"])
        return await asyncio.get_running_loop().create_server(cls, "127.0.0.1", 0, ssl=context)


class Http2Generator:
    """One connection with `in_flight` streams, each of which sends its next Prepare when the last is answered."""

    def __init__(self, url: str, token: str, destination: str, in_flight: int, certificate: Path) -> None:
        self.fulfilled = 0
        self.failed: list[bytes] = []
        self.latencies: list[float] = []
        self.sample = False
        self._number = 0
        self._in_flight = in_flight
        self._url = urlsplit(url)
        self._certificate = certificate
        self._destination = destination
        self._packet = b""
        self._sent: dict[int, float] = {}
        self._headers = (
            (b":method", b"POST"),
            (b":scheme", b"https"),
            (b":authority", self._url.netloc.encode()),
            (b":path", self._url.path.encode()),
            (b"authorization", b"Bearer " + token.encode()),
            (b"content-type", b"application/octet-stream"),
            (b"content-length", b"%d" % len(self._body())),
        )

    async def start(self) -> None:
        context = ssl.create_default_context(cafile=str(self._certificate))
        context.set_alpn_protocols(["h2"])
        loop = asyncio.get_running_loop()
        _, self._connection = await loop.create_connection(
            lambda: _Session(ngh2.Role.CLIENT, self._take),
            "127.0.0.1",
            self._url.port,
            ssl=context,
            server_hostname="localhost",
        )
        for _ in range(self._in_flight):
            self._send()

    def _body(self) -> bytes:
        if not self._number % REFRESH:
            expires = int(time.time() * 1000) + 30_000
            self._packet = Prepare(100, expires, PEER_CONDITION, self._destination, bytes(64)).encode()[:-8]
        self._number += 1
        return self._packet + self._number.to_bytes(8, "big")

    def _send(self) -> None:
        session = self._connection.session
        if not session.can_send_request:
            return  # the node says goodbye
        stream = session.send_request(self._headers)
        session.send_data(stream, self._body(), end_stream=True)
        self._sent[stream] = time.perf_counter()
        self._connection.wake()

    def _take(self, event: ngh2.Event) -> None:
        if not isinstance(event, ngh2.DataReceived) or not event.end_stream:
            return
        if event.data[:1] == b"\x0d":
            self.fulfilled += 1
        elif len(self.failed) < 10:
            self.failed.append(event.data)
        sent_at = self._sent.pop(event.stream_id)
        if self.sample:
            self.latencies.append(time.perf_counter() - sent_at)
        self._send()
