"""The port: dispatch, limits, order of answers, WebSocket hand-over, stopping. Over real sockets on port 0."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from interledger.accounts.account import AccountId
from interledger.clock import SystemClock, Timestamp
from interledger.errors import LinkError
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.attempts import WAITING_MAX, Attempts
from interledger.link.base import RequestId
from interledger.link.http import connection as connection_module
from interledger.link.http.open_connection import OpenConnection
from interledger.link.http.protocol import NEVER, HttpIlpServer, IncomingSide, by_token
from interledger.link.http.strangers import USELESS_MAX
from interledger.link.listener import Limits, Listener

CLOCK = SystemClock()
FULFILL = Fulfill(bytes(32), b"ok")
CONDITION = hashlib.sha256(bytes(32)).digest()
PREPARE = Prepare(10, Timestamp(CLOCK.now() + 30_000), CONDITION, Address("test.b.carol"), b"d").encode()
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def ilp_post(body: bytes = PREPARE, headers: bytes = b"") -> bytes:
    return b"POST /ilp HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n%bContent-Length: %d\r\n\r\n%b" % (
        headers,
        len(body),
        body,
    )


class Handler:
    """Answers at once, or when `answer` is called."""

    def __init__(self, reply: Reply | None = FULFILL) -> None:
        self.reply = reply
        self.got: list[RequestId] = []
        self.fails = False

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        if self.fails:
            raise RuntimeError("a surprise")
        self.got.append(request_id)
        return self.reply

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None: ...
    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None: ...
    def link_lost(self, account: AccountId, now: Timestamp) -> None: ...


class Rig:
    def __init__(self, reply: Reply | None, **options: Any) -> None:
        self.handler = Handler(reply)
        self.side = IncomingSide(self.handler, AccountId("alice"))
        self.ilp = HttpIlpServer(by_token(lambda token: AccountId("alice") if token == "t" else None))
        self.ilp.attach(self.side)
        options.setdefault("app", hello)
        self.listener = Listener("127.0.0.1", 0, clock=CLOCK, ilp=self.ilp, **options)

    async def connect(self) -> Client:
        return Client(*await asyncio.open_connection("127.0.0.1", self.listener.port))

    async def talk(self, octets: bytes) -> bytes:
        """Everything the server says to `octets` until it closes, or until it is quiet."""
        async with self.client() as client:
            client.write(octets)
            return await client.rest()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        client = await self.connect()
        try:
            yield client
        finally:
            await client.close()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def write(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def response(self, *, head: bool = False) -> tuple[int, dict[str, str], bytes]:
        """One answer: status, headers, body."""
        text = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)).decode()
        line, *rest = text.split("\r\n")[:-2]
        headers = {k.lower(): v for k, _, v in (field.partition(": ") for field in rest)}
        status = int(line.split()[1])
        body = b""
        if head or status in (100, 204, 304):
            return status, headers, body
        if headers.get("transfer-encoding") == "chunked":
            while size := int(await self.reader.readline(), 16):
                body += await self.reader.readexactly(size)
                await self.reader.readexactly(2)
            await self.reader.readexactly(2)
        elif "content-length" in headers:
            body = await self.reader.readexactly(int(headers["content-length"]))
        else:
            body = await self.reader.read()
        return status, headers, body

    async def rest(self) -> bytes:
        return await asyncio.wait_for(self.reader.read(), 5)

    async def closed(self) -> bool:
        try:
            return await self.rest() == b""
        except ConnectionError:
            return True

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()


@asynccontextmanager
async def running(reply: Reply | None = FULFILL, **options: Any) -> AsyncIterator[Rig]:
    rig = Rig(reply, **options)
    await rig.listener.start()
    try:
        yield rig
    finally:
        await rig.listener.stop()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)


async def hello(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """Says which request it got."""
    message = await receive()
    body = f"{scope['method']} {scope['path']} {len(message['body'])}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})


SHORT = Limits(request_timeout_ms=30, idle_timeout_ms=60, write_timeout_ms=40, linger_ms=20, sweep_ms=5)


# ---------------------------------------------------------------- what goes where


async def test_a_peer_that_sends_more_than_it_may_is_read_in_turn_until_it_stops() -> None:
    async with running(Reject("T05", "test.b", "slow down"), limits=SHORT) as rig, rig.client() as client:

        async def post(reply: Reply) -> OpenConnection:
            rig.handler.reply = reply
            client.write(ilp_post())
            assert (await client.response())[2] == reply.encode()
            (connection,) = rig.listener._shared.connections
            return connection

        limited, fine = Reject("T05", "test.b", "slow down"), Reject("F99", "test.b", "no")
        assert not (await post(fine)).waits_turn
        assert (await post(limited)).waits_turn
        connection = await post(fine)
        assert connection.waits_turn
        assert not connection.kept
        tick = rig.listener._shared.tick
        rig.listener._shared.tick += 200  # sweeps: a second
        connection = await post(fine)
        assert connection.kept
        assert not connection.waits_turn
        rig.listener._shared.tick = tick


async def test_a_peer_whose_requests_are_of_no_use_is_read_in_turn_until_it_brings_a_packet() -> None:
    fine = Reject("F99", "test.b", "no")
    async with running(fine, limits=SHORT) as rig, rig.client() as client:

        async def post(octets: bytes, status: int) -> OpenConnection:
            client.write(octets)
            assert (await client.response())[0] == status
            (connection,) = rig.listener._shared.connections
            return connection

        connection = await post(ilp_post(), 200)
        for _ in range(USELESS_MAX):
            assert not (await post(ilp_post(b"no packet"), 400)).waits_turn
        assert (await post(ilp_post(b"no packet"), 400)).waits_turn
        rig.listener._shared.tick += 200  # sweeps: a second
        assert not (await post(ilp_post(), 200)).waits_turn
        assert connection.kept
        assert connection.useless == 0


async def test_HT_02_a_prepare_is_answered_over_the_socket() -> None:
    async with running() as rig, rig.client() as client:
        for _ in range(3):
            client.write(ilp_post())
            status, headers, body = await client.response()
            assert (status, body) == (200, FULFILL.encode())
            assert headers["content-type"] == "application/octet-stream"
            assert headers["date"].endswith("GMT")
        assert (rig.listener.requests, rig.listener.connections) == (3, 1)


async def test_a_head_that_was_accepted_is_not_read_again_while_its_account_stays() -> None:
    async with running() as rig, rig.client() as client:
        for _ in range(2):
            client.write(ilp_post())
            assert (await client.response())[0] == 200
        ((head, (side, length, until_)),) = rig.ilp.accepted_heads.items()
        assert (head + PREPARE, side, length, until_) == (ilp_post(), rig.side, len(PREPARE), NEVER)

        # The same head in two reads, twice in one read, and with octets behind it: read as ever.
        client.write(ilp_post()[:-1])
        await asyncio.sleep(0.01)
        client.write(ilp_post()[-1:] + ilp_post() + ilp_post() + b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
        assert [(await client.response())[0] for _ in range(4)] == [200] * 4

        client.write(ilp_post(b"x" * len(PREPARE)))
        assert (await client.response())[0] == 400
        rig.handler.fails = True
        client.write(ilp_post())
        assert (await client.response())[0] == 500

    async with running() as rig, rig.client() as client:
        client.write(ilp_post())
        assert (await client.response())[0] == 200
        rig.ilp.detach(AccountId("alice"))
        client.write(ilp_post())
        assert (await client.response())[0] == 503


async def test_a_head_that_was_accepted_waits_for_its_turn_and_its_place() -> None:
    async with running(reply=None) as rig, rig.client() as client:
        pause = connection_module.PIPELINED_PAUSE
        for count in range(1, pause + 1):  # the last one ends the reading, until an answer has left
            client.write(ilp_post())
            await until(lambda count=count: len(rig.handler.got) == count)  # type: ignore[misc]  # bound now
        client.write(ilp_post())
        for _ in range(pause + 1):
            await until(lambda: bool(rig.handler.got))
            rig.side.send_reply(rig.handler.got.pop(0), FULFILL)
            assert (await client.response())[0] == 200


@pytest.mark.parametrize(
    "headers",
    [b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"X: " + b"x" * 1_024 + b"\r\n"],
    ids=["the last one", "asks first", "long"],
)
async def test_heads_that_are_read_every_time(headers: bytes) -> None:
    async with running() as rig, rig.client() as client:
        client.write(ilp_post(headers=headers))
        status, _, _ = await client.response()
        if status == 100:
            status, _, _ = await client.response()
        assert status == 200
        assert not rig.ilp.accepted_heads


async def test_chunks_and_refused_heads_are_read_every_time() -> None:
    async with running() as rig, rig.client() as client:
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(PREPARE), PREPARE)
        client.write(
            b"POST /ilp HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\nTransfer-Encoding: chunked\r\n\r\n" + body
        )
        assert (await client.response())[0] == 200
        client.write(ilp_post().replace(b"Bearer t", b"Bearer u"))
        assert (await client.response())[0] == 401
        assert not rig.ilp.accepted_heads


async def test_everything_else_goes_to_the_application() -> None:
    async with running() as rig, rig.client() as client:
        client.write(b"GET /ilp HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await client.response())[2] == b"GET /ilp 0"
        client.write(b"POST /accounts HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
        assert (await client.response())[2] == b"POST /accounts 3"
        client.write(ilp_post().replace(b"/ilp", b"/ilp?a=b"))
        assert (await client.response())[2] == FULFILL.encode()


async def test_404_without_an_application_and_without_ilp() -> None:
    async with running(app=None) as rig, rig.client() as client:
        client.write(GET)
        assert (await client.response())[0] == 404
    listener = Listener("127.0.0.1", 0, clock=CLOCK)
    await listener.start()
    try:
        client = Client(*await asyncio.open_connection("127.0.0.1", listener.port))
        client.write(ilp_post())
        assert (await client.response())[0] == 404
        await client.close()
    finally:
        await listener.stop()


async def test_HT_05_a_wrong_token_gets_401_and_the_connection_goes_on() -> None:
    async with running() as rig, rig.client() as client:
        client.write(ilp_post().replace(b"Bearer t", b"Bearer no"))
        status, headers, _ = await client.response()
        assert (status, headers["www-authenticate"]) == (401, "Bearer")
        client.write(ilp_post())
        assert (await client.response())[0] == 200


async def test_a_surprise_is_answered_500_without_a_word_of_it(caplog: pytest.LogCaptureFixture) -> None:
    async with running() as rig:
        rig.handler.fails = True
        answer = await rig.talk(ilp_post())
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert b"surprise" not in answer
        assert b"Connection: close" in answer
    assert "a packet could not be handled" in caplog.text


# ---------------------------------------------------------------- order


async def test_pipelined_answers_keep_their_order() -> None:
    async with running(reply=None) as rig, rig.client() as client:
        client.write(ilp_post() * 3 + GET + ilp_post())
        await until(lambda: len(rig.handler.got) == 4)
        replies = [Fulfill(bytes(32), b"%d" % i) for i in range(4)]
        for i in (3, 1, 2, 0):
            rig.side.send_reply(rig.handler.got[i], replies[i])
        bodies = [(await client.response())[2] for _ in range(5)]
        assert bodies == [*(reply.encode() for reply in replies[:3]), b"GET / 0", replies[3].encode()]


async def test_many_pipelined_requests_pause_the_reading_and_all_are_answered() -> None:
    async with running(reply=None) as rig, rig.client() as client:
        client.write(ilp_post() * 200)
        answered = 0
        while answered < 200:
            await asyncio.sleep(0)
            for request_id in rig.handler.got[answered:]:
                rig.side.send_reply(request_id, FULFILL)
                answered += 1
        for _ in range(200):
            assert (await client.response())[2] == FULFILL.encode()


async def test_requests_for_the_application_wait_for_each_other() -> None:
    running_now = 0
    most = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal running_now, most
        running_now += 1
        most = max(most, running_now)
        await asyncio.sleep(0)
        running_now -= 1
        await hello(scope, receive, send)

    async with running(app=app) as rig, rig.client() as client:
        client.write(b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % i for i in range(5)))
        assert [(await client.response())[2] for _ in range(5)] == [b"GET /%d 0" % i for i in range(5)]
        assert most == 1


async def test_what_comes_before_a_bad_request_is_answered_first() -> None:
    async with running() as rig:
        answer = await rig.talk(ilp_post() + b"GET / HTTP/1.1\r\n\r\n" + GET)
        assert answer.count(b"HTTP/1.1 ") == 2
        assert answer.index(b"HTTP/1.1 200") < answer.index(b"HTTP/1.1 400")
        assert rig.listener.refusals == 1


# ---------------------------------------------------------------- how connections end


@pytest.mark.parametrize(
    ("octets", "status", "connection"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200, "close"),
        (b"GET / HTTP/1.0\r\n\r\n", 200, "close"),
        (ilp_post(headers=b"Connection: close\r\n"), 200, "close"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "close"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n", 413, "close"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 9000 + b"\r\n\r\n", 431, "close"),
        (b"\x16\x03\x01\x00", 400, "close"),
    ],
)
async def test_the_last_answer_says_close_and_the_connection_ends(octets: bytes, status: int, connection: str) -> None:
    async with running() as rig, rig.client() as client:
        client.write(octets)
        got, headers, _ = await client.response()
        assert (got, headers["connection"]) == (status, connection)
        assert await client.closed()


async def test_http_1_0_may_ask_to_be_kept() -> None:
    async with running() as rig, rig.client() as client:
        for _ in range(2):
            client.write(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            status, headers, _ = await client.response()
            assert (status, headers["connection"]) == (200, "keep-alive")


async def test_a_client_that_leaves_before_its_reply_is_counted() -> None:
    async with running(reply=None) as rig:
        client = await rig.connect()
        client.write(ilp_post())
        await until(lambda: bool(rig.handler.got))
        await client.close()
        await until(lambda: not rig.listener.connections)
        rig.side.send_reply(rig.handler.got[0], FULFILL)
        assert rig.side.replies_dropped == 1
        rig.side.close()


async def test_a_refused_upload_is_read_to_the_answer_not_to_a_reset() -> None:
    async with running(limits=Limits(sweep_ms=5, linger_ms=200)) as rig, rig.client() as client:
        client.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n")
        client.write(b"a" * 900_000)
        assert (await client.response())[0] == 413


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"POST /ilp HTTP/1.1\r\nHost: x", b"408"),
        (b"POST /ilp HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab", b"408"),
        (b"", b""),
    ],
)
async def test_E2_slow_requests_end_in_408(octets: bytes, status: bytes) -> None:
    async with running(limits=SHORT) as rig, rig.client() as client:
        client.write(octets)
        assert (await client.rest())[9:12] == status


async def test_E2_slowloris_octet_by_octet_gains_no_time() -> None:
    async with running(limits=SHORT) as rig, rig.client() as client:
        answer = asyncio.ensure_future(client.rest())
        for octet in b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 1000:
            client.write(bytes((octet,)))
            await asyncio.sleep(0.004)
            if answer.done():
                break
        assert (await answer)[9:12] == b"408"


async def test_idle_connections_are_closed_in_silence() -> None:
    async with running(limits=SHORT) as rig, rig.client() as client:
        client.write(GET)
        await client.response()
        assert await client.closed()


async def test_a_waiting_packet_is_no_idle_connection() -> None:
    async with running(reply=None, limits=SHORT) as rig, rig.client() as client:
        client.write(ilp_post())
        await asyncio.sleep(0.1)
        rig.side.send_reply(rig.handler.got[0], FULFILL)
        assert (await client.response())[0] == 200


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while (await asyncio.sleep(0)) is None and rig.listener.connections:
            await send({"type": "http.response.body", "body": b"a" * 100_000, "more_body": True})

    async with running(app=app, limits=SHORT) as rig, rig.client() as client:
        client.write(GET)
        await until(lambda: bool(rig.listener.connections))
        await until(lambda: not rig.listener.connections)


async def test_connections_above_the_limit_get_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "OVERFLOW_MAX", 1)
    async with running(None, limits=Limits(connections_max=2)) as rig:
        clients = [await rig.connect() for _ in range(2)]
        for client in clients:
            client.write(ilp_post())
        await until(lambda: len(rig.handler.got) == 2)
        third, fourth = await rig.connect(), await rig.connect()
        assert (await third.response())[0] == 503
        assert await fourth.closed()
        for client in (*clients, third, fourth):
            await client.close()


async def test_a_full_port_lets_go_of_idle_strangers_and_keeps_its_peers() -> None:
    async with running(limits=Limits(connections_max=3)) as rig:
        peer, *strangers = [await rig.connect() for _ in range(3)]
        peer.write(ilp_post())
        assert (await peer.response())[0] == 200
        await until(lambda: rig.listener.connections == 3)
        more = [await rig.connect() for _ in range(3)]
        for client in (*strangers, more[0]):
            assert await client.closed()
        for client in (peer, *more[1:]):
            client.write(ilp_post())
            assert (await client.response())[0] == 200
        last = await rig.connect()
        assert (await last.response())[0] == 503
        for client in (peer, last, *strangers, *more):
            await client.close()


async def test_D11_no_answer_is_begun_for_a_client_that_does_not_read_the_one_before() -> None:
    begun = 0

    async def app(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        nonlocal begun
        begun += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(20_000_000)})

    async with running(app=app) as rig, rig.client() as client:
        client.write(GET * 20)
        await until(lambda: begun == 1 and not _only(rig).writable.is_set())
        for _ in range(10):
            await asyncio.sleep(0)
        assert begun == 1
        for _ in range(2):
            status, _, body = await client.response()
            assert (status, len(body)) == (200, 20_000_000)
        assert begun in (2, 3)


def _only(rig: Rig) -> Any:
    (connection,) = rig.listener._shared.connections
    return connection


async def test_100_continue_is_given_before_the_body() -> None:
    async with running() as rig, rig.client() as client:
        octets = ilp_post(headers=b"Expect: 100-continue\r\n")
        client.write(octets[: -len(PREPARE)])
        assert (await client.response())[0] == 100
        client.write(PREPARE)
        assert (await client.response())[0] == 200


# ---------------------------------------------------------------- WebSockets

UPGRADE = b"GET /btp?x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


class Echo(asyncio.Protocol):
    def __init__(self, transport: asyncio.Transport, trailing: bytes) -> None:
        self.transport = transport
        transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + trailing)

    def data_received(self, data: bytes) -> None:
        self.transport.write(data.upper())
        self.transport.close()


async def test_a_websocket_is_handed_over_with_the_octets_behind() -> None:
    seen: list[tuple[bytes, str]] = []

    def upgrade(transport: asyncio.Transport, octets: bytes, trailing: bytes, path: str) -> asyncio.Protocol | None:
        seen.append((octets, path))
        return Echo(transport, trailing)

    async with running(upgrade=upgrade) as rig, rig.client() as client:
        client.write(GET)
        await client.response()
        client.write(UPGRADE + b"first")
        assert await client.reader.readuntil(b"first") == b"HTTP/1.1 101 Switching Protocols\r\n\r\nfirst"
        client.write(b"more")
        assert await client.rest() == b"MORE"
        assert rig.listener.connections == 0
    assert seen == [(b"GET /btp?x HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n", "/btp")]


@pytest.mark.parametrize(
    ("octets", "status"),
    [(UPGRADE, b"404"), (UPGRADE.replace(b"GET", b"POST"), b"400"), (ilp_post() + UPGRADE, b"400")],
)
async def test_websockets_that_nobody_takes(octets: bytes, status: bytes) -> None:
    async with running(reply=None, upgrade=lambda *_: None) as rig, rig.client() as client:
        client.write(octets)
        await until(lambda: bool(rig.listener.refusals))
        rig.side.close()
        assert b"HTTP/1.1 " + status in await client.rest()
    async with running() as rig:
        assert (await rig.talk(UPGRADE))[9:12] == b"404"


# ---------------------------------------------------------------- stopping


async def test_stop_lets_what_runs_finish() -> None:
    async with running(reply=None) as rig, rig.client() as client, rig.client() as idle:
        client.write(ilp_post())
        await until(lambda: bool(rig.handler.got))
        stopping = asyncio.ensure_future(rig.listener.stop(drain_ms=2_000))
        assert await idle.closed()
        client.write(ilp_post())
        await until(lambda: bool(rig.listener.refusals))
        rig.side.send_reply(rig.handler.got[0], FULFILL)
        assert (await client.response())[0] == 200
        assert (await client.response())[0] == 503
        await client.close()
        await stopping
        with pytest.raises(OSError, match=r"."):
            await rig.connect()


async def test_stop_closes_behind_the_last_answer_and_takes_no_websocket() -> None:
    async with running(reply=None) as rig, rig.client() as client, rig.client() as other:
        client.write(ilp_post())
        other.write(ilp_post() + UPGRADE[:10])
        await until(lambda: len(rig.handler.got) == 2)
        stopping = asyncio.ensure_future(rig.listener.stop(drain_ms=2_000))
        await asyncio.sleep(0)
        for request_id in rig.handler.got:
            rig.side.send_reply(request_id, FULFILL)
        assert (await client.response())[0] == 200
        assert await client.closed()
        await stopping


async def test_stop_cuts_what_does_not_finish() -> None:
    cancelled = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with running(app=app) as rig, rig.client() as client:
        client.write(GET)
        await asyncio.sleep(0.01)
        await rig.listener.stop(drain_ms=1)
        assert cancelled.is_set()
        assert await client.closed()
        await rig.listener.stop()


async def test_a_port_that_is_taken_is_said() -> None:
    async with running() as rig:
        second = Listener("127.0.0.1", rig.listener.port, clock=CLOCK)
        with pytest.raises(LinkError, match="cannot be listened on"):
            await second.start()
        await second.stop()


# ---------------------------------------------------------------- ASGI


def answering(*messages: dict[str, Any]) -> Callable[..., Awaitable[None]]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    return app


def start(status: int = 200, **headers: str) -> dict[str, Any]:
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": fields}


def body(octets: bytes = b"", more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": octets, "more_body": more}


@pytest.mark.parametrize(
    ("messages", "status", "headers", "content"),
    [
        ((start(), body(b"abc")), 200, {"content-length": "3"}, b"abc"),
        ((start(content_length="3"), body(b"a", True), body(b"bc")), 200, {"content-length": "3"}, b"abc"),
        ((start(), body(b"a", True), body(b"", True), body(b"bc")), 200, {"transfer-encoding": "chunked"}, b"abc"),
        ((start(), body(b"a", True), body()), 200, {"transfer-encoding": "chunked"}, b"a"),
        ((start(204), body()), 204, {}, b""),
        ((start(304, etag="x"), body()), 304, {"etag": "x"}, b""),
        ((start(404), body(b"no")), 404, {"content-length": "2"}, b"no"),
        ((start(connection="close"), body(b"x")), 200, {"connection": "close"}, b"x"),
        ((start(transfer_encoding="gzip", date="never"), body(b"x")), 200, {"content-length": "1"}, b"x"),
    ],
    ids=range(9),
)
async def test_answers_of_an_application(
    messages: tuple[dict[str, Any], ...], status: int, headers: dict[str, str], content: bytes
) -> None:
    async with running(app=answering(*messages)) as rig, rig.client() as client:
        client.write(GET)
        got, fields, octets = await client.response()
        assert (got, octets) == (status, content)
        assert {name: fields.get(name) for name in headers} == headers
        assert fields["date"] != "never"


@pytest.mark.parametrize(
    "messages",
    [
        (),
        (start(),),
        (body(b"x"),),
        (start(), start()),
        (start(evil="a\r\nSet-Cookie: b"), body()),
        ({"type": "http.response.start", "status": 200, "headers": [(b"a: b", b"c")]}, body()),
        (start(content_length="x"), body()),
        (start(content_length="5"), body(b"abc")),
        (start(content_length="2"), body(b"abc")),
        ({"type": "websocket.accept"},),
    ],
    ids=range(10),
)
async def test_an_application_that_breaks_its_rules_is_answered_for(
    messages: tuple[dict[str, Any], ...], caplog: pytest.LogCaptureFixture
) -> None:
    async with running(app=answering(*messages)) as rig:
        answer = await rig.talk(GET)
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert b"Traceback" not in answer
        assert b"Set-Cookie" not in answer


async def test_an_application_that_fails_in_the_middle_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        await send(body(b"a", True))
        raise RuntimeError("secret words")

    async with running(app=app) as rig, rig.client() as client:
        client.write(GET)
        await client.reader.readuntil(b"a\r\n")
        assert await client.closed()
    assert "the application failed" in caplog.text


async def test_an_application_that_goes_on_behind_its_end(caplog: pytest.LogCaptureFixture) -> None:
    app = answering(start(), body(b"x"), body(b"y"))
    async with running(app=app) as rig, rig.client() as client:
        client.write(GET)
        assert (await client.response())[2] == b"x"
        client.write(GET)
        assert (await client.response())[2] == b"x"


async def test_HEAD_and_http_1_0_get_no_chunks() -> None:
    app = answering(start(), body(b"abc", True), body(b"de"))
    async with running(app=app) as rig, rig.client() as client:
        client.write(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await client.response(head=True))[0] == 200
        client.write(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        status, headers, octets = await client.response()
        assert (status, headers["connection"], octets) == (200, "close", b"abcde")


async def test_the_scope_and_the_end_of_the_client() -> None:
    scopes: list[Any] = []
    messages: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        messages.append(await receive())
        messages.append(await receive())
        await send(start())

    async with running(app=app) as rig:
        client = await rig.connect()
        client.write(b"PUT /a%20b?c=%64 HTTP/1.1\r\nHost: x\r\nX-Y: Z\r\nContent-Length: 2\r\n\r\nhi")
        await until(lambda: bool(messages))
        await client.close()
        await until(lambda: len(messages) == 2)
    (scope,) = scopes
    assert (scope["method"], scope["path"], scope["raw_path"], scope["query_string"]) == (
        "PUT",
        "/a b",
        b"/a%20b",
        b"c=%64",
    )
    assert scope["headers"] == [(b"host", b"x"), (b"x-y", b"Z"), (b"content-length", b"2")]
    assert (scope["scheme"], scope["server"][0], scope["client"][0]) == ("http", "127.0.0.1", "127.0.0.1")
    assert messages == [
        {"type": "http.request", "body": b"hi", "more_body": False},
        {"type": "http.disconnect"},
    ]


async def test_an_application_that_fails_behind_a_client_that_left_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await receive()
        raise RuntimeError("nobody is there")

    caplog.set_level(logging.INFO)
    async with running(app=app) as rig:
        client = await rig.connect()
        client.write(GET)
        await asyncio.sleep(0.01)
        await client.close()
        await asyncio.sleep(0.01)
    assert "failed" not in caplog.text


async def test_starlette_runs_on_it() -> None:
    ended = asyncio.Event()

    async def echo(request: Request) -> Response:
        return PlainTextResponse(await request.body(), headers={"x-query": request.url.query})

    async def events(request: Request) -> Response:
        async def stream() -> AsyncIterator[bytes]:
            try:
                yield b"data: 1\n\n"
                await asyncio.Event().wait()
            finally:
                ended.set()

        return StreamingResponse(stream(), media_type="text/event-stream")

    app = Starlette(routes=[Route("/echo", echo, methods=["GET", "POST"]), Route("/events", events)])
    async with running(app=app) as rig:
        async with rig.client() as client:
            client.write(b"POST /echo?a=b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
            status, headers, octets = await client.response()
            assert (status, headers["x-query"], octets) == (200, "a=b", b"hi")
            client.write(b"HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await client.response(head=True))[0] == 200
            client.write(b"OPTIONS /echo HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await client.response())[0] == 405
            client.write(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await client.response())[0] == 404
            client.write(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
            await client.reader.readuntil(b"data: 1\n\n")
        await asyncio.wait_for(ended.wait(), 5)


# ---------------------------------------------------------------- wrong tokens

WRONG = ilp_post().replace(b"Bearer t", b"Bearer wrong")


async def eventually(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # counted inside the listener
            await asyncio.sleep(0.002)


async def test_D1_after_five_wrong_tokens_refusals_wait_and_a_good_token_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("interledger.link.attempts.DELAY_MS", 150)
    attempts = Attempts()
    async with running(attempts=attempts) as rig:
        for _ in range(5):
            assert (await rig.talk(WRONG.replace(b"Host", b"Connection: close\r\nHost"))).startswith(b"HTTP/1.1 401")
        async with rig.client() as guesser, rig.client() as honest:
            guesser.write(WRONG + WRONG)
            await eventually(lambda: attempts.wrong_count == 7)
            honest.write(ilp_post())
            assert (await honest.response())[0] == 200
            began = asyncio.get_running_loop().time()
            status, headers, _ = await guesser.response()
            assert (status, headers["connection"]) == (401, "close")
            assert asyncio.get_running_loop().time() - began > 0.1
            assert await guesser.closed()


async def test_D1_a_source_with_many_refusals_on_their_way_is_cut_off() -> None:
    attempts = Attempts()
    async with running(attempts=attempts) as rig, rig.client() as first, rig.client() as second, rig.client() as good:
        # A connection whose refusal waits is not read on: these come in one piece each.
        others = [await rig.connect() for _ in range(WAITING_MAX - 1)]
        for other in others:
            other.write(WRONG)
        await eventually(lambda: attempts.wrong_count == WAITING_MAX - 1)
        first.write(WRONG * 6)
        await eventually(lambda: attempts.wrong_count == 5 + WAITING_MAX)
        second.write(WRONG)
        assert await second.closed()
        good.write(ilp_post())
        assert (await good.response())[0] == 200
        for other in others:
            await other.close()


async def test_D1_the_application_s_refusals_wait_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong tokens of the API count with those of packets; a request without one is no guess."""
    monkeypatch.setattr("interledger.link.attempts.DELAY_MS", 150)

    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": b"no"})

    attempts = Attempts()
    ask = b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer guess\r\n\r\n"
    async with running(app=refuse, attempts=attempts) as rig, rig.client() as client:
        for octets in (GET, ask, ask, ask, ask, ask, GET):
            client.write(octets)
            assert (await client.response())[0] == 401
        assert attempts.wrong_count == 5
        began = asyncio.get_running_loop().time()
        client.write(ask)
        assert (await client.response())[0] == 401
        assert asyncio.get_running_loop().time() - began > 0.1
        leaves = [await rig.connect() for _ in range(WAITING_MAX + 1)]
        for other in leaves:
            other.write(ask)
        await eventually(lambda: attempts.cut_count == 1)
        for other in leaves:
            await other.close()
        await eventually(lambda: not attempts._waiting)


# ---------------------------------------------------------------- TLS


async def test_TLS(tls_contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server, client_context = tls_contexts
    async with running(tls=server) as rig:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", rig.listener.port, ssl=client_context, server_hostname="localhost"
        )
        client = Client(reader, writer)
        client.write(ilp_post())
        assert (await client.response())[2] == FULFILL.encode()
        client.write(b"GET / HTTP/1.1\r\n\r\n")
        assert (await client.response())[0] == 400
        assert await client.closed()
        await client.close()
