"""Real sockets over loopback: two of our own, and raw servers that misbehave."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import logging
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject
from interledger.link.base import RequestId
from interledger.link.btp import client, link, protocol, reconnect, shell
from interledger.link.btp.auth import auth_message
from interledger.link.btp.messages import encode_ilp
from interledger.link.btp.protocol import BtpConnection
from interledger.link.btp.shell import PACED_OCTETS, TALK_MAX, BtpSocket
from interledger.link.websocket import WebSocket
from tests.link.btp.sockets import CLOCK, ENTROPY, Side, dial, eventually, raw_server, serve

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
    monkeypatch.setattr(client, "CONNECT_TIMEOUT_S", 0.02)
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


# ---------------------------------------------------------------------- one socket on a transport of straw


class FakeTransport(asyncio.Transport):
    """Writes down what is done to it."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []
        self.waiting = 0

    def get_write_buffer_size(self) -> int:
        return self.waiting

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


@pytest.mark.pure
async def test_a_full_buffer_stops_reading_and_in_the_end_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    side = Side()
    socket, transport = straw_socket(side)
    await asyncio.sleep(0)
    socket.pause_writing()
    assert (side.link.ready(), side.link.is_full()) == (False, True)
    assert "pause" not in transport.done  # only Prepares are refused yet
    socket.resume_writing()
    assert side.link.ready()
    monkeypatch.setattr(protocol, "SLOW_READER_TIMEOUT_MS", 0)
    socket.pause_writing()
    transport.waiting = link.OUTPUT_OCTETS_MAX + 1
    side.send(1)
    await eventually(lambda: "abort" in transport.done)
    assert transport.done == ["limits", "write", "resume", "write", "pause", "write", "abort"]
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


def receive(socket: BtpSocket, octets: bytes) -> None:
    socket.get_buffer(-1)[: len(octets)] = octets
    socket.buffer_updated(len(octets))


async def test_a_peer_that_only_talks_is_read_slowly_until_it_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers that nobody waits for, as many as one read brings; then little at a time, with a pause behind each."""
    monkeypatch.setattr(shell, "PACE_MS", 1)
    monkeypatch.setattr(shell, "PACED_FOR_MS", 20)
    side = Side()
    socket, transport = straw_socket(side)
    peer = WebSocket(client=True, entropy=ENTROPY, wake=lambda: None, now=CLOCK.now())

    def talk(count: int) -> bytes:
        for number in range(count):
            peer.send(encode_ilp(1, number, Reject("F02", "test.node", "no").encode()))
        return peer.octets_to_send()

    await asyncio.sleep(0.03)
    receive(socket, talk(0))  # a new one is read slowly too
    receive(socket, talk(TALK_MAX))
    assert "pause" not in transport.done
    assert len(socket.get_buffer(-1)) > PACED_OCTETS
    receive(socket, talk(1))
    assert transport.done.count("pause") == 1
    assert len(socket.get_buffer(-1)) == PACED_OCTETS
    await eventually(lambda: "resume" in transport.done)
    await asyncio.sleep(0.03)
    receive(socket, talk(0))
    assert len(socket.get_buffer(-1)) > PACED_OCTETS
    assert transport.done.count("pause") == 1
    socket.connection_lost(None)


@pytest.mark.parametrize("is_refused", [True, False])
async def test_D7_what_comes_behind_our_close_is_read_slowly(monkeypatch: pytest.MonkeyPatch, is_refused: bool) -> None:
    """Nothing of it moves anything, and the peer may take its time to say goodbye."""
    monkeypatch.setattr(shell, "PACE_MS", 1)
    monkeypatch.setattr(shell, "PACED_FOR_MS", 0)
    side = Side()
    socket, transport = straw_socket(side)
    peer = WebSocket(client=True, entropy=ENTROPY, wake=lambda: None, now=CLOCK.now())

    def prepares(count: int) -> bytes:
        for number in range(count):
            prepare = Prepare(1, Timestamp(CLOCK.now() + 5_000), bytes(32), Address("test.bob"))
            peer.send(encode_ilp(6, number, prepare.encode()))
        return peer.octets_to_send()

    receive(socket, prepares(1))
    if is_refused:
        socket.connection._close(1008, "no more of this", CLOCK.now())
    else:
        socket.close()
    monkeypatch.setattr(shell, "PACED_FOR_MS", 1_000)
    receive(socket, prepares(TALK_MAX + 1))
    assert transport.done.count("pause") == 1
    assert len(socket.get_buffer(-1)) == PACED_OCTETS
    await eventually(lambda: "resume" in transport.done)
    assert side.prepares == 1
    socket.connection_lost(None)


async def test_D1_one_that_had_to_wait_is_read_slowly_when_it_is_read() -> None:
    socket, transport = straw_socket(Side())
    transport.set_protocol = lambda protocol: None  # type: ignore[method-assign]
    socket.take_over(transport, b"", delay_ms=5_000)
    assert socket._paced_until >= CLOCK.now() + 5_000
    socket.connection_lost(None)
