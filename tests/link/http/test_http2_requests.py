"""Heads of HTTP/2 as requests: what they become, and that no head is an accident."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from interledger.link.http.heads import METHODS, REQUEST_BODY_MAX, Refusal, Request
from interledger.link.http.http2_requests import fields_of_request, is_short, read_head

GET = ((b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"x"), (b":path", b"/a?b"))


def test_a_head_becomes_the_request_that_http_1_has() -> None:
    request = read_head((*GET, (b"cookie", b"a=1"), (b"x", b"y"), (b"cookie", b"b=2")), REQUEST_BODY_MAX)
    assert isinstance(request, Request)
    assert (request.method, request.target, request.path, request.version) == (b"GET", b"/a?b", b"/a", "2")
    assert request.headers == [(b"host", b"x"), (b"x", b"y"), (b"cookie", b"a=1; b=2")]
    assert request.keep_alive


def test_our_own_head_comes_back_as_it_was() -> None:
    head = b"POST /ilp HTTP/1.1\r\nHost: a:1\r\nContent-Type: b\r\nAuthorization: Bearer c\r\nContent-Length: 5"
    fields = fields_of_request(head)
    request = read_head(fields, REQUEST_BODY_MAX)
    assert isinstance(request, Request)
    assert (request.method, request.target) == (b"POST", b"/ilp")
    assert request.fields[b"host"] == b"a:1"
    assert request.fields[b"authorization"] == b"Bearer c"
    assert is_short(fields)
    assert not is_short(((b"x", b"y" * 2_000),))


names = st.sampled_from([b":method", b":path", b":authority", b":x", b"host", b"cookie", b"content-length", b"expect"])


@given(st.lists(st.tuples(names | st.binary(max_size=8), st.binary(max_size=20)), max_size=12))
def test_any_head_is_a_request_that_can_be_trusted_or_refused(fields: list[tuple[bytes, bytes]]) -> None:
    head = read_head(fields, 1_000)
    if isinstance(head, Refusal):
        assert 400 <= head.status <= 501
        return
    assert head.method in METHODS
    assert head.target[:1] == b"/" or (head.target, head.method) == (b"*", b"OPTIONS")
    assert not any(octet <= 0x20 or octet >= 0x7F for octet in head.target)
    assert b"host" in head.fields
    assert int(head.fields.get(b"content-length", b"0")) <= 1_000
