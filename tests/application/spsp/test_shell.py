"""The SPSP client against a scripted web: redirects, retries, time limit, hostile servers."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from interledger.application.spsp.messages import CONTENT_TYPE, Transport, build_error, build_response
from interledger.application.spsp.shell import ACCEPT, SpspDetails, resolve
from interledger.errors import InvalidRequestError, LinkError, ResolveError
from interledger.ilp.address import Address
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import (
    AnswerError,
    FetchTimeoutError,
    NameNotFoundError,
    NotAllowedError,
    RefusedError,
    TooLargeError,
    fetch,
)

SECRET = bytes(range(32))
BODY = build_response(Address("test.bob.x"), SECRET)


@dataclass
class Answer:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": CONTENT_TYPE})
    body: bytes = BODY


def redirect(location: str, status: int = 302) -> Answer:
    return Answer(status, {"location": location}, b"")


@dataclass
class Web:
    """Answers each URL with the next of its script; the last one stays."""

    pages: dict[str, list[Answer | Exception]]
    asked: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    async def fetch(
        self, method: str, url: str, *, headers: Mapping[str, str], timeout_ms: int, limit_octets: int
    ) -> Answer:
        assert (method, headers["Accept"], limit_octets) == ("GET", ACCEPT, 65_536)
        assert 0 < timeout_ms <= 5_000
        self.asked.append(url)
        script = self.pages[url]
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def resolve(self, pointer: str, *, own_address: str | None = None, development: bool = False) -> SpspDetails:
        return await resolve(
            pointer, fetch=self.fetch, own_address=own_address, development=development, sleep=self.sleep
        )


BOB = "https://wallet.example/bob"


async def test_resolve() -> None:
    web = Web({BOB: [Answer(headers={"content-type": CONTENT_TYPE, "cache-control": "max-age=60"})]})
    assert await web.resolve("$wallet.example/bob") == SpspDetails(
        Address("test.bob.x"), SECRET, False, Transport.STREAM, 60, BOB, BOB
    )
    assert web.asked == [BOB]


@pytest.mark.parametrize(
    ("text", "development", "url"),
    [
        ("$wallet.example", False, "https://wallet.example/.well-known/pay"),
        ("https://wallet.example:8443/spsp?x=1", False, "https://wallet.example:8443/spsp?x=1"),
        ("$localhost:7770/bob", True, "http://localhost:7770/bob"),
    ],
)
async def test_SP_01_what_is_asked(text: str, development: bool, url: str) -> None:
    web = Web({url: [Answer()]})
    assert (await web.resolve(text, development=development)).endpoint == url


@pytest.mark.parametrize("text", ["bob", "http://wallet.example/bob", "$localhost:7770/bob", "$wallet.example?x"])
async def test_SP_01_unusable_pointers_ask_nobody(text: str) -> None:
    web = Web({})
    with pytest.raises(ResolveError):
        await web.resolve(text)
    assert web.asked == []


REDIRECTS = [
    ("https://pay.example/bob", "https://pay.example/bob", "pay.example"),
    ("/spsp/bob", "https://wallet.example/spsp/bob", None),
    ("bobby", "https://wallet.example/bobby", None),
    ("//pay.example/bob?id=1", "https://pay.example/bob?id=1", "pay.example"),
    ("../b", "https://wallet.example/b", None),
]


@pytest.mark.parametrize(("location", "url", "shown"), REDIRECTS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_show_both_hosts(location: str, url: str, shown: str | None, status: int) -> None:
    web = Web({BOB: [redirect(location, status)], url: [Answer()]})
    details = await web.resolve("$wallet.example/bob")
    assert (details.endpoint, details.answered_by, details.redirected_to) == (BOB, url, shown)


BAD_REDIRECTS = [
    ("http://wallet.example/bob", "not https"),
    ("http://localhost:7770/bob", "development only"),
    ("https://user@pay.example/", "user name"),
    ("ftp://pay.example/", "not https"),
    ("https://pay.example/a b", "space"),
    ("https://[::1/", "cannot be used"),
    ("", "redirects to nowhere"),
]


@pytest.mark.parametrize(("location", "reason"), BAD_REDIRECTS)
async def test_bad_redirects(location: str, reason: str) -> None:
    web = Web({BOB: [redirect(location)]})
    with pytest.raises(ResolveError, match=reason):
        await web.resolve("$wallet.example/bob")
    assert web.asked == [BOB]


async def test_redirect_loop_ends() -> None:
    web = Web({BOB: [redirect("/bob")]})
    with pytest.raises(ResolveError, match="more than 3 times"):
        await web.resolve("$wallet.example/bob")
    assert len(web.asked) == 4


TRANSIENT: list[Answer | Exception] = [
    RefusedError("connection refused"),
    FetchTimeoutError("not in time"),
    AnswerError("the answer breaks off"),
    LinkError("something else"),
    OSError("no route"),
    TimeoutError("slow"),
    Answer(status=503, body=b"busy"),
    Answer(status=429, body=b""),
]


@pytest.mark.parametrize("trouble", TRANSIENT)
async def test_transient_failures_are_tried_again(trouble: Answer | Exception) -> None:
    web = Web({BOB: [trouble, trouble, trouble, Answer()]})
    assert (await web.resolve("$wallet.example/bob")).destination_account == "test.bob.x"
    assert web.waits == [0.01, 0.5, 2.5]


@pytest.mark.parametrize("trouble", TRANSIENT)
async def test_three_retries_are_all(trouble: Answer | Exception) -> None:
    web = Web({BOB: [trouble]})
    with pytest.raises(ResolveError, match=r"nobody answers|cannot answer now|cannot be asked") as caught:
        await web.resolve("$wallet.example/bob")
    assert type(caught.value) is ResolveError
    assert len(web.asked) == 4


FINAL: list[tuple[str, Answer | Exception, str]] = [
    (
        "404",
        Answer(404, body=build_error("InvalidReceiverError", "Invalid receiver ID")),
        "no receiver .*Invalid receiver",
    ),
    ("404, a page", Answer(404, body=b"<html>"), r"there is no receiver at https://wallet.example/bob\. Is"),
    ("400", Answer(400, body=b"bad"), "refused to answer .status 400: bad."),
    ("403", Answer(403, body=b""), "status 403.$"),
    ("204", Answer(204, body=b""), "status 204"),
    ("206", Answer(206), "status 206"),
    ("web page", Answer(headers={"content-type": "text/html"}), "web page"),
    ("no type", Answer(headers={}), "no content type"),
    ("bad body", Answer(body=b"{"), f"{BOB}: .*cannot be read"),
    (
        "F1, forbidden address",
        NotAllowedError("its address 10.0.0.1 is private"),
        "cannot be asked: its address 10.0.0.1",
    ),
    (
        "name not found",
        NameNotFoundError("no such name"),
        r"nobody answers at .* \(no such name\). Is the pointer right",
    ),
    ("F3, huge answer", TooLargeError("more than 65536 octets"), "cannot be asked: more than"),
    ("our own mistake", InvalidRequestError("a header is odd"), "cannot be asked: a header"),
]


@pytest.mark.parametrize(("name", "answer", "reason"), FINAL, ids=[row[0] for row in FINAL])
async def test_final_failures_are_not_tried_again(name: str, answer: Answer | Exception, reason: str) -> None:
    web = Web({BOB: [answer]})
    with pytest.raises(ResolveError, match=reason):
        await web.resolve("$wallet.example/bob")
    assert (web.asked, web.waits) == ([BOB], [])


async def test_bug_in_fetch_is_not_hidden() -> None:
    web = Web({BOB: [ZeroDivisionError()]})
    with pytest.raises(ZeroDivisionError):
        await web.resolve("$wallet.example/bob")


async def test_F4_other_network() -> None:
    web = Web({BOB: [Answer()]})
    with pytest.raises(ResolveError, match="another network"):
        await web.resolve("$wallet.example/bob", own_address="g.me")


async def test_F3_slow_server_meets_the_time_limit() -> None:
    async def fetch(method: str, url: str, **_: object) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(ResolveError, match=r"did not answer within 0\.0 s"):
        await resolve("$wallet.example/bob", fetch=fetch, time_limit_ms=10)


async def test_the_secret_is_not_shown() -> None:
    details = await Web({BOB: [Answer()]}).resolve("$wallet.example/bob")
    assert "secret" not in repr(details)


async def test_the_real_fetch_against_a_real_server() -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        if seen[-1].startswith(b"GET /bob "):
            writer.write(b"HTTP/1.1 307 x\r\nLocation: /spsp/bob\r\nContent-Length: 0\r\n\r\n")
        else:
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {len(BODY)}\r\n\r\n"
            writer.write(head.encode() + BODY)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        ask = functools.partial(fetch, egress=EgressPolicy(development=True))
        details = await resolve(f"$127.0.0.1:{port}/bob", fetch=ask, development=True)
        with pytest.raises(ResolveError, match="may not be called: only https"):
            await resolve(
                f"$127.0.0.1:{port}/bob", fetch=functools.partial(fetch, egress=EgressPolicy()), development=True
            )
    assert (details.shared_secret, details.answered_by) == (SECRET, f"http://127.0.0.1:{port}/spsp/bob")
    assert details.redirected_to is None
    assert len(seen) == 2
    assert b"accept: application/spsp4+json, " in seen[0]
