"""The strict request reader: what it reads, what it refuses, and that the cut of the octets changes neither."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.link.http.heads import HEAD_OCTETS_MAX, HEADERS_MAX
from interledger.link.http.requests import CHUNKED_OVERHEAD, NAMES_KEPT, PIPELINED_MAX, RequestReader

H = b"Host: x\r\n"
G = b"GET /next HTTP/1.1\r\n" + H + b"\r\n"
CHUNKED = b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n"


def post(headers: bytes, body: bytes = b"abc") -> bytes:
    return b"POST / HTTP/1.1\r\n" + H + headers + b"\r\n" + body


def seen(octets: bytes, step: int = 0) -> tuple[list[str], int | None]:
    """What a reader makes of `octets`: method, target and body of each request, and the status of the refusal."""
    reader = RequestReader()
    parts = [octets[i : i + step] for i in range(0, len(octets), step)] if step else [octets]
    requests = []
    for part in parts:
        requests += reader.receive(part)
        if reader.refusal is not None:
            break
    lines = [f"{r.method.decode()} {r.target.decode()} {r.body.decode()}".strip() for r in requests]
    return lines, None if reader.refusal is None else reader.refusal.status


# E1: each line is a way in which two programs could see two different requests. Behind every one stands another
# request: a refusal means that it is never seen.
SMUGGLING = [
    # two lengths, and other lengths than a number
    (post(b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), [], 400),
    (post(b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", b"0\r\n\r\n"), [], 400),
    (post(b"Content-Length: 3\r\nContent-Length: 3\r\n"), [], 400),
    (post(b"Content-Length: 3\r\nContent-Length: 30\r\n"), [], 400),
    (post(b"Content-Length: 3, 3\r\n"), [], 400),
    (post(b"Content-Length: +3\r\n"), [], 400),
    (post(b"Content-Length: -3\r\n"), [], 400),
    (post(b"Content-Length: 0x3\r\n"), [], 400),
    (post(b"Content-Length: 3a\r\n"), [], 400),
    (post(b"Content-Length: 3 4\r\n"), [], 400),
    (post(b"Content-Length: \r\n"), [], 400),
    (post(b"Content-Length: \xef\xbc\x93\r\n"), [], 400),
    (post(b"Content-Length: 99999999999999999999999999\r\n"), [], 400),
    (post(b"Content-Length : 3\r\n"), [], 400),
    (post(b"Content-Length\t: 3\r\n"), [], 400),
    (post(b"Content-Length\x00: 3\r\n"), [], 400),
    # transfer encodings other than one `chunked`
    (post(b"Transfer-Encoding: identity\r\n"), [], 501),
    (post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"), [], 501),
    (post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), [], 501),
    (post(b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n"), [], 400),
    (post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n"), [], 400),
    (post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), [], 400),
    (post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n"), [], 400),
    (post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"), [], 400),
    (post(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"), [], 400),
    (post(b"Transfer_Encoding: chunked\r\nContent-Length: 0\r\n", b""), ["POST /", "GET /next"], None),
    (b"POST / HTTP/1.0\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [], 400),
    # line ends and folds
    (post(b"A: b\r\n folded\r\nContent-Length: 0\r\n", b""), [], 400),
    (post(b"A: b\r\n\tContent-Length: 3\r\n"), [], 400),
    (post(b"A: b\rContent-Length: 3\r\n"), [], 400),
    (post(b"A: b\r\r\nContent-Length: 3\r\n"), [], 400),
    (post(b"A: b\nContent-Length: 3\r\n"), [], 400),
    (b"POST / HTTP/1.1\nHost: x\nContent-Length: 0\n\n", [], 400),
    (b"POST / HTTP/1.1\rHost: x\r\n\r\n", [], 400),
    (b"POST / HTTP/1.1\r\n A: b\r\n" + H + b"\r\n", [], 400),
    (b"GET / HTTP/1.1\r\n" + H + b"\r\r\n", [], 400),
    (post(b"A: \x00\r\nContent-Length: 0\r\n", b""), [], 400),
    (post(b": b\r\nContent-Length: 0\r\n", b""), [], 400),
    (post(b"A\r\nContent-Length: 0\r\n", b""), [], 400),
    # chunks
    (CHUNKED + b"1;a\n\r\nx\r\n0\r\n\r\n", [], 400),
    (CHUNKED + b"1;a\rb\r\nx\r\n0\r\n\r\n", [], 400),
    (CHUNKED + b"1;a=b\r\nx\r\n0\r\n\r\n", ["POST / x", "GET /next"], None),
    (CHUNKED + b"0x1\r\nx\r\n0\r\n\r\n", [], 400),
    (CHUNKED + b"1 \r\nx\r\n0\r\n\r\n", [], 400),
    (CHUNKED + b" 1\r\nx\r\n0\r\n\r\n", [], 400),
    (CHUNKED + b"1_0\r\nx\r\n0\r\n\r\n", [], 400),
    (CHUNKED + b"-1\r\nx\r\n0\r\n\r\n", [], 400),
    (CHUNKED + b"+1\r\nx\r\n0\r\n\r\n", [], 400),
    (CHUNKED + b"1\nx\n0\n\n", [], 400),
    (CHUNKED + b"1\r\nxx0\r\n\r\n", [], 400),
    (CHUNKED + b"1\r\nx0\r\n\r\n", [], 400),
    (CHUNKED + b"10000000000000001\r\nx\r\n0\r\n\r\n", [], 400),
    (CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n", [], 400),
    (CHUNKED + b"0\r\nX-Trailer: 1\r\n\r\n", [], 400),
    # hosts, targets, versions, methods
    (b"GET / HTTP/1.1\r\n\r\n", [], 400),
    (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", [], 400),
    (b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", [], 400),
    (b"GET http://y/ HTTP/1.1\r\n" + H + b"\r\n", [], 400),
    (b"GET http://x@y/ HTTP/1.1\r\n" + H + b"\r\n", [], 400),
    (b"GET ftp://x/ HTTP/1.1\r\n" + H + b"\r\n", [], 400),
    (b"GET http://x/a?b HTTP/1.1\r\n" + H + b"\r\n", ["GET /a?b", "GET /next"], None),
    (b"GET http://x HTTP/1.1\r\n" + H + b"\r\n", ["GET /", "GET /next"], None),
    (b"GET /a#b HTTP/1.1\r\n" + H + b"\r\n", [], 400),
    (b"GET * HTTP/1.1\r\n" + H + b"\r\n", [], 400),
    (b"OPTIONS * HTTP/1.1\r\n" + H + b"\r\n", ["OPTIONS *", "GET /next"], None),
    (b"GET /a b HTTP/1.1\r\n" + H + b"\r\n", [], 400),
    (b"GET /\x80 HTTP/1.1\r\n" + H + b"\r\n", [], 400),
    (b"GET /\r\n\r\n", [], 505),
    (b"GET / HTTP/0.9\r\n\r\n", [], 505),
    (b"GET / HTTP/1.2\r\n" + H + b"\r\n", [], 400),
    (b"GET / HTTP/2.0\r\n" + H + b"\r\n", [], 505),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [], 400),
    (b"get / HTTP/1.1\r\n" + H + b"\r\n", [], 400),
    (b"TRACE / HTTP/1.1\r\n" + H + b"\r\n", [], 501),
    (b"CONNECT y:443 HTTP/1.1\r\n" + H + b"\r\n", [], 405),
    (b"\x16\x03\x01\x02\x00\x01\x00", [], 400),
    # twice what may come once, and what we do not do
    (post(b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n", b""), [], 400),
    (post(b"Content-Type: a/b\r\nContent-Type: c/d\r\n", b""), [], 400),
    (post(b"Accept: a\r\nAccept: b\r\nContent-Length: 0\r\n", b""), ["POST /", "GET /next"], None),
    (post(b"Expect: something\r\nContent-Length: 3\r\n"), [], 417),
    # `Connection: close` ends it, whatever follows
    (b"GET / HTTP/1.1\r\n" + H + b"Connection: close\r\n\r\n", ["GET /"], None),
    # an offer of another protocol is not taken up, and its body stays a body
    (
        post(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \r\nContent-Length: 3\r\n"),
        ["POST / abc", "GET /next"],
        None,
    ),
    (b"GET / HTTP/1.1\r\n" + H + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", ["GET /", "GET /next"], None),
    # empty lines before a request are let through (RFC 9112 2.2)
    (b"\r\n\r\n" + post(b"Content-Length: 3\r\n"), ["POST / abc", "GET /next"], None),
]


@pytest.mark.parametrize(("octets", "requests", "status"), SMUGGLING, ids=range(len(SMUGGLING)))
def test_E1_nothing_is_read_in_two_ways(octets: bytes, requests: list[str], status: int | None) -> None:
    assert seen(octets + G) == (requests, status)
    assert seen(octets + G, 1) == (requests, status)


@given(st.lists(st.sampled_from([row[0] for row in SMUGGLING] + [G]), min_size=1, max_size=3), st.integers(1, 60))
def test_the_cut_of_the_octets_changes_nothing(parts: list[bytes], step: int) -> None:
    octets = b"".join(parts) + G
    assert seen(octets, step) == seen(octets)


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_refused_and_never_raise(octets: bytes) -> None:
    seen(octets)
    seen(b"POST / HTTP/1.1\r\nHost: x\r\n" + octets)
    seen(CHUNKED + octets)


def head_of(octets: int) -> bytes:
    """A GET whose target and headers count `octets` by the reader's rule."""
    fixed = 1 + len(b"HostxA") + 2 * 4
    return b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * (octets - fixed) + b"\r\n\r\n"


