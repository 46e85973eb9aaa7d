"""The general client: what it returns, what it refuses to do, and the sentences of its errors."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from interledger.errors import InvalidRequestError, LinkError
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import (
    AnswerError,
    FetchTimeoutError,
    NameNotFoundError,
    NotAllowedError,
    RefusedError,
    Response,
    TooLargeError,
    fetch,
    fetch_stream,
)
from interledger.link.http.urls import IpAddress

DEV = EgressPolicy(development=True)
LOOPBACK: list[IpAddress] = [ipaddress.ip_address("127.0.0.1")]


class Names:
    """A resolver from a table; each answer is used once, the last one for ever."""

    def __init__(self, **answers: list[str]) -> None:
        self.answers = {name.replace("_", "."): list(found) for name, found in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[IpAddress]:
        self.asked.append(host)
        found = self.answers.get(host)
        if found is None:
            raise OSError(-2, "Name or service not known")
        answer = found.pop(0) if len(found) > 1 else found[0]
        return [ipaddress.ip_address(text) for text in answer.split()]


class Site:
    """A server that answers each request by its path."""

    def __init__(self, pages: dict[str, bytes], wait: float = 0) -> None:
        self.pages = pages
        self.wait = wait
        self.requests: list[str] = []
        self.port = 0

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = head.partition("content-length: ")[2].partition("\r\n")[0]
            content = (await reader.readexactly(int(length or 0))).decode()
            self.requests.append(head + content)
            writer.write(self.pages[head.split()[1]].replace(b"PORT", b"%d" % self.port))
            await writer.drain()
            await asyncio.sleep(self.wait)
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def site(pages: dict[str, bytes], wait: float = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    result = Site(pages, wait)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        await result.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    result.port = server.sockets[0].getsockname()[1]
    try:
        yield result
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def ok(body: bytes = b"hello", headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%b\r\n%b" % (len(body), headers, body)


def to(location: str, status: int = 302) -> bytes:
    return b"HTTP/1.1 %d X\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % (status, location.encode())


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (ok(), 200, b"hello"),
        (ok(b""), 200, b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", 200, b"hello"),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", 200, b"hello"),
        (b"HTTP/1.1 404 Nope\r\nContent-Length: 2\r\n\r\nno", 404, b"no"),
        (b"HTTP/1.1 204 X\r\n\r\n", 204, b""),
        (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + ok(), 200, b"hello"),
        (ok() + b"garbage behind", 200, b"hello"),
        (to("/x"), 302, b""),
    ],
    ids=range(9),
)
async def test_answers(answer: bytes, status: int, body: bytes) -> None:
    async with site({"/a?b=c": answer}) as server:
        response = await fetch("GET", server.url("/a?b=c"), egress=DEV)
        assert (response.status, response.body, response.url) == (status, body, server.url("/a?b=c"))
        assert "link" not in response.headers
        assert server.requests == [
            f"GET /a?b=c HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\nuser-agent: interledger-py\r\naccept: */*\r\n"
            "connection: close\r\n\r\n"
        ]


async def test_a_request_with_a_body_and_headers() -> None:
    async with site({"/": ok(headers=b"X-A: b\r\nX-a: c\r\n")}) as server:
        response = await fetch("POST", server.url(), headers={"Accept": "a/b", "X-Y": "ä"}, body=b"hi", egress=DEV)
        assert response.headers == {"content-length": "5", "x-a": "c"}
        request = server.requests[0]
        assert "accept: a/b\r\n" in request
        assert "x-y: ä\r\n" in request
        assert request.endswith("content-length: 2\r\n\r\nhi")
        await fetch("POST", server.url(), egress=DEV)
        assert "content-length: 0\r\n" in server.requests[1]


async def test_HEAD_has_no_body() -> None:
    async with site({"/": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"}) as server:
        response = await fetch("HEAD", server.url(), egress=DEV)
        assert (response.status, response.body) == (200, b"")


@pytest.mark.parametrize("headers", [{"a": "b\r\nc: d"}, {"a\n": "b"}, {"a": "\x00"}])
async def test_headers_that_would_be_two(headers: dict[str, str]) -> None:
    async with site({"/": ok()}) as server:
        with pytest.raises(InvalidRequestError):
            await fetch("GET", server.url(), headers=headers, egress=DEV)
        with pytest.raises(InvalidRequestError):
            await fetch("GET /x", server.url(), egress=DEV)
        assert server.requests == []


@pytest.mark.parametrize(
    ("answer", "error", "sentence"),
    [
        (ok(b"a" * 101), TooLargeError, "larger than 100 octets"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 101, TooLargeError, "larger than 100 octets"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + b"a" * 101, TooLargeError, "larger"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000, TooLargeError, "headers"),
        (b"", AnswerError, "breaks off"),
        (b"HTTP/1.1 200", AnswerError, "breaks off"),
        (ok()[:-1], AnswerError, "breaks off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n", AnswerError, "breaks off"),
        (b"SSH-2.0-x\r\n", AnswerError, "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", AnswerError, "not HTTP"),
        (b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", AnswerError, "not HTTP"),
    ],
    ids=range(11),
)
async def test_F3_answers_that_cannot_be_used(answer: bytes, error: type[LinkError], sentence: str) -> None:
    async with site({"/": answer}) as server:
        with pytest.raises(error, match=sentence):
            await fetch("GET", server.url(), limit_octets=100, egress=DEV)


async def test_a_reset_in_the_middle() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    server = await asyncio.start_server(reset, "127.0.0.1", 0)
    with pytest.raises(AnswerError, match=r"broke|breaks off"):
        await fetch("GET", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", egress=DEV)
    server.close()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"])
async def test_F3_slow_answers_end(answer: bytes) -> None:
    async with site({"/": answer}, wait=5) as server:
        with pytest.raises(FetchTimeoutError, match="in time"):
            await fetch("GET", server.url(), timeout_ms=30, egress=DEV)


async def test_cancelling_is_no_time_out() -> None:
    async with site({"/": b""}, wait=5) as server:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.03):
                await fetch("GET", server.url(), timeout_ms=5000, egress=DEV)


async def test_nobody_there_and_no_name() -> None:
    async with site({}) as server:
        url = server.url()
    with pytest.raises(RefusedError, match="cannot be reached"):
        await fetch("GET", url, egress=DEV)
    with pytest.raises(NameNotFoundError, match=r"the name a\.example is not found"):
        await fetch("GET", "http://a.example/", egress=DEV, resolve=Names())
    with pytest.raises(NameNotFoundError):
        await fetch("GET", "http://a.example/", egress=DEV, resolve=Names(a_example=[""]))


async def test_the_next_address_is_tried() -> None:
    async with site({"/": ok()}) as server:
        names = Names(a_example=["127.0.0.2 127.0.0.1"])
        response = await fetch("GET", server.url(host="a.example"), egress=DEV, resolve=names)
        assert response.status == 200
        assert f"host: a.example:{server.port}\r\n" in server.requests[0]


# ---------------------------------------------------------------- F1: whom we call

PUBLIC = "93.184.216.34"


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("http://public.example/", {}),
        ("https://127.0.0.1/", {}),
        ("https://127.1/", {}),
        ("https://0x7f.1/", {}),
        ("https://2130706433/", {}),
        ("https://0177.0.0.1/", {}),
        ("https://0/", {}),
        ("https://0.0.0.0/", {}),
        ("https://[::]/", {}),
        ("https://[::1]/", {}),
        ("https://[::ffff:127.0.0.1]/", {}),
        ("https://[::ffff:a00:1]/", {}),
        ("https://[64:ff9b::7f00:1]/", {}),
        ("https://[fe80::1]/", {}),
        ("https://[fd00::1]/", {}),
        ("https://[2002:7f00:1::]/", {}),
        ("https://10.0.0.1/", {}),
        ("https://172.16.0.1/", {}),
        ("https://192.168.1.1/", {}),
        ("https://169.254.169.254/latest/meta-data", {}),
        ("https://100.64.0.1/", {}),
        ("https://224.0.0.1/", {}),
        ("https://255.255.255.255/", {}),
        ("https://user@public.example/", {}),
        ("https://public.example\\@127.0.0.1/", {}),
        ("https://public.example#@127.0.0.1:x/", {"public_example": ["127.0.0.1"]}),
        ("https://localhost/", {"localhost": ["127.0.0.1 ::1"]}),
        ("https://local.example/", {"local_example": ["127.0.0.1"]}),
        ("https://local.example/", {"local_example": ["::1"]}),
        ("https://local.example/", {"local_example": ["::ffff:127.0.0.1"]}),
        ("https://local.example/", {"local_example": ["::ffff:7f00:1"]}),
        ("https://nat.example/", {"nat_example": ["64:ff9b::a00:1"]}),
        ("https://private.example/", {"private_example": ["10.1.2.3"]}),
        ("https://private.example/", {"private_example": ["172.31.255.254"]}),
        ("https://private.example/", {"private_example": ["192.168.0.10"]}),
        ("https://private.example/", {"private_example": ["fc00::5"]}),
        ("https://meta.example/", {"meta_example": ["169.254.169.254"]}),
        ("https://meta.example/", {"meta_example": ["fd00:ec2::254"]}),
        ("https://link.example/", {"link_example": ["fe80::1%1"]}),
        ("https://mixed.example/", {"mixed_example": [f"{PUBLIC} 127.0.0.1"]}),
        ("https://mixed.example/", {"mixed_example": [f"127.0.0.1 {PUBLIC}"]}),
        ("https://mixed.example/", {"mixed_example": ["2606:4700::1111 ::1"]}),
        ("https://multi.example/", {"multi_example": ["239.1.1.1"]}),
        ("https://multi.example/", {"multi_example": ["ff02::1"]}),
        ("https://zero.example/", {"zero_example": ["0.0.0.0"]}),
        ("https://bench.example/", {"bench_example": ["198.18.0.1"]}),
        ("ftp://public.example/", {}),
        ("file:///etc/passwd", {}),
        ("gopher://public.example/", {}),
        ("//public.example/", {}),
    ],
)
async def test_F1_not_allowed(url: str, names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    async def connected(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(asyncio, "open_connection", connected)
    with pytest.raises(NotAllowedError):
        await fetch("GET", url, egress=EgressPolicy(), resolve=Names(**names))


async def test_F1_the_checked_address_is_the_one_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the second answer of the name would be this machine; it is never asked for."""
    called: list[tuple[str, int, str]] = []

    async def connected(host: str, port: int, *, ssl: object, server_hostname: str, limit: int) -> None:
        called.append((host, port, server_hostname))
        raise OSError(111, "Connection refused")

    monkeypatch.setattr(asyncio, "open_connection", connected)
    names = Names(a_example=[PUBLIC, "127.0.0.1"])
    with pytest.raises(RefusedError, match="Connection refused"):
        await fetch("GET", "https://a.example/", egress=EgressPolicy(), resolve=names)
    assert called == [(PUBLIC, 443, "a.example")]
    assert names.asked == ["a.example"]


