"""The link over HTTP/2: many packets on one connection, and what each way of failing says about its packet."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import h2.connection
import h2.settings
import pytest

from interledger.accounts.account import AccountId
from interledger.clock import SystemClock
from interledger.ilp.packet import Fulfill
from interledger.link.base import RequestId
from interledger.link.http import http2_outgoing, pool
from interledger.link.http.http2_outgoing import Http2Outgoing
from interledger.link.http.protocol import HttpIlpServer, by_token
from interledger.link.http.shell import HttpLink
from interledger.link.listener import Listener
from tests.link.http.test_shell import FULFILL, Handler, TestClock, linked, prepare, until
from tests.support.http2_server import Http2Peer, http2_server

Contexts = tuple[ssl.SSLContext, ssl.SSLContext]
Protocol = h2.connection.H2Connection
OCTETS = FULFILL.encode()


def url(port: int) -> str:
    return f"https://localhost:{port}/accounts/me/ilp"


def fulfills(peer: Http2Peer, protocol: Protocol, stream: int) -> None:
    protocol.send_headers(stream, [(":status", "200"), ("content-length", str(len(OCTETS)))])
    protocol.send_data(stream, OCTETS, end_stream=True)


def answers(status: int) -> Callable[[Http2Peer, Protocol, int], None]:
    def answer(peer: Http2Peer, protocol: Protocol, stream: int) -> None:
        protocol.send_headers(stream, [(":status", str(status))], end_stream=True)

    return answer


def resets(code: int) -> Callable[[Http2Peer, Protocol, int], None]:
    return lambda peer, protocol, stream: protocol.reset_stream(stream, code)


def silent(peer: Http2Peer, protocol: Protocol, stream: int) -> None: ...


def connection_of(link: HttpLink) -> Http2Outgoing:
    (connection,) = link._connections
    assert isinstance(connection, Http2Outgoing)
    return connection


@asynccontextmanager
async def both(
    contexts: Contexts, answer: Callable[[Http2Peer, Protocol, int], None], **options: Any
) -> AsyncIterator[tuple[Http2Peer, HttpLink, Handler]]:
    """A peer, and our link to it."""
    async with (
        http2_server(contexts[0], answer) as far,
        linked(url(far.port), tls=contexts[1], **options) as (link, handler),
    ):
        yield far, link, handler


async def test_HT_12_a_burst_goes_over_one_connection(tls_contexts: Contexts) -> None:
    server_tls, tls = tls_contexts
    far = Handler()
    server = HttpIlpServer(by_token(lambda token: AccountId("me") if token == "secret" else None))
    listener = Listener("127.0.0.1", 0, clock=SystemClock(), ilp=server, tls=server_tls)
    await listener.start()
    far_link = HttpLink(far, AccountId("me"), clock=SystemClock(), own_address="test.far")
    server.attach(far_link.incoming)
    async with linked(url(listener.port), tls=tls) as (link, handler):
        for i in range(300):
            link.send_prepare(RequestId(i), prepare(i))
        await until(lambda: len(handler.told) == 300)
        assert {request_id for _, request_id, _ in handler.told} == set(range(300))
        assert {(kind, reply) for kind, _, reply in handler.told} == {("reply", FULFILL)}
        assert (link.connections, listener.connections) == (1, 1)
        assert type(next(iter(link._connections))) is Http2Outgoing
    await until(lambda: listener.connections == 0)
    await listener.stop()


async def test_HT_01_the_request_says_what_it_says_over_http_1(tls_contexts: Contexts) -> None:
    async with (
        http2_server(tls_contexts[0], fulfills) as far,
        linked(url(far.port), tls=tls_contexts[1]) as (link, handler),
    ):
        packet = prepare(7)
        link.send_prepare(RequestId(1), packet)
        await until(lambda: len(handler.told) == 1)
        ((_, headers, body),) = far.requests
        assert body == packet.encode()
        assert headers == {
            ":method": "POST",
            ":scheme": "https",
            ":authority": f"localhost:{far.port}",
            ":path": "/accounts/me/ilp",
            "content-type": "application/octet-stream",
            "accept": "application/octet-stream",
            "authorization": "Bearer secret",
            "content-length": str(len(body)),
        }


async def test_HT_12_a_peer_without_http_2_gets_http_1(tls_contexts: Contexts) -> None:
    """And as many connections as it needs, once that is known."""
    server_tls, tls = tls_contexts
    waiting: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        waiting.append(writer)
        while len(waiting) < 5:  # noqa: ASYNC110 - answers only when five are here at once
            await asyncio.sleep(0.001)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(OCTETS), OCTETS))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_tls)
    async with linked(url(server.sockets[0].getsockname()[1]), tls=tls) as (link, handler):
        for i in range(5):
            link.send_prepare(RequestId(i), prepare())
        await until(lambda: len(handler.told) == 5)
        assert link.connections == 5
    server.close()
    await until(lambda: all(writer.is_closing() for writer in waiting))


# ---------------------------------------------------------------------- what an end says

ENDS = [
    ("refused stream", resets(7), ("reply", "T02")),
    ("cancelled", resets(8), ("unknown", "T01")),
    ("internal error", resets(2), ("unknown", "T01")),
    ("429", answers(429), ("reply", "T02")),
    ("503", answers(503), ("reply", "T01")),
    ("500", answers(500), ("unknown", "T01")),
    ("401", answers(401), ("reply", "F00")),
    ("200 without a packet", answers(200), ("unknown", "T00")),
]


@pytest.mark.parametrize(("answer", "told"), [e[1:] for e in ENDS], ids=[e[0] for e in ENDS])
async def test_HT_09_what_the_end_of_a_stream_says(
    tls_contexts: Contexts, answer: Callable[[Http2Peer, Protocol, int], None], told: tuple[str, str]
) -> None:
    async with (
        http2_server(tls_contexts[0], answer) as far,
        linked(url(far.port), tls=tls_contexts[1]) as (link, handler),
    ):
        link.send_prepare(RequestId(1), prepare())
        await until(lambda: handler.told)  # type: ignore[arg-type, return-value]  # empty is false
        assert handler.codes() == [told]
        assert link.connections == 1  # only the stream ended


async def test_a_goodbye_says_which_packets_were_taken(tls_contexts: Contexts) -> None:
    def answer(peer: Http2Peer, protocol: Protocol, stream: int) -> None:
        if len(peer.requests) == 3:
            protocol.close_connection(last_stream_id=1)
        elif len(peer.requests) > 3:
            fulfills(peer, protocol, stream)

    async with (
        http2_server(tls_contexts[0], answer) as far,
        linked(url(far.port), tls=tls_contexts[1]) as (link, handler),
    ):
        for i in range(3):
            link.send_prepare(RequestId(i), prepare())
        await until(lambda: len(handler.told) >= 2)
        assert sorted((kind, request_id) for kind, request_id, _ in handler.told[:2]) == [("reply", 1), ("reply", 2)]
        assert handler.codes()[:2] == [("reply", "T01")] * 2
        link.send_prepare(RequestId(9), prepare())
        await until(lambda: ("reply", 9, FULFILL) in handler.told)
        assert far.connections == 2


async def test_no_more_streams_than_the_peer_allows(tls_contexts: Contexts) -> None:
    async with http2_server(tls_contexts[0], silent) as far:
        far.settings = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 2}
        async with linked(url(far.port), tls=tls_contexts[1]) as (link, handler):
            link.send_prepare(RequestId(0), prepare())
            await until(lambda: link.connections == 1 and connection_of(link)._streams_max == 2)
            for i in range(1, 5):
                link.send_prepare(RequestId(i), prepare())
            await until(lambda: len(far.requests) == 2)
            for stream in (1, 3):
                fulfills(far, far.protocols[0], stream)
                far.flush_all()
                await until(lambda stream=stream: len(far.requests) == 3 + stream // 2)  # type: ignore[misc]  # bound now
            assert len(handler.told) == 2
            assert link.ready()


async def test_a_burst_on_a_new_connection_keeps_to_a_limit_that_was_not_known_when_it_began(
    tls_contexts: Contexts,
) -> None:
    """RFC 9113 3.4 lets a client send before it has the server's settings; streams above its limit would be refused."""
    async with http2_server(tls_contexts[0], fulfills) as far:
        far.first_settings = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 2}
        async with linked(url(far.port), tls=tls_contexts[1]) as (link, handler):
            for i in range(50):
                link.send_prepare(RequestId(i), prepare(i))
            await until(lambda: len(handler.told) == 50)
            assert {(kind, reply) for kind, _, reply in handler.told} == {("reply", FULFILL)}


