"""Real sockets over loopback: two of our own, and raw ones that misbehave."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from interledger.accounts.account import AccountId
from interledger.clock import SystemClock, SystemEntropy, Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link import websocket
from interledger.link.base import RequestId
from interledger.link.btp import protocol, reconnect, shell
from interledger.link.btp.auth import auth_message
from interledger.link.btp.link import BtpLink
from interledger.link.btp.messages import BtpError, BtpResponse, decode_btp, encode_ilp
from interledger.link.btp.protocol import BtpConnection
from interledger.link.btp.shell import BtpClient, BtpServer, BtpSocket
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


def authenticate(username: str | None, token: str) -> AccountId | None:
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
async def raw_client(url: str, first: bytes = b"") -> AsyncIterator[RawClient]:
    """After the handshake. `first`: octets that leave together with the request."""
    address = parse_btp_url(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    handshake = ClientHandshake(address.url, ENTROPY)
    writer.write(handshake.octets_to_send() + first)
    trailing = None
    while trailing is None:
        octets = await reader.read(4096)
        assert octets, "the server closed the connection"
        trailing = handshake.receive(octets)
    frames = WebSocket(client=True, entropy=ENTROPY, wake=lambda: None, now=CLOCK.now())
    try:
        yield RawClient(reader, writer, frames, frames.receive(trailing, CLOCK.now()))
    finally:
        writer.close()
        await writer.wait_closed()


# ---------------------------------------------------------------------- both ends ours


async def test_a_thousand_prepares_each_way() -> None:
    here, there = Side(), Side()
    async with serve(there) as url, dial(here, url):
        await here.until(here.link.ready)
        here.send(500)
        there.send(500)
        here.send(500, 500)
        there.send(500, 500)
        await here.until(lambda: len(here.replies) == 1000)
        await there.until(lambda: len(there.replies) == 1000)
        assert list(here.replies) == list(range(1000))
        assert set(map(type, here.replies.values())) == {Fulfill}
        assert here.prepares == there.prepares == 1000
    assert (here.ups, here.downs, there.ups, there.downs) == (1, 1, 1, 1)
    assert not here.link.ready()


async def test_rejects_and_answers_that_come_later() -> None:
    here, there = Side(), Side(answer=None)
    async with serve(there) as url, dial(here, url):
        await here.until(here.link.ready)
        here.send(2)
        await eventually(lambda: there.prepares == 2)
        there.link.send_reply(RequestId(1), Fulfill(bytes(32)))
        there.link.send_reply(RequestId(0), Reject("F02", "test.node", "no"))
        await here.until(lambda: len(here.replies) == 2)
        assert here.replies == {1: Fulfill(bytes(32)), 0: Reject("F02", "test.node", "no")}


async def test_BT_17_a_lost_connection_is_dialled_again() -> None:
    here, there = Side(), Side()
    async with serve(there) as url, dial(here, url) as client:
        for times in (1, 2, 3):
            await here.until(lambda times=times: here.ups == times)
            here.send(1, times)
            await here.until(lambda times=times: times in here.replies)
            assert client._socket is not None
            assert client._socket._transport is not None
            client._socket._transport.abort()
            await here.until(lambda times=times: here.downs == times)
    assert here.ups >= 3


async def test_a_link_that_is_closed_closes_its_connections() -> None:
    here, there = Side(), Side()
    async with serve(there) as url, dial(here, url):
        await here.until(here.link.ready)
        there.link.close(CLOCK.now())
        await here.until(lambda: here.ups == 2)


async def test_BT_04_a_wrong_token_is_refused_and_not_tried_again_soon(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    here, there = Side(), Side()
    async with serve(there) as url, dial(here, url.replace("secret", "hunter2")) as client:
        await eventually(lambda: "BTP error F00" in caplog.text)
        assert not here.link.ready()
        here.send(1)
        await here.until(lambda: 0 in here.replies)
        assert isinstance(here.replies[0], Reject)
        await asyncio.sleep(0.02)  # longer than the first waits between attempts
        assert client._task is not None
        assert not client._task.done()
    assert (here.ups, there.ups) == (0, 0)
    assert "hunter2" not in caplog.text
    assert "secret" not in caplog.text


async def test_over_tls(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    trust = ssl.create_default_context(cafile=str(pem))

    here, there = Side(), Side()
    async with serve(there, tls=tls) as url, dial(here, url, ssl_context=trust):
        await here.until(here.link.ready)
        here.send(100)
        await here.until(lambda: len(here.replies) == 100)


# ---------------------------------------------------------------------- servers that are none


async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize(
    ("answer", "logged"),
    [(refuse, "404 Not Found"), (hang_up, "closed the connection"), (stay_silent, "no answer in time")],
)
async def test_a_server_that_is_none_is_tried_again(
    answer: Any, logged: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(reconnect, "RECONNECT_DELAYS_MS", (0, 1, 1))
    monkeypatch.setattr(shell, "CONNECT_TIMEOUT_S", 0.02)
    here = Side()
    async with raw_server(answer) as url, dial(here, url):
        await eventually(lambda: caplog.text.count(logged) >= 2)
    assert "secret" not in caplog.text


async def test_no_server_at_all_and_a_token_that_would_travel_in_the_open(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def fail(*args: Any, **kwargs: Any) -> None:
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", fail)
    here = Side()
    async with dial(here, "btp+ws://:secret@node.example/"):
        await eventually(lambda: "nobody there" in caplog.text)
    assert "without TLS to ws://node.example:80/" in caplog.text
    assert "secret" not in caplog.text


async def test_octets_behind_an_answer_that_was_refused_are_ignored() -> None:
    here = Side()
    handshake = shell._Handshake(ClientHandshake("ws://node.example/", ENTROPY), lambda: pytest.fail("no socket"))
    handshake.data_received(b"before a connection")
    handshake.connection_made(FakeTransport())
    handshake.data_received(b"HTTP/1.1 500 ")
    assert not handshake.done.done()
    handshake.data_received(b"No\r\n\r\n")
    assert handshake.done.exception() is not None
    handshake.data_received(b"more")
    handshake.connection_lost(None)
    assert here.ups == 0


# ---------------------------------------------------------------------- clients that misbehave


async def test_frames_right_behind_the_handshake() -> None:
    there = Side()
    async with serve(there) as url:
        frames = WebSocket(client=True, entropy=ENTROPY, wake=lambda: None, now=CLOCK.now())
        frames.send(auth_message(1, "", "secret").encode())
        async with raw_client(url, frames.octets_to_send()) as client:
            assert [decode_btp(m) for m in await client.receive()] == [BtpResponse(1)]
            prepare = Prepare(1, Timestamp(CLOCK.now() + 5000), bytes(32), Address("test.bob"))
            await client.send(encode_ilp(6, 1, prepare.encode()))
            assert await client.receive() == [encode_ilp(1, 1, Fulfill(bytes(32), b"done").encode())]


NOT_ADMITTED: dict[str, dict[str, Any]] = {
    "BT-03 an empty token": {"token": ""},
    "a wrong token": {"token": "guess"},
    "another user": {"username": "bob"},
    "another account's path": {"path": "bob", "username": "alice"},
    "an account without a BTP link": {"known": False},
}


@pytest.mark.parametrize("name", NOT_ADMITTED)
async def test_not_admitted(name: str) -> None:
    case = NOT_ADMITTED[name]
    there = Side()
    async with serve(there, path=case.get("path"), known=case.get("known", True)) as url, raw_client(url) as client:
        await client.send(auth_message(5, case.get("username", ""), case.get("token", "secret")).encode())
        (message,) = await client.receive()
        error = decode_btp(message)
        assert isinstance(error, BtpError)
        assert (error.request_id, error.code, error.data) == (5, "F00", b"invalid credentials")
        await client.send()  # the answer to its Close, after which it hangs up
        assert await client.receive() == []
    assert there.ups == 0


@pytest.mark.parametrize("options", [{"path": "alice"}, {"token": "", "allow_empty_token": True}])
async def test_admitted_by_the_path_or_without_a_token(options: dict[str, Any]) -> None:
    token = options.pop("token", "secret")
    there = Side()
    async with serve(there, **options) as url, raw_client(url) as client:
        await client.send(auth_message(5, "", token).encode())
        assert [decode_btp(m) for m in await client.receive()] == [BtpResponse(5)]


async def test_sockets_that_do_not_say_who_they_are_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "UNAUTHENTICATED_MAX", 2)
    there = Side()
    async with serve(there) as url, raw_client(url) as first, raw_client(url):
        address = parse_btp_url(url)

        async def ask() -> bytes:
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(ClientHandshake(address.url, ENTROPY).octets_to_send())
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
            return line

        assert b" 503 " in await ask()
        await first.send(auth_message(1, "", "secret").encode())
        await first.receive()
        assert b" 101 " in await ask()


async def test_BT_05_a_socket_that_stays_silent_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "AUTH_TIMEOUT_MS", 10)
    monkeypatch.setattr(websocket, "CLOSE_TIMEOUT_MS", 10)
    there = Side()
    async with serve(there) as url, raw_client(url) as client:
        assert await client.receive() == []
        assert "1008" in client.frames.close_reason
    assert there.ups == 0


async def test_a_client_that_goes_away_without_a_word() -> None:
    there = Side()
    async with serve(there) as url:
        async with raw_client(url) as client:
            await client.send(auth_message(1, "", "secret").encode())
            await client.receive()
            assert there.link.ready()
        await there.until(lambda: there.downs == 1)


# ---------------------------------------------------------------------- one socket on a transport of straw


class FakeTransport(asyncio.Transport):
    """Writes down what is done to it."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.done.append("limits")

    def write(self, data: Any) -> None:
        self.done.append("write")

    def pause_reading(self) -> None:
        self.done.append("pause")

    def resume_reading(self) -> None:
        self.done.append("resume")

    def close(self) -> None:
        self.done.append("close")

    def abort(self) -> None:
        self.done.append("abort")