async def test_who_was_named_by_the_operator_is_called() -> None:
    async with site({"/": ok()}) as server:
        policy = EgressPolicy(allowed=frozenset({f"127.0.0.1:{server.port}"}))
        assert (await fetch("GET", server.url(), egress=policy)).status == 200
        with pytest.raises(NotAllowedError, match="only https"):
            await fetch("GET", server.url(), egress=EgressPolicy())


# ---------------------------------------------------------------- redirects

Follow = Callable[[str], Awaitable[Response]]


async def test_redirects_are_followed_as_far_as_asked() -> None:
    pages = {"/1": to("/2", 301), "/2": to("http://127.0.0.1:PORT/3", 303), "/3": to("/4", 307), "/4": ok()}
    async with site(pages) as server:
        assert (await fetch("GET", server.url("/1"), egress=DEV)).status == 301
        assert (await fetch("GET", server.url("/1"), egress=DEV, redirects=2)).status == 307
        response = await fetch("GET", server.url("/1"), egress=DEV, redirects=3)
        assert (response.body, response.url) == (b"hello", server.url("/4"))
        assert (await fetch("POST", server.url("/1"), egress=DEV, redirects=3)).status == 301


async def test_a_loop_ends() -> None:
    async with site({"/": to("/")}) as server:
        assert (await fetch("GET", server.url(), egress=DEV, redirects=99)).status == 302
        assert len(server.requests) == 6