async def test_T02_when_the_queue_of_a_slow_peer_is_full(
    tls_contexts: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "QUEUE_MAX", 3)
    async with http2_server(tls_contexts[0], silent) as far:
        far.settings = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 1}
        async with linked(url(far.port), tls=tls_contexts[1]) as (link, handler):
            link.send_prepare(RequestId(0), prepare())
            await until(lambda: link.connections == 1 and connection_of(link)._streams_max == 1)
            for i in range(1, 5):
                link.send_prepare(RequestId(i), prepare())
            assert not link.ready()
            await until(lambda: len(handler.told) == 1)
            assert handler.codes() == [("reply", "T02")]


async def test_a_connection_that_breaks_leaves_its_packets_unknown(tls_contexts: Contexts) -> None:
    async with (
        http2_server(tls_contexts[0], silent) as far,
        linked(url(far.port), tls=tls_contexts[1]) as (link, handler),
    ):
        for i in range(3):
            link.send_prepare(RequestId(i), prepare())
        await until(lambda: len(far.requests) == 3)
        far.writers[0].transport.abort()
        await until(lambda: len(handler.told) == 3)
        assert handler.codes() == [("unknown", "T01")] * 3
        assert link.connections == 0


@pytest.mark.parametrize("heard", [True, False], ids=["the peer is there", "the peer is gone"])
async def test_a_late_packet_is_unknown(tls_contexts: Contexts, monkeypatch: pytest.MonkeyPatch, heard: bool) -> None:
    """Its connection stays, when something was heard on it since; else nobody is there."""
    monkeypatch.setattr(pool, "SWEEP_MS", 5)
    clock = TestClock()

    def once(peer: Http2Peer, protocol: Protocol, stream: int) -> None:
        if stream == 1:
            fulfills(peer, protocol, stream)

    async with both(tls_contexts, once, clock=clock) as (far, link, handler):
        for i in (1, 2):
            link.send_prepare(RequestId(i), prepare())
            await until(lambda i=i: len(far.requests) == i and len(handler.told) == 1)  # type: ignore[misc]  # bound now
        if heard:
            reads = connection_of(link)._reads
            far.protocols[0].ping(bytes(8))
            far.flush_all()
            await until(lambda: connection_of(link)._reads > reads)
        clock.ahead = 31_000
        await until(lambda: len(handler.told) == 2)
        assert handler.codes()[1] == ("unknown", "R00")
        await until(lambda: link.connections == (1 if heard else 0))


