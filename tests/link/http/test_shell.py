"""The link over HTTP: what each way of failing tells the handler, the pool, and 64 packets in flight."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from interledger.accounts.account import AccountId
from interledger.clock import SystemClock, Timestamp
from interledger.errors import InvalidRequestError
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import Link, RequestId
from interledger.link.http import outgoing, pool
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.protocol import HttpIlpServer, by_token
from interledger.link.http.shell import HttpLink
from interledger.link.listener import Listener

SYSTEM = SystemClock()
FULFILL = Fulfill(bytes(32), b"ok")
REJECT = Reject("F99", "test.far", "no")
CONDITION = hashlib.sha256(bytes(32)).digest()
OUT = AccountId("peer")


def prepare(amount: int = 1, expires_at: int | None = None) -> Prepare:
    at = SYSTEM.now() + 30_000 if expires_at is None else expires_at
    return Prepare(amount, Timestamp(at), CONDITION, Address("test.b.carol"), b"d")


class Handler:
    """Remembers what it was told, as (kind, request id, packet)."""

    def __init__(self) -> None:
        self.told: list[tuple[str, RequestId, Reply]] = []
        self.lost = 0
        self.again: Callable[[], None] | None = None
        self.reply: Reply | None = FULFILL
        self.prepares: list[tuple[AccountId, RequestId]] = []

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        self.prepares.append((account, request_id))
        return self.reply

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        self.told.append(("reply", request_id, reply))
        if self.again is not None:
            self.again()

    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None:
        self.told.append(("unknown", request_id, reject))

    def link_lost(self, account: AccountId, now: Timestamp) -> None:
        self.lost += 1

    def codes(self) -> list[tuple[str, str]]:
        return [(kind, packet.code if isinstance(packet, Reject) else "ok") for kind, _, packet in self.told]


class TestClock:
    """The machine's clock, set forward at will."""

    __test__ = False

    def __init__(self) -> None:
        self.ahead = 0

    def now(self) -> Timestamp:
        return Timestamp(SYSTEM.now() + self.ahead)