async def test_307_and_308_keep_method_and_body() -> None:
    async with site({"/1": to("/2", 308), "/2": ok()}) as server:
        await fetch("POST", server.url("/1"), body=b"hi", egress=DEV, redirects=1)
        assert [request.split()[0] for request in server.requests] == ["POST", "POST"]
        assert server.requests[1].endswith("hi")


async def test_secrets_stay_with_their_origin() -> None:
    names = Names(a_example=["127.0.0.1"], b_example=["127.0.0.1"])
    pages = {"/1": to("/2"), "/2": to("http://b.example:PORT/3"), "/3": ok()}
    async with site(pages) as server:
        headers = {"Authorization": "Bearer secret", "Cookie": "c", "X-Other": "o"}
        url = server.url("/1", host="a.example")
        await fetch("GET", url, headers=headers, egress=DEV, redirects=5, resolve=names)
        assert ["secret" in request for request in server.requests] == [True, True, False]
        assert ["x-other" in request for request in server.requests] == [True, True, True]


@pytest.mark.parametrize(
    "location",
    ["http://10.0.0.1/", "http://[fe80::1]/", "http://private.example/", "ftp://x/", "//x/", "http://0x7f.1/"],
)
async def test_F1_each_redirect_is_judged(location: str) -> None:
    async with site({"/": to(location)}) as server:
        with pytest.raises(NotAllowedError):
            await fetch("GET", server.url(), egress=DEV, redirects=1, resolve=Names(private_example=["10.0.0.1"]))