def test_E2_headers_have_at_most_8_KiB() -> None:
    assert seen(head_of(HEAD_OCTETS_MAX - 30)) == (["GET /"], None)
    assert seen(head_of(HEAD_OCTETS_MAX + 1)) == ([], 431)
    assert seen(head_of(HEAD_OCTETS_MAX + 1), 1000) == ([], 431)
    assert seen(b"GET /" + b"a" * 9000, 1000) == ([], 431)


def test_E2_a_small_head_may_come_with_a_large_body_in_one_read() -> None:
    assert seen(post(b"Content-Length: 60000\r\n", b"a" * 60000))[1] is None


def test_E2_there_are_at_most_64_headers() -> None:
    few = b"".join(b"A%d: b\r\n" % i for i in range(HEADERS_MAX - 1))
    assert seen(b"GET / HTTP/1.1\r\n" + H + few + b"\r\n") == (["GET /"], None)
    assert seen(b"GET / HTTP/1.1\r\n" + H + few + b"Z: b\r\n\r\n") == ([], 431)


def test_E2_a_body_above_the_limit_is_refused_before_it_comes() -> None:
    reader = RequestReader(body_max=100)
    assert reader.receive(post(b"Content-Length: 101\r\n", b"")) == []
    assert reader.refusal is not None
    assert reader.refusal.status == 413
    assert reader.receive(b"x") == []
    assert seen(post(b"Content-Length: 999999999\r\n", b"")) == ([], 413)