Talk = Callable[["Peer", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Peer:
    """What a server saw."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.port = 0

    async def read_request(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        request = head + await reader.readexactly(length)
        self.requests.append(request)
        return request


@contextlib.asynccontextmanager
async def peer(talk: Talk, port: int = 0) -> AsyncIterator[Peer]:
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        result.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await talk(result, reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await writer.wait_closed()

    result = Peer()
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    result.port = server.sockets[0].getsockname()[1]
    try:
        yield result
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def says(*answers: bytes) -> Talk:
    """One answer per request, then the end of the connection."""

    async def talk(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await peer.read_request(reader)
            writer.write(answer)
            await writer.drain()

    return talk


async def silent(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await peer.read_request(reader)
    await asyncio.Event().wait()


def http(status: int = 200, body: bytes = FULFILL.encode(), headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d X\r\n%bContent-Length: %d\r\n\r\n%b" % (status, headers, len(body), body)


@contextlib.asynccontextmanager
async def linked(url: str | None, **options: Any) -> AsyncIterator[tuple[HttpLink, Handler]]:
    handler = Handler()
    options.setdefault("clock", SYSTEM)
    link = HttpLink(handler, OUT, url=url, token="secret", own_address="test.me", **options)
    try:
        yield link, handler
    finally:
        await link.close()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)


# ---------------------------------------------------------------- one packet


async def test_HT_01_HT_02_HT_08_a_packet_and_its_answer() -> None:
    async with peer(says(http(), http(body=REJECT.encode()))) as far:
        async with linked(f"http://127.0.0.1:{far.port}/accounts/me/ilp") as (link, handler):
            first = prepare(7)
            link.send_prepare(RequestId(1), first)
            await until(lambda: len(handler.told) == 1)
            link.send_prepare(RequestId(2), prepare())
            await until(lambda: len(handler.told) == 2)
        assert handler.told == [("reply", 1, FULFILL), ("reply", 2, REJECT)]
        assert far.connections == 1
        octets = first.encode()
        assert far.requests[0] == (
            b"POST /accounts/me/ilp HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/octet-stream\r\n"
            b"Accept: application/octet-stream\r\nAuthorization: Bearer secret\r\nContent-Length: %d\r\n\r\n%b"
            % (far.port, len(octets), octets)
        )
        assert (link.prepares, link.unknown, link.alarm) == (2, 0, None)


async def test_an_answer_whose_head_came_before_is_the_same_answer() -> None:
    other = Fulfill(bytes(32), b"ko")
    answers = (
        http(),
        http(body=other.encode()),
        http(body=REJECT.encode()),  # another length
        http(headers=b"Connection: close\r\n"),
    )
    async with peer(says(*answers)) as far, linked(f"http://127.0.0.1:{far.port}/ilp") as (link, handler):
        for i in range(4):
            link.send_prepare(RequestId(i), prepare())
            await until(lambda i=i: len(handler.told) == i + 1)  # type: ignore[misc]  # bound now
        assert handler.told == [("reply", 0, FULFILL), ("reply", 1, other), ("reply", 2, REJECT), ("reply", 3, FULFILL)]
        assert far.connections == 1
        await until(lambda: link.connections == 0)


FULL = FULFILL.encode()
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(FULL), FULL)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        # 6.2 and HT-09: explicit answers are final
        (http(400, b"no"), ("reply", "F00")),
        (http(401, b""), ("reply", "F00")),
        (http(403, b""), ("reply", "F00")),
        (http(404, b""), ("reply", "F00")),
        (http(413, b""), ("reply", "F00")),
        (http(429, b""), ("reply", "T02")),
        (http(503, b""), ("reply", "T01")),
        (http(302, b"", b"Location: http://127.0.0.1:1/\r\n"), ("reply", "F00")),
        # these may come from something between us and a peer that took the packet
        (http(408, b""), ("unknown", "T01")),
        (http(500, b""), ("unknown", "T01")),
        (http(502, b""), ("unknown", "T01")),
        (http(504, b""), ("unknown", "T01")),
        (http(202, b""), ("unknown", "T00")),
        (b"HTTP/1.1 204 X\r\n\r\n", ("unknown", "T00")),
        (http(200, b""), ("unknown", "T00")),
        (http(200, b"<html>"), ("unknown", "T00")),
        (http(200, prepare().encode()), ("unknown", "T00")),
        (http(200, FULL[:-1]), ("unknown", "T00")),
        # no answer, or half of one
        (b"", ("unknown", "T01")),
        (b"HTTP/1.1 2", ("unknown", "T01")),
        (http(200)[:-1], ("unknown", "T00")),
        (http(200, b"")[:-2], ("unknown", "T01")),
        (http(401, b"abc")[:-1], ("reply", "F00")),
        (b"SSH-2.0-OpenSSH\r\n", ("unknown", "T00")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", ("unknown", "T00")),
        (b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", ("unknown", "T00")),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000, ("unknown", "T00")),
        (http(500, b"x" * 100_000)[:80_000], ("unknown", "T01")),
        (http(401, b"x" * 100_000)[:80_000], ("reply", "F00")),
        # forms of a good one
        (CHUNKED, ("reply", "ok")),
        (b"HTTP/1.0 200 OK\r\n\r\n" + FULL, ("reply", "ok")),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + http(), ("reply", "ok")),
        (b"HTTP/1.1 103 X\r\nLink: a\r\n\r\n" + http(), ("reply", "ok")),
        (http(headers=b"Connection: close\r\n"), ("reply", "ok")),
        (http() + http(), ("reply", "ok")),
        (http() + b"garbage", ("reply", "ok")),
    ],
    ids=range(36),
)  # fmt: skip
async def test_HT_09_what_an_answer_means(answer: bytes, outcome: tuple[str, str]) -> None:
    async with peer(says(answer)) as far:
        async with linked(f"http://127.0.0.1:{far.port}/ilp") as (link, handler):
            link.send_prepare(RequestId(9), prepare())
            await until(lambda: bool(handler.told))
            await asyncio.sleep(0)
            assert handler.codes() == [outcome]
            assert handler.told[0][1] == 9
            reply = handler.told[0][2]
            assert not isinstance(reply, Reject) or reply.triggered_by == "test.me"
            assert link.unknown == (outcome[0] == "unknown")
        # HT-10: whatever happened, the Prepare went out once; a redirect was not followed
        assert len(far.requests) == 1


async def test_HT_10_nothing_was_written_so_another_connection_may_be_tried() -> None:
    """A kept connection that the peer closed while it was idle: the next packet takes a fresh one."""
    async with peer(says(http())) as far:
        async with linked(f"http://127.0.0.1:{far.port}/ilp") as (link, handler):
            for i in range(3):
                link.send_prepare(RequestId(i), prepare())
                await until(lambda i=i: len(handler.told) == i + 1)  # type: ignore[misc]
                await until(lambda: link.connections == 0)
            assert handler.codes() == [("reply", "ok")] * 3
        assert (far.connections, len(far.requests)) == (3, 3)


async def test_HT_10_a_kept_connection_that_breaks_under_a_packet_is_unknown() -> None:
    async with peer(says(http(), b"")) as far:
        async with linked(f"http://127.0.0.1:{far.port}/ilp") as (link, handler):
            link.send_prepare(RequestId(1), prepare())
            await until(lambda: len(handler.told) == 1)
            link.send_prepare(RequestId(2), prepare())
            await until(lambda: len(handler.told) == 2)
            assert handler.codes() == [("reply", "ok"), ("unknown", "T01")]
        assert len(far.requests) == 2


async def test_nobody_there_is_final_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    async with peer(silent) as far:
        port = far.port
    async with linked(f"http://127.0.0.1:{port}/ilp") as (link, handler):
        assert isinstance(link, HttpLink)
        as_link: Link = link
        assert as_link.ready()
        for i in range(5):
            link.send_prepare(RequestId(i), prepare())
        assert handler.told == []
        await until(lambda: len(handler.told) == 5)
        assert handler.codes() == [("reply", "T01")] * 5
        assert handler.lost == 1
        # For a second nothing is tried: refused at once, but not from inside the call.
        assert not link.ready()
        link.send_prepare(RequestId(6), prepare())
        assert len(handler.told) == 5
        await asyncio.sleep(0)
        assert handler.codes()[5:] == [("reply", "T01")]
    assert caplog.text.count("cannot be reached") == 1


async def test_a_peer_that_comes_back(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(pool, "RECONNECT_DELAY_S", 0.01)
    caplog.set_level(logging.INFO)
    async with peer(silent) as far:
        port = far.port
    async with linked(f"http://127.0.0.1:{port}/ilp") as (link, handler):
        link.send_prepare(RequestId(1), prepare())
        await until(lambda: len(handler.told) == 1)
        async with peer(says(http()), port):
            await until(link.ready)
            link.send_prepare(RequestId(2), prepare())
            await until(lambda: len(handler.told) == 2)
        assert handler.codes()[1] == ("reply", "ok")
    assert "reached again" in caplog.text


async def test_a_name_that_does_not_exist() -> None:
    async with linked("http://does-not-exist.invalid/ilp") as (link, handler):
        link.send_prepare(RequestId(1), prepare())
        await until(lambda: bool(handler.told))
        assert handler.codes() == [("reply", "T01")]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_F1_a_strangers_url_is_not_called_at_a_private_address(host: str) -> None:
    async with peer(says(http())) as far:
        handler = Handler()
        link = HttpLink(
            handler, OUT, clock=SYSTEM, url=f"https://{host}:{far.port}/", own_address="test.me", egress=EgressPolicy()
        )
        link.send_prepare(RequestId(1), prepare())
        await until(lambda: bool(handler.told))
        await link.close()
        assert (handler.codes(), far.connections) == ([("reply", "T01")], 0)


# ---------------------------------------------------------------- time


async def test_a_late_answer_is_unknown_R00_and_its_connection_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "SWEEP_MS", 5)
    clock = TestClock()
    async with peer(silent) as far, linked(f"http://127.0.0.1:{far.port}/ilp", clock=clock) as (link, handler):
        link.send_prepare(RequestId(1), prepare(expires_at=SYSTEM.now() + 10_000))
        await until(lambda: bool(far.requests))
        clock.ahead = 10_400
        await asyncio.sleep(0.03)
        assert handler.told == []
        clock.ahead = 10_600
        await until(lambda: bool(handler.told))
        assert handler.codes() == [("unknown", "R00")]
        await until(lambda: link.connections == 0)


async def test_a_packet_that_expires_while_it_waits_is_final_R00(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "SWEEP_MS", 5)
    clock = TestClock()
    async with peer(silent) as far:
        async with linked(f"http://127.0.0.1:{far.port}/ilp", clock=clock, connections_max=1) as (link, handler):
            link.send_prepare(RequestId(1), prepare(expires_at=SYSTEM.now() + 60_000))
            link.send_prepare(RequestId(2), prepare(expires_at=SYSTEM.now() + 10_000))
            await until(lambda: bool(far.requests))
            clock.ahead = 10_400
            await until(lambda: bool(handler.told))
            assert (handler.codes(), handler.told[0][1]) == ([("reply", "R00")], 2)
        assert len(far.requests) == 1


async def test_a_packet_that_expired_before_its_turn_is_not_written() -> None:
    clock = TestClock()
    go = asyncio.Event()

    async def talk(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await peer.read_request(reader)
        await go.wait()
        writer.write(http())
        await silent(peer, reader, writer)

    async with peer(talk) as far:
        async with linked(f"http://127.0.0.1:{far.port}/ilp", clock=clock, connections_max=1) as (link, handler):
            link.send_prepare(RequestId(1), prepare(expires_at=SYSTEM.now() + 60_000))
            link.send_prepare(RequestId(2), prepare(expires_at=SYSTEM.now() + 10_000))
            await until(lambda: bool(far.requests))
            clock.ahead = 10_001
            go.set()
            await until(lambda: len(handler.told) == 2)
            assert sorted(handler.codes()) == [("reply", "R00"), ("reply", "ok")]
        assert len(far.requests) == 1


async def test_idle_connections_are_closed_before_the_peer_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "SWEEP_MS", 5)
    monkeypatch.setattr(outgoing, "IDLE_MAX_MS", 4 * outgoing.SWEEP_MS)
    async with peer(says(http(), http())) as far, linked(f"http://127.0.0.1:{far.port}/ilp") as (link, handler):
        link.send_prepare(RequestId(1), prepare())
        await until(lambda: bool(handler.told))
        assert link.connections == 1
        await until(lambda: link.connections == 0)
        link.send_prepare(RequestId(2), prepare())
        await until(lambda: len(handler.told) == 2)
        assert far.connections == 2


# ---------------------------------------------------------------- the pool


async def test_the_queue_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "QUEUE_MAX", 3)
    async with peer(silent) as far:  # noqa: SIM117
        async with linked(f"http://127.0.0.1:{far.port}/ilp", connections_max=1) as (link, handler):
            link.send_prepare(RequestId(0), prepare())
            await until(lambda: bool(far.requests))
            for i in range(1, 4):
                assert link.ready()
                link.send_prepare(RequestId(i), prepare())
            assert not link.ready()
            link.send_prepare(RequestId(4), prepare())
            await asyncio.sleep(0)
            assert (handler.codes(), handler.told[0][1]) == ([("reply", "T02")], 4)
            await link.close()
            # What was on its way is unknown; what waited was never sent.
            outcomes = {request_id: kind for kind, request_id, _ in handler.told}
            assert outcomes == {0: "unknown", 1: "reply", 2: "reply", 3: "reply", 4: "reply"}


async def test_octets_that_nobody_asked_for_end_the_connection() -> None:
    async def talk(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await peer.read_request(reader)
        writer.write(http())
        await writer.drain()
        await asyncio.sleep(0.01)
        writer.write(http())
        await silent(peer, reader, writer)

    async with peer(talk) as far, linked(f"http://127.0.0.1:{far.port}/ilp") as (link, handler):
        link.send_prepare(RequestId(1), prepare())
        await until(lambda: bool(handler.told))
        await until(lambda: link.connections == 0)
        assert len(handler.told) == 1


async def test_without_a_url_and_after_the_end() -> None:
    async with linked(None) as (link, handler):
        assert not link.ready()
        link.send_prepare(RequestId(1), prepare())
        await link.close()
        link.send_prepare(RequestId(2), prepare())
        await asyncio.sleep(0)
        assert handler.codes() == [("reply", "T01"), ("reply", "T01")]
        assert not link.ready()
        await link.close()
    with pytest.raises(InvalidRequestError):
        HttpLink(Handler(), OUT, clock=SYSTEM, url="ftp://x", own_address="test.me")


async def test_close_while_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    async with peer(silent) as far, linked(f"http://127.0.0.1:{far.port}/ilp") as (link, handler):
        link.send_prepare(RequestId(1), prepare())
        await asyncio.sleep(0)
        await link.close()
        assert handler.codes() == [("reply", "T01")]


async def test_what_an_operator_must_mend_is_said_once_and_forgotten_when_mended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = TestClock()
    async with peer(says(http(401), http(401), http(), http(401), http(), http(401))) as far:  # noqa: SIM117
        async with linked(f"http://127.0.0.1:{far.port}/ilp", clock=clock) as (link, handler):
            alarms = []
            for i in range(6):
                clock.ahead = 61_000 if i == 5 else 0
                link.send_prepare(RequestId(i), prepare(expires_at=SYSTEM.now() + 90_000))
                await until(lambda i=i: len(handler.told) == i + 1)  # type: ignore[misc]
                alarms.append(link.alarm is not None)
            assert alarms == [True, True, False, True, False, True]
    assert caplog.text.count("HTTP 401") == 2
    assert "secret" not in caplog.text


# ---------------------------------------------------------------- both ends


@contextlib.asynccontextmanager
async def two_nodes(**options: Any) -> AsyncIterator[tuple[HttpLink, Handler, Handler, HttpLink]]:
    """(our link, our handler, the far node's handler, the far node's link)."""
    far_handler = Handler()
    far = HttpLink(far_handler, AccountId("us"), clock=SYSTEM, own_address="test.far")
    server = HttpIlpServer(by_token(lambda token: AccountId("us") if token == "secret" else None))
    server.attach(far.incoming)
    listener = Listener("127.0.0.1", 0, clock=SYSTEM, ilp=server, tls=options.pop("server_tls", None))
    await listener.start()
    scheme = "https" if options.get("tls") else "http"
    try:
        async with linked(f"{scheme}://localhost:{listener.port}/accounts/us/ilp", **options) as (link, handler):
            yield link, handler, far_handler, far
    finally:
        await far.close()
        await listener.stop()


async def test_64_in_flight_end_to_end() -> None:
    total = 640
    async with two_nodes() as (link, handler, far, _):
        sent = 0

        def send() -> None:
            nonlocal sent
            if sent < total:
                sent += 1
                link.send_prepare(RequestId(sent), prepare(sent))

        handler.again = send
        for _ in range(64):
            send()
        await until(lambda: len(handler.told) == total)
        assert {request_id for _, request_id, _ in handler.told} == set(range(1, total + 1))
        assert handler.codes() == [("reply", "ok")] * total
        assert len({request_id for _, request_id in far.prepares}) == total
        assert link.connections <= 64


async def test_more_packets_than_connections_wait_their_turn() -> None:
    async with two_nodes(connections_max=4) as (link, handler, _, _):
        for i in range(100):
            link.send_prepare(RequestId(i), prepare())
        await until(lambda: len(handler.told) == 100)
        assert handler.codes() == [("reply", "ok")] * 100
        assert link.connections == 4


async def test_a_reply_may_come_later_through_the_far_link() -> None:
    async with two_nodes() as (link, handler, far_handler, far):
        far_handler.reply = None
        link.send_prepare(RequestId(1), prepare())
        await until(lambda: bool(far_handler.prepares))
        far.send_reply(far_handler.prepares[0][1], REJECT)
        await until(lambda: bool(handler.told))
        assert handler.told == [("reply", 1, REJECT)]


async def test_a_far_link_that_closes_says_503() -> None:
    async with two_nodes() as (link, handler, far_handler, far):
        far_handler.reply = None
        link.send_prepare(RequestId(1), prepare())
        await until(lambda: bool(far_handler.prepares))
        await far.close()
        await until(lambda: bool(handler.told))
        assert handler.codes() == [("reply", "T01")]


async def test_over_TLS(tls_contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server, client = tls_contexts
    async with two_nodes(tls=client, server_tls=server) as (link, handler, _, _):
        for i in range(5):
            link.send_prepare(RequestId(i), prepare())
        await until(lambda: len(handler.told) == 5)
        assert handler.codes() == [("reply", "ok")] * 5
    async with two_nodes(tls=ssl.create_default_context(), server_tls=server) as (link, handler, _, _):
        link.send_prepare(RequestId(1), prepare())
        await until(lambda: bool(handler.told))
        assert handler.codes() == [("reply", "T01")]


async def test_close_in_the_middle_of_a_TLS_handshake() -> None:
    async def mute(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer.requests.append(await reader.read(10))
        await asyncio.Event().wait()

    async with peer(mute) as far, linked(f"https://127.0.0.1:{far.port}/ilp") as (link, handler):
        link.send_prepare(RequestId(1), prepare())
        await until(lambda: bool(far.requests))
        await link.close()
        assert handler.codes() == [("reply", "T01")]
        assert link.connections == 0