def straw_socket(side: Side) -> tuple[BtpSocket, FakeTransport]:
    def make(frames: WebSocket) -> BtpConnection:
        connection = BtpConnection.server(frames, lambda username, token: side.link, CLOCK.now())
        connection.receive_packets([auth_message(1, "", "").encode()], CLOCK.now())
        return connection

    socket, transport = BtpSocket(make, client=False, clock=CLOCK, entropy=ENTROPY), FakeTransport()
    socket.connection_made(transport)
    return socket, transport


async def test_one_write_per_turn_of_the_loop() -> None:
    side = Side()
    _socket, transport = straw_socket(side)
    side.send(100)
    assert transport.done == ["limits"]
    await asyncio.sleep(0)
    assert transport.done == ["limits", "write"]
    _socket.connection_lost(None)


async def test_a_full_buffer_stops_reading_and_in_the_end_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    side = Side()
    socket, transport = straw_socket(side)
    await asyncio.sleep(0)
    socket.pause_writing()
    assert not side.link.ready()
    socket.resume_writing()
    assert side.link.ready()
    monkeypatch.setattr(protocol, "SLOW_READER_TIMEOUT_MS", 0)
    socket.pause_writing()
    await eventually(lambda: "abort" in transport.done)
    assert transport.done == ["limits", "write", "pause", "resume", "pause", "write", "abort"]
    assert side.downs == 1
    socket.connection_lost(None)


