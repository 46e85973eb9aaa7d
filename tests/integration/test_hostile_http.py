"""Hostile HTTP peers beside an honest one, which has to notice nothing (reliability E1-E3, D11; performance rule 8).

Each attack runs for as long as it takes; honest packets go through the same node before, during and behind it. The node
ends as it began: nothing held, nothing waiting, no connection that a limit should have ended.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from interledger.accounts.account import AccountId, HttpForm, LinkSettings, Relation
from interledger.ilp.packet import Fulfill
from interledger.link.http import http2
from interledger.link.http.port import Limits
from tests.link.http.test_http2_connection import FLOODS, frame, head
from tests.link.http.test_requests import SMUGGLING
from tests.node.loopback import account, net
from tests.support.hostile import (
    HONEST_TOKEN,
    HOSTILE_TOKEN,
    Hub,
    arena,
    beside,
    honest_http,
    post_octets,
    prepare_octets,
    read_response,
)
from tests.support.http2_client import http2_client

pytestmark = pytest.mark.slow

HOSTILE_SOCKETS = 60
HOSTILE_ADDRESS = "127.0.0.2"
"""Our own address is never refused: a proxy may have it."""

TRICKLE_S = 0.02


@pytest.fixture(autouse=True)
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time-outs of tenths of a second: the attacks are as long as several of them."""
    limits = partial(Limits, request_timeout_ms=300, write_timeout_ms=300, sweep_ms=50, linger_ms=100)
    monkeypatch.setattr("interledger.link.listener.Limits", limits)


async def under(attack: Any, *arguments: Any, workers: int = 2) -> Hub:
    """Honest traffic while `attack(hub, ...)` runs, and behind it. Raises when the honest peer was not served."""
    async with arena() as hub, honest_http(hub) as send:
        traffic = await beside(send, attack(hub, *arguments), workers=workers)
        traffic.check()
        (await beside(send, None, exchanges=200)).check()
        assert not hub.node.ledger.holds
        assert not hub.node.alarms
    return hub


@asynccontextmanager
async def sockets(
    hub: Hub, count: int, receive_buffer: int = 0
) -> AsyncIterator[list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]:
    opened = []
    for _ in range(count):
        raw = socket.socket()
        if receive_buffer:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        raw.setblocking(False)
        # In turns with the node: what it has not let in yet waits in the system, which holds only so many.
        raw.bind((HOSTILE_ADDRESS, 0))
        try:
            await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", hub.port))
        except ConnectionError:
            raw.close()  # turned away at the door
            continue
        opened.append(await asyncio.open_connection(sock=raw))
    try:
        yield opened
    finally:
        for _, writer in opened:
            writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for _, writer in opened), return_exceptions=True)