async def test_an_answer_without_end_is_not_waited_for(tls_contexts: Contexts) -> None:
    def answer(peer: Http2Peer, protocol: Protocol, stream: int) -> None:
        protocol.send_headers(stream, [(":status", "200")])
        for _ in range(4):
            protocol.send_data(stream, bytes(16_000))

    async with (
        http2_server(tls_contexts[0], answer) as far,
        linked(url(far.port), tls=tls_contexts[1]) as (link, handler),
    ):
        link.send_prepare(RequestId(1), prepare())
        await until(lambda: len(far.requests) == 1)
        await until(lambda: far.protocols[0].local_flow_control_window(1) > 6_000)
        far.protocols[0].send_data(1, bytes(6_000))
        far.flush_all()
        await until(lambda: len(handler.told) == 1)
        assert handler.codes() == [("unknown", "T00")]
        assert link.alarm is not None


async def test_E3_a_peer_that_floods_us_is_cut_off(tls_contexts: Contexts) -> None:
    async with (
        http2_server(tls_contexts[0], silent) as far,
        linked(url(far.port), tls=tls_contexts[1]) as (link, handler),
    ):
        link.send_prepare(RequestId(1), prepare())
        await until(lambda: len(far.requests) == 1)
        for _ in range(2_000):
            far.protocols[0].ping(bytes(8))
        far.flush_all()
        await until(lambda: link.connections == 0)
        assert handler.codes() == [("unknown", "T00")]


async def test_an_unused_connection_ends_with_a_goodbye(
    tls_contexts: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "SWEEP_MS", 5)
    monkeypatch.setattr(http2_outgoing, "IDLE_MAX_MS", 4 * http2_outgoing.SWEEP_MS)
    async with (
        http2_server(tls_contexts[0], fulfills) as far,
        linked(url(far.port), tls=tls_contexts[1]) as (link, handler),
    ):
        link.send_prepare(RequestId(1), prepare())
        await until(lambda: len(handler.told) == 1)
        await until(lambda: link.connections == 0)
        link.send_prepare(RequestId(2), prepare())
        await until(lambda: len(handler.told) == 2)
        assert far.connections == 2


async def test_numbers_of_streams_end_with_a_new_connection(
    tls_contexts: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http2_outgoing, "STREAM_ID_MAX", 5)
    async with (
        http2_server(tls_contexts[0], fulfills) as far,
        linked(url(far.port), tls=tls_contexts[1]) as (link, handler),
    ):
        for i in range(10):
            link.send_prepare(RequestId(i), prepare())
            await until(lambda i=i: len(handler.told) == i + 1)  # type: ignore[misc]  # bound now
        assert {reply for _, _, reply in handler.told} == {Fulfill(bytes(32), b"ok")}
        assert far.connections == 3