async def test_a_redirect_without_a_place_is_an_answer() -> None:
    async with site({"/": b"HTTP/1.1 302 X\r\nContent-Length: 0\r\n\r\n"}) as server:
        assert (await fetch("GET", server.url(), egress=DEV, redirects=1)).status == 302


# ---------------------------------------------------------------- TLS, streams


async def test_TLS_checks_the_name(tls_contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server_tls, client_tls = tls_contexts
    names = Names(localhost=["127.0.0.1"], other_example=["127.0.0.1"])
    async with site({"/": ok(), "/down": to("http://localhost:PORT/")}, tls=server_tls) as server:

        async def get(path: str, host: str, tls: ssl.SSLContext | None) -> Response:
            url = server.url(path, host=host, scheme="https")
            return await fetch("GET", url, egress=DEV, resolve=names, tls=tls, redirects=1)

        assert (await get("/", "localhost", client_tls)).status == 200
        with pytest.raises(RefusedError, match="its certificate is not good"):
            await get("/", "other.example", client_tls)
        with pytest.raises(RefusedError, match="its certificate is not good"):
            await get("/", "localhost", None)
        with pytest.raises(NotAllowedError, match="from https to http"):
            await get("/down", "localhost", client_tls)


async def test_an_answer_without_an_end_comes_in_parts() -> None:
    lines = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"a":1}\n\r\n8\r\n{"a":2}\n\r\n'
    async with site({"/": lines}, wait=5) as server:
        seen = b""
        async with fetch_stream("GET", server.url(), egress=DEV) as answer:
            assert answer.status == 200
            async for part in answer:
                seen += part
                if seen.count(b"\n") == 2:
                    break
        assert seen == b'{"a":1}\n{"a":2}\n'


async def test_a_stream_that_ends() -> None:
    async with site({"/": ok()}) as server, fetch_stream("GET", server.url(), egress=DEV) as answer:
        assert b"".join([part async for part in answer]) == b"hello"