async def together(attacks: list[Coroutine[Any, Any, None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for attack in attacks:
            group.create_task(attack)


async def ends(reader: asyncio.StreamReader) -> bytes:
    """All that is said until the connection ends."""
    said = b""
    async with asyncio.timeout(5):
        with suppress(ConnectionError):
            while part := await reader.read(65_536):
                said += part
    return said


async def trickle(hub: Hub, octets: bytes, statuses: tuple[bytes, ...]) -> None:
    """One octet at a time, until the node has had enough."""
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    answer = asyncio.create_task(ends(reader))
    for at in range(len(octets)):
        if answer.done():
            break
        with suppress(ConnectionError):
            writer.write(octets[at : at + 1])
            await writer.drain()
        await asyncio.wait([answer], timeout=TRICKLE_S)
    assert (await answer).split(b" ")[1:2] in [[status] for status in statuses]
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


# ---------------------------------------------------------------------- slow


async def test_E2_slow_writers_of_heads_and_bodies() -> None:
    """Slowloris: heads that never end, header by header and octet by octet; bodies that never come."""
    request = post_octets(prepare_octets("test.sink.x"), HOSTILE_TOKEN)
    end = request.index(b"\r\n\r\n") + 4

    async def attack(hub: Hub) -> None:
        kinds = [request, request[end - 8 : end] + request, b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 500]
        await together([trickle(hub, kinds[i % 3], (b"408", b"400")) for i in range(HOSTILE_SOCKETS)])
        assert hub.node.connector.peers["hostile/http"].prepares == 0  # type: ignore[index]

    await under(attack)


async def test_E2_bodies_that_do_not_come() -> None:
    async def attack(hub: Hub) -> None:
        async with sockets(hub, HOSTILE_SOCKETS) as opened:
            for _, writer in opened:
                writer.write(post_octets(prepare_octets("test.sink.x"), HOSTILE_TOKEN)[:-1])
            for reader, _ in opened:
                assert (await ends(reader)).startswith(b"HTTP/1.1 408")

    await under(attack)


async def test_D11_slow_readers_are_cut_off_and_their_packets_cost_no_memory() -> None:
    """Requests upon requests, and not one answer read: the node stops reading, then hangs up."""

    async def attack(hub: Hub) -> None:
        async with sockets(hub, 8, receive_buffer=4_096) as opened:
            for _, writer in opened:
                writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a transport that reads
                writer.transport.set_write_buffer_limits(high=0)
                page = b"GET /api/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
                writer.write(page * 2_000)
            async with asyncio.timeout(10):
                while hub.node._listener.connections > 3:  # type: ignore[union-attr]  # noqa: ASYNC110
                    await asyncio.sleep(TRICKLE_S)

    await under(attack)


async def test_E2_a_thousand_idle_sockets() -> None:
    """More than the port takes: the idle ones make room for those who have packets."""

    async def attack(hub: Hub) -> None:
        async with sockets(hub, 1_000) as opened:
            reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
            for _ in range(20):
                writer.write(post_octets(prepare_octets(hub.destination)))
                assert (await read_response(reader))[0] == 200
            writer.close()
            await writer.wait_closed()
            for reader, _ in opened[:100]:
                assert await ends(reader) == b""

    await under(attack)


# ---------------------------------------------------------------------- too much

EMPTY = post_octets(b"", HOSTILE_TOKEN)
OVERSIZE = [
    ("announced body", EMPTY.replace(b"Length: 0", b"Length: 65537"), b"413"),
    (
        "announced body beyond counting",
        EMPTY.replace(b"Length: 0", b"Length: " + b"9" * 18),
        b"413",
    ),
    ("ILP body", post_octets(bytes(34_817), HOSTILE_TOKEN, headers=b"Connection: close\r\n"), b"413"),
    ("head", b"GET / HTTP/1.1\r\nHost: hub\r\nX: " + b"a" * 9_000 + b"\r\n\r\n", b"431"),
    ("head without end", b"GET / HTTP/1.1\r\nHost: hub\r\nX: " + b"a" * 100_000, b"431"),
    ("target", b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: hub\r\n\r\n", b"431"),
    ("65 headers", b"GET / HTTP/1.1\r\nHost: hub\r\n" + b"A: b\r\n" * 65 + b"\r\n", b"431"),
    (
        "chunks of one octet",
        b"POST /ilp HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 70_000,
        b"413",
    ),
    (
        "chunk extensions",
        b"POST /ilp HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"a" * 700_000,
        b"413",
    ),
]


async def test_E2_oversize_heads_and_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    # Strangers are read in turn: what so many send at once takes longer than the short time-out of the others.
    monkeypatch.setattr("interledger.link.listener.Limits", partial(Limits, sweep_ms=50, linger_ms=100))

    async def one(hub: Hub, octets: bytes, status: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        answer = asyncio.create_task(ends(reader))
        with suppress(ConnectionError):
            writer.write(octets)
            await writer.drain()
        said = await answer
        assert said.split(b" ")[1] == status, (octets[:80], said[:200])
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def attack(hub: Hub) -> None:
        for _ in range(10):
            await together([one(hub, octets, status) for _, octets, status in OVERSIZE])

    await under(attack)


# ---------------------------------------------------------------------- ambiguous


async def test_E1_the_smuggling_corpus_ends_its_connections_and_nothing_behind_it_is_read() -> None:
    """Each request of the corpus, with a packet of its own behind it: a refusal means that the packet is never seen."""
    packet = post_octets(prepare_octets("test.sink.x"), HOSTILE_TOKEN)

    async def one(hub: Hub, octets: bytes, status: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        writer.write(octets + packet)
        said = await ends(reader)
        # A 400 may come behind answers to whole requests in front of it; it is the last, and the connection ends.
        statuses = re.findall(rb"HTTP/1\.1 (\d\d\d) ", said)
        assert statuses[-1:] == [b"%d" % status], (octets, said)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def attack(hub: Hub) -> None:
        refused = [(octets, status) for octets, _, status in SMUGGLING if status and not http2.begins(octets)]
        assert len(refused) >= 60
        await together([one(hub, octets, status) for octets, status in refused])
        assert hub.node.connector.peers["hostile/http"].prepares == 0  # type: ignore[index]

    await under(attack)


# ---------------------------------------------------------------------- guessing


async def test_D1_guessed_tokens_open_nothing_and_hold_nobody_up() -> None:
    async def guess(hub: Hub, number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        writer.write(post_octets(prepare_octets(hub.destination), f"guess-{number}-0123456789"))
        said = await ends_or_answers(reader)
        assert said == b"" or said.startswith(b"HTTP/1.1 401"), said
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def attack(hub: Hub) -> None:
        await together([guess(hub, number) for number in range(60)])

    await under(attack)


async def ends_or_answers(reader: asyncio.StreamReader) -> bytes:
    with suppress(ConnectionError):
        return await reader.read(65_536)
    return b""


async def test_D2_a_guess_says_nothing_of_how_much_of_it_was_right() -> None:
    """Ever longer beginnings of the honest peer's token: the same answer each (their time: bench/token_timing)."""
    answers: set[tuple[int, bytes]] = set()

    async def guess(hub: Hub, length: int) -> None:
        async with sockets(hub, 1) as ((reader, writer),):
            token = HONEST_TOKEN[:length].ljust(len(HONEST_TOKEN), "0")
            writer.write(post_octets(prepare_octets("test.sink.x"), token))
            answers.add(await read_response(reader))

    async def attack(hub: Hub) -> None:
        await together([guess(hub, length) for length in (0, 1, 2, 4, 8, 16, 18, 20, 21, 22)])

    await under(attack)
    assert [status for status, _ in answers] == [401]


# ---------------------------------------------------------------------- packets with ids


def with_ids(link: LinkSettings, port: int) -> LinkSettings:
    """RFC 35's asynchronous form, with a peer at `port`."""
    url = f"http://127.0.0.1:{port}/ilp"
    return replace(link, http_form=HttpForm.ASYNC, http_url=url, http_outgoing_token="t", http_callback_url=url)


async def test_HT_11_poisoned_callbacks_are_never_called() -> None:
    """A flood of Prepares that name other addresses than the configured one for their answers."""
    called: list[object] = []

    def trap(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.append(writer)
        writer.close()

    async def attack(hub: Hub) -> None:
        server = await asyncio.start_server(trap, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        hostile = hub.node.account(AccountId("hostile"))
        await hub.node.replace_account(replace(hostile, link=with_ids(hostile.link, 9)))
        poisons = (
            f"http://127.0.0.1:{port}/ilp",
            f"http://127.0.0.1:{port}",
            f"http://127.0.0.1:9@127.0.0.1:{port}/ilp",
        )
        async with server, sockets(hub, 3) as opened:
            for number in range(200):
                for (_, writer), poison in zip(opened, poisons, strict=True):
                    fields = f"Request-Id: {number}\r\nCallback-Url: {poison}\r\n".encode()
                    writer.write(post_octets(prepare_octets("test.sink.x"), HOSTILE_TOKEN, headers=fields))
                statuses = [(await read_response(reader))[0] for reader, _ in opened]
                assert set(statuses) == {200}, statuses  # answered there and then, as in the synchronous form
        assert called == []

    await under(attack)


async def test_D7_another_peers_request_ids_over_http() -> None:
    """The hostile peer answers what was sent to another, with its very ids and a fulfillment that fits."""
    asked: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A peer of the asynchronous form that takes packets and never answers them."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(request.partition(b"content-length:")[2].partition(b"\r\n")[0]))
                asked.append(request.partition(b"request-id: ")[2].partition(b"\r\n")[0])
                writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def attack(hub: Hub) -> None:
        server = await asyncio.start_server(take, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        other = account("other", "USD/9", "test.other", Relation.PEER, with_ids(LinkSettings(), port))
        await hub.node.create_account(other)
        hostile = hub.node.account(AccountId("hostile"))
        await hub.node.replace_account(replace(hostile, link=with_ids(hostile.link, 9)))
        fulfill = Fulfill(bytes(32)).encode()
        async with server, sockets(hub, 1) as ((reader, writer),), sockets(hub, 1) as ((_, asking),):
            for _ in range(50):
                asking.write(post_octets(prepare_octets("test.other.x", lifetime_ms=2_000)))
            async with asyncio.timeout(5):
                while len(asked) < 50:  # noqa: ASYNC110
                    await asyncio.sleep(TRICKLE_S)
            for request_id in asked:
                writer.write(post_octets(fulfill, HOSTILE_TOKEN, headers=b"Request-Id: %b\r\n" % request_id))
                assert (await read_response(reader))[0] == 400
            assert net(hub.node, "other") == net(hub.node, "hostile") == 0
            async with asyncio.timeout(10):
                while hub.node.ledger.holds:  # noqa: ASYNC110
                    await asyncio.sleep(TRICKLE_S)

    async with arena(min_message_window_ms=100) as hub, honest_http(hub) as send:
        (await beside(send, attack(hub))).check()
        assert net(hub.node, "other") == 0


# ---------------------------------------------------------------------- HTTP/2


async def test_E3_floods_of_http_2() -> None:
    async def one(hub: Hub, flood: Any) -> None:
        async with http2_client(hub.port) as client:
            client.writer.write(flood(client))
            assert await client.wait_closed() != 0

    async def attack(hub: Hub) -> None:
        for _ in range(5):
            await together([one(hub, flood) for _, flood in FLOODS])

    await under(attack)


async def test_E3_rapid_resets_of_real_packets() -> None:
    """Packets that reach the books, given up at once: each connection gets no further than its budget."""

    async def one(hub: Hub) -> None:
        async with http2_client(hub.port) as client:
            body = prepare_octets(hub.destination)
            fields = [("authorization", f"Bearer {HOSTILE_TOKEN}"), ("content-length", str(len(body)))]
            octets = b"".join(
                frame(1, 4, stream, head(*fields)) + frame(0, 1, stream, body) + frame(3, 0, stream, b"\0\0\0\x08")
                for stream in range(1, 4 * http2.RESETS_MAX, 2)
            )
            client.writer.write(octets)
            assert await client.wait_closed() != 0

    async def attack(hub: Hub) -> None:
        for _ in range(5):
            await together([one(hub) for _ in range(4)])
        async with asyncio.timeout(10):
            while hub.node.ledger.holds:  # noqa: ASYNC110
                await asyncio.sleep(TRICKLE_S)

    await under(attack)


async def test_E3_windows_that_stay_shut(monkeypatch: pytest.MonkeyPatch) -> None:
    # Requests of one source for the application wait for each other: longer than the short time-out of the others.
    monkeypatch.setattr("interledger.link.listener.Limits", partial(Limits, write_timeout_ms=300, sweep_ms=50))

    async def one(hub: Hub) -> None:
        async with http2_client(hub.port) as client:
            client.consumes = False
            streams = [client.begin([], method="GET", path="/api/openapi.json", body=b"") for _ in range(50)]
            await client.flush()
            answers = [await client.wait(stream) for stream in streams]
            assert any(answer.reset == 8 for answer in answers)

    async def attack(hub: Hub) -> None:
        await together([one(hub) for _ in range(8)])

    await under(attack)


async def test_E3_bodies_that_trickle_over_many_streams() -> None:
    async def one(hub: Hub) -> None:
        async with http2_client(hub.port) as client:
            fields = [("authorization", f"Bearer {HOSTILE_TOKEN}")]
            streams = [client.begin(fields, body=None) for _ in range(100)]
            for stream in streams:
                client.protocol.send_data(stream, b"x")
            await client.flush()
            for stream in streams:
                assert (await client.wait(stream)).status == 408

    async def attack(hub: Hub) -> None:
        await together([one(hub) for _ in range(8)])

    await under(attack)