def test_E2_chunks_count_together_and_their_frames_too() -> None:
    reader = RequestReader(body_max=100)
    assert reader.receive(CHUNKED + b"33\r\n" + b"a" * 51 + b"\r\n33\r\n" + b"a" * 51) == []
    assert reader.refusal is not None
    assert reader.refusal.status == 413
    reader = RequestReader(body_max=100)
    reader.receive(CHUNKED)
    for _ in range(HEAD_OCTETS_MAX + CHUNKED_OVERHEAD * 100):
        reader.receive(b"1;" if not reader.in_message else b"0")
        if reader.refusal is not None:
            break
    assert reader.refusal is not None
    assert reader.refusal.status == 413


def test_requests_of_one_read_are_bounded() -> None:
    requests, status = seen(G * (PIPELINED_MAX + 5))
    assert (len(requests), status) == (PIPELINED_MAX, 503)


def test_many_refused_upgrades_in_one_read_are_no_recursion() -> None:
    offer = b"GET / HTTP/1.1\r\n" + H + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    requests, status = seen(offer * (PIPELINED_MAX + 5))
    assert (len(requests), status) == (PIPELINED_MAX, 503)


def test_a_websocket_request_ends_http() -> None:
    reader = RequestReader()
    octets = b"GET /btp?x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n"
    (request,) = reader.receive(octets + b"\x81\x00")
    assert request.upgrade
    assert request.path == b"/btp"
    assert reader.trailing == b"\x81\x00"
    expected = b"GET /btp?x HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: WebSocket\r\n\r\n"
    assert request.encode_head() == expected
    assert reader.receive(b"more") == []


def test_a_request_is_told_with_its_fields() -> None:
    reader = RequestReader()
    (request,) = reader.receive(memoryview(post(b"X-Y: Z\r\nx-y: w\r\nContent-Length: 3\r\n")))
    assert request.headers == [(b"host", b"x"), (b"x-y", b"Z"), (b"x-y", b"w"), (b"content-length", b"3")]
    assert request.fields[b"x-y"] == b"w"
    assert request.keep_alive
    assert not request.upgrade
    assert not reader.in_message
    (old,) = reader.receive(b"GET / HTTP/1.0\r\n\r\n")
    assert (old.version, old.keep_alive) == ("1.0", False)


def test_whoever_waits_for_leave_to_go_on_is_seen() -> None:
    reader = RequestReader()
    assert reader.receive(post(b"Expect: 100-Continue\r\nContent-Length: 3\r\n", b"")) == []
    assert reader.wants_continue
    assert len(reader.receive(b"abc")) == 1
    assert not reader.wants_continue


def test_names_remembered_are_bounded() -> None:
    for i in range(NAMES_KEPT + 10):
        assert seen(b"GET / HTTP/1.1\r\n" + H + b"N%d: v\r\n\r\n" % i) == (["GET /"], None)


def test_a_fault_of_ours_in_a_callback_is_not_hidden() -> None:
    reader = RequestReader()
    reader.on_url = None  # type: ignore[assignment,method-assign] # too late to matter: httptools has bound it
    reader._target = None  # type: ignore[assignment] # what a bug could do
    with pytest.raises(Exception, match="callback"):
        reader.receive(G)