async def test_after_the_socket_is_gone_nothing_is_done_to_it() -> None:
    side = Side()
    socket, transport = straw_socket(side)
    side.send(1)
    socket.connection_lost(None)
    socket.connection_lost(None)
    socket.pause_writing()
    socket.resume_writing()
    socket._handle_timer()
    await socket.closed
    await asyncio.sleep(0)
    assert transport.done == ["limits"]
    assert side.downs == 1


async def test_a_peer_that_closes_and_does_not_read_cannot_keep_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "CLOSE_TIMEOUT_MS", 1)
    side = Side()
    socket, transport = straw_socket(side)
    peer = WebSocket(client=True, entropy=ENTROPY, wake=lambda: None, now=CLOCK.now())
    peer.close(1000, "bye", CLOCK.now())
    octets = peer.octets_to_send()
    socket.get_buffer(-1)[: len(octets)] = octets
    socket.buffer_updated(len(octets))
    await eventually(lambda: "abort" in transport.done)
    assert transport.done == ["limits", "write", "close", "abort"]
    socket.pause_writing()
    assert "pause" not in transport.done
    socket.connection_lost(None)


async def test_a_client_may_be_stopped_before_it_starts() -> None:
    client = BtpClient(Side().link, parse_btp_url("btp+ws://127.0.0.1:1/"), clock=CLOCK, entropy=ENTROPY)
    await client.stop()
