"""HTTP/2 on the port, spoken by another implementation: requests, answers, refusals, and every budget spent."""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import Callable

import h2.errors
import h2.settings
import hpack
import pytest

from interledger.ilp.packet import Fulfill
from interledger.link.http import http2
from interledger.link.http.messages import ILP_BODY_MAX
from interledger.link.http.port import Limits
from tests.link.test_listener import FULFILL, PREPARE, running, until
from tests.support.http2_client import Answer, Http2Client, http2_client

TOKEN = ("authorization", "Bearer t")
TYPE = ("content-type", "application/octet-stream")
LENGTH = ("content-length", str(len(PREPARE)))
HEADERS = [TOKEN, TYPE, LENGTH]
CALM = int(h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def head(*fields: tuple[str, str], path: str = "/ilp") -> bytes:
    """A head, packed without the table, for frames that no library writes."""
    return hpack.Encoder().encode(
        [(":method", "POST"), (":scheme", "http"), (":authority", "x"), (":path", path), *fields], huffman=False
    )


# ---------------------------------------------------------------------- what works


@pytest.mark.parametrize("over_tls", [True, False], ids=["ALPN", "prior knowledge"])
async def test_HT_12_packets_over_one_connection(
    tls_contexts: tuple[ssl.SSLContext, ssl.SSLContext], over_tls: bool
) -> None:
    server, client_context = tls_contexts if over_tls else (None, None)
    async with running(tls=server) as rig, http2_client(rig.listener.port, client_context) as client:
        streams = [client.begin(HEADERS, body=PREPARE) for _ in range(100)]
        await client.flush()
        for stream in streams:
            answer = await client.wait(stream)
            assert (answer.status, answer.body, answer.reset) == (200, FULFILL.encode(), None)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-length"] == str(len(answer.body))
        assert "date" in answer.headers
        assert (rig.listener.connections, rig.listener.requests, rig.side.prepares) == (1, 100, 100)
    assert not rig.ilp.refused_tokens


async def test_a_client_that_offers_only_http_1_gets_it(
    tls_contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    server, context = tls_contexts
    async with running(tls=server) as rig:
        context.set_alpn_protocols(["http/1.1"])
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", rig.listener.port, ssl=context, server_hostname="localhost"
        )
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()
        await writer.wait_closed()


async def test_answers_come_in_the_order_in_which_they_are_known() -> None:
    async with running(None) as rig, http2_client(rig.listener.port) as client:
        streams = [client.begin(HEADERS, body=PREPARE) for _ in range(3)]
        await client.flush()
        while len(rig.handler.got) < 3:
            await client.request([], method="GET", path="/")
        for index in (2, 0, 1):
            reply = Fulfill(bytes(32), b"%d" % index)
            rig.side.send_reply(rig.handler.got[index], reply)
            assert (await client.wait(streams[index])).body == reply.encode()


async def test_the_application_is_the_same_as_over_http_1() -> None:
    async with running() as rig, http2_client(rig.listener.port) as client:
        answer = await client.request([("x-a", "b"), ("cookie", "a=1"), ("cookie", "b=2")], method="GET", path="/?q=1")
        assert (answer.status, answer.ended) == (200, True)
        assert "connection" not in answer.headers
        assert "transfer-encoding" not in answer.headers
        heads = await client.request([], method="HEAD", path="/")
        assert (heads.status, heads.body, heads.ended) == (200, b"", True)


async def test_a_long_answer_waits_for_the_clients_window() -> None:
    async with running(app=large) as rig, http2_client(rig.listener.port) as client:
        client.consumes = False
        stream = client.begin([], method="GET", path="/", body=b"")
        await client.flush()
        await client.request(HEADERS, body=PREPARE)  # others go on meanwhile
        assert len(client.answers[stream].body) <= 65_535
        client.protocol.increment_flow_control_window(2_000_000)
        client.protocol.increment_flow_control_window(2_000_000, stream)
        await client.flush()
        assert len((await client.wait(stream)).body) == 1_000_000


async def large(scope: object, receive: object, send: Callable[..., object]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[misc]
    for _ in range(10):
        await send({"type": "http.response.body", "body": bytes(100_000), "more_body": True})  # type: ignore[misc]
    await send({"type": "http.response.body"})  # type: ignore[misc]


async def broken(scope: object, receive: object, send: Callable[..., object]) -> None:
    raise RuntimeError("a surprise")


async def test_an_application_that_fails_is_a_500_of_its_stream(caplog: pytest.LogCaptureFixture) -> None:
    async with running(app=broken) as rig, http2_client(rig.listener.port) as client:
        assert (await client.request([], method="GET", path="/")).status == 500
        assert (await client.request(HEADERS, body=PREPARE)).status == 200
    assert "the application failed" in caplog.text


async def test_HT_05_a_wrong_token_is_a_401_of_its_stream() -> None:
    async with running() as rig, http2_client(rig.listener.port) as client:
        wrong = await client.request([("authorization", "Bearer nobody"), TYPE, LENGTH], body=PREPARE)
        assert (wrong.status, wrong.headers["www-authenticate"]) == (401, "Bearer")
        assert (await client.request(HEADERS, body=PREPARE)).status == 200


async def test_a_stream_that_the_client_gave_up_is_not_answered() -> None:
    async with running(None) as rig, http2_client(rig.listener.port) as client:
        stream = client.begin(HEADERS, body=PREPARE)
        await client.flush()
        await client.request([], method="GET", path="/")
        client.protocol.reset_stream(stream)
        await client.flush()
        await client.request([], method="GET", path="/")
        rig.side.send_reply(rig.handler.got[0], FULFILL)
        assert rig.side.replies_dropped == 1
        assert (await client.request([], method="GET", path="/")).status == 200


async def test_a_node_that_stops_says_goodbye_when_the_last_answer_left() -> None:
    async with running(None) as rig, http2_client(rig.listener.port) as client:
        stream = client.begin(HEADERS, body=PREPARE)
        await client.flush()
        await client.request([], method="GET", path="/")
        stopping = asyncio.create_task(rig.listener.stop(5_000))
        await asyncio.sleep(0)
        rig.side.send_reply(rig.handler.got[0], FULFILL)
        assert (await client.wait(stream)).body == FULFILL.encode()
        assert await client.wait_closed() == 0
        await stopping


# ---------------------------------------------------------------------- what is refused, with its stream

REFUSED = [
    ("path", {"path": "/a#b"}, [], 400),
    ("absolute target", {"path": "http://hub/"}, [], 400),
    ("target with a space", {"path": "/a b"}, [], 400),
    ("method", {"method": "TRACE"}, [], 501),
    ("CONNECT", {"method": "CONNECT"}, [], 405),
    ("two hosts", {}, [("host", "elsewhere")], 400),
    ("two tokens", {}, [TOKEN, TOKEN], 400),
    ("head of 9 KiB", {}, [("x-a", "b" * 9_000)], 431),
    ("65 headers", {}, [(f"x-{i}", "") for i in range(65)], 431),
    ("announced body", {}, [("content-length", "65537")], 413),
]


@pytest.mark.parametrize(("more", "headers", "status"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
async def test_E1_requests_that_are_refused(more: dict[str, str], headers: list[tuple[str, str]], status: int) -> None:
    async with running() as rig, http2_client(rig.listener.port) as client:
        body = None if status == 413 else b""
        stream = client.begin(headers, body=body, **more)
        await client.flush()
        answer = await client.wait(stream)
        # The library refuses some of these by itself, by a reset of their stream.
        assert answer.status == status or answer.reset is not None
        assert rig.side.prepares == 0
        assert (await client.request(HEADERS, body=PREPARE)).status == 200


@pytest.mark.parametrize(
    "fields",
    [
        [("transfer-encoding", "chunked")],
        [("connection", "close")],
        [("upgrade", "websocket")],
        [("Authorization", "Bearer t")],
        [("x-a", "b\r\nauthorization: Bearer t")],
        [("x-a\r\nb", "c")],
        [("content-length", "1")],
        [("content-length", f"+{LENGTH[1]}")],
        [LENGTH, LENGTH],
        [("content-length", f"{LENGTH[1]}, {LENGTH[1]}")],
        [(":path", "/other")],
        [(":unknown", "x")],
    ],
    ids=str,
)
async def test_E1_smuggling_through_http_2_ends_with_its_stream(fields: list[tuple[str, str]]) -> None:
    async with running() as rig, http2_client(rig.listener.port) as client:
        stream = client.protocol.get_next_available_stream_id()
        client.answers[stream] = Answer()
        client.writer.write(frame(1, 4, stream, head(TOKEN, *fields)) + frame(0, 1, stream, PREPARE))
        assert (await client.wait(stream)).status in (0, 400)
        assert rig.side.prepares == 0


async def test_E1_only_the_first_octets_of_a_connection_begin_http_2() -> None:
    async with running() as rig, rig.client() as client:
        client.write(b"POST /ilp HTTP/1.1\r\nHost: x\r\nContent-Length: 24\r\n\r\n")
        await until(lambda: rig.listener.connections == 1)
        client.write(http2.PREFACE)
        assert (await client.response())[0] == 401
        client.write(http2.PREFACE)
        assert (await client.response())[0] == 400
        assert await client.closed()


async def test_a_body_beyond_the_limit_is_a_413() -> None:
    async with running(limits=Limits(body_max=1_000)) as rig, http2_client(rig.listener.port) as client:
        client.protocol.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 65_535})
        await client.request([], method="GET", path="/")
        stream = client.begin([], path="/", body=None)
        client.protocol.send_data(stream, bytes(1_000))
        client.writer.write(client.protocol.data_to_send() + frame(0, 0, stream, b"x"))
        answer = await client.wait(stream)
        assert answer.status in (0, 413)
        assert answer.reset is not None or client.closed


async def test_an_ilp_body_beyond_its_limit_is_a_413() -> None:
    async with running() as rig, http2_client(rig.listener.port) as client:
        stream = client.begin([TOKEN, TYPE], body=None)
        for part in (16_000, 16_000, ILP_BODY_MAX - 32_000 + 1):
            client.protocol.send_data(stream, bytes(part))
        client.protocol.end_stream(stream)
        await client.flush()
        assert (await client.wait(stream)).status == 413


async def test_headers_behind_a_body_are_refused() -> None:
    async with running() as rig, http2_client(rig.listener.port) as client:
        stream = client.begin([TOKEN, TYPE], body=None)
        client.protocol.send_data(stream, PREPARE)
        client.protocol.send_headers(stream, [("x-trailer", "1")], end_stream=True)
        await client.flush()
        assert (await client.wait(stream)).status == 400
        assert rig.side.prepares == 0


async def test_E3_an_application_does_not_begin_for_a_stream_that_is_reset_already() -> None:
    begun = 0

    async def app(scope: object, receive: object, send: Callable[..., object]) -> None:
        nonlocal begun
        begun += 1

    async with running(app=app) as rig, http2_client(rig.listener.port) as client:
        given_up = [frame(1, 5, s, head()) + frame(3, 0, s, b"\0\0\0\x08") for s in range(1, 60, 2)]
        client.writer.write(b"".join(given_up))
        await asyncio.sleep(0.1)
        assert begun == 0


# ---------------------------------------------------------------------- deadlines

FAST = Limits(request_timeout_ms=20, idle_timeout_ms=40, write_timeout_ms=40, sweep_ms=10)


async def test_a_request_that_does_not_end_gets_408() -> None:
    async with running(limits=FAST) as rig, http2_client(rig.listener.port) as client:
        stream = client.begin([TOKEN, TYPE], body=None)
        await client.flush()
        answer = await client.wait(stream)
        assert (answer.status, answer.reset) == (408, 0)


async def test_an_idle_connection_is_told_goodbye() -> None:
    async with running(limits=FAST) as rig, http2_client(rig.listener.port) as client:
        await client.request(HEADERS, body=PREPARE)
        assert await client.wait_closed() == 0


async def test_an_answer_that_nobody_reads_is_given_up() -> None:
    async with running(app=large, limits=FAST) as rig, http2_client(rig.listener.port) as client:
        client.consumes = False
        stream = client.begin([], method="GET", path="/", body=b"")
        await client.flush()
        assert (await client.wait(stream)).reset == 8


# ---------------------------------------------------------------------- budgets


def rapid_reset(client: Http2Client) -> bytes:
    return b"".join(
        frame(1, 5, stream, head(TOKEN)) + frame(3, 0, stream, struct.pack(">I", 8))
        for stream in range(1, 2 * http2.RESETS_MAX + 100, 2)
    )


def made_to_reset(client: Http2Client) -> bytes:
    """Streams that we have to reset: a window update of zero is an error of the stream."""
    return b"".join(
        frame(1, 4, stream, head(TOKEN)) + frame(8, 0, stream, bytes(4))
        for stream in range(1, 2 * http2.RESETS_MAX + 100, 2)
    )


def continuations(client: Http2Client) -> bytes:
    return frame(1, 0, 1, head()) + b"".join(frame(9, 0, 1) for _ in range(http2.CONTINUATIONS_MAX + 4))


def hpack_bomb(client: Http2Client) -> bytes:
    """One field of 4,000 octets in the table, then ten references to it of an octet each."""
    big = b"\x40\x01x" + b"\x7f\xa1\x1e" + b"a" * 4_000
    return frame(1, 5, 1, head() + big + b"\xbe" * 10)


FLOODS = [
    ("rapid reset", rapid_reset),
    ("made to reset", made_to_reset),
    ("pings", lambda _: frame(6, 0, 0, bytes(8)) * 2_000),
    ("settings", lambda _: frame(4, 0, 0) * 2_000),
    ("settings of many entries", lambda _: frame(4, 0, 0, struct.pack(">HI", 4, 1000) * 100) * 10),
    ("window updates", lambda _: frame(8, 0, 0, b"\0\0\0\1") * 2_000),
    ("empty frames of a body", lambda _: frame(1, 4, 1, head(TOKEN)) + frame(0, 0, 1) * 2_000),
    ("priorities", lambda _: frame(16, 0, 0, b"\0\0\0\1u=1") * 2_000),
    ("a head that never ends", continuations),
    ("HPACK bomb", hpack_bomb),
    ("a window that overflows", lambda _: frame(8, 0, 0, b"\x7f\xff\xff\xff") * 2),
    ("a frame that is too long", lambda _: frame(0, 0, 1, bytes(20_000))),
    ("a push", lambda _: frame(5, 4, 1, bytes(4))),
    ("streams beyond the limit", lambda _: b"".join(frame(1, 4, s, head(TOKEN)) for s in range(1, 600, 2))),
    ("not HTTP/2", lambda _: b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
]


@pytest.mark.parametrize("flood", [f[1] for f in FLOODS], ids=[f[0] for f in FLOODS])
async def test_E3_a_connection_that_abuses_http_2_is_cut_off(flood: Callable[[Http2Client], bytes]) -> None:
    async with running(None) as rig, http2_client(rig.listener.port) as client:
        client.protocol.max_inbound_frame_size = 1 << 20
        client.writer.write(flood(client))
        code = await client.wait_closed()
        assert code != 0
        async with http2_client(rig.listener.port) as honest:
            assert (await honest.request([], method="GET", path="/")).status == 200
        assert rig.listener.requests <= http2.RESETS_MAX + 2


async def test_E3_bodies_that_are_never_complete_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http2, "BUFFERED_MAX", 200_000)
    async with running() as rig, http2_client(rig.listener.port) as client:
        await client.request([], method="GET", path="/")
        for _ in range(10):
            stream = client.begin([TOKEN, TYPE], body=None)
            client.protocol.send_data(stream, bytes(16_000))
            client.protocol.send_data(stream, bytes(16_000))
        await client.flush()
        assert await client.wait_closed() == CALM
    assert rig.listener._shared.buffered == 0


async def test_E3_budgets_refill() -> None:
    budget = http2.Budget(10)
    budget.left -= 10
    assert not budget.is_spent
    budget.left -= 1
    assert budget.is_spent
    budget.refill(100)
    assert budget.left == 10
