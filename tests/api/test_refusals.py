"""Whatever is wrong with a request, the answer is a problem document: of the API, and of the port before it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from interledger.node.node import Node
from tests.node import loopback

HOST = b"Host: 127.0.0.1\r\n"
TOKEN = b"Authorization: Bearer admin-token\r\n"
JSON = b"Content-Type: application/json\r\n"


def request(method: bytes, path: bytes, body: bytes = b"", headers: bytes = HOST + TOKEN + JSON) -> bytes:
    return b"%b %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (method, path, headers, len(body), body)


def posted(body: bytes) -> bytes:
    return request(b"POST", b"/api/payments", body)


ROWS: dict[str, tuple[bytes, int]] = {
    "no such path": (request(b"GET", b"/api/nothing"), 404),
    "a slash too many": (request(b"GET", b"/api/accounts/"), 404),
    "no such account": (request(b"GET", b"/api/accounts/nobody"), 404),
    "a name that is no UTF-8": (request(b"GET", b"/api/accounts/%ff"), 404),
    "no such method there": (request(b"PUT", b"/api/payments", b"{}"), 405),
    "a method of nobody": (request(b"TRACE", b"/api/payments"), 501),
    "a body announced too large": (request(b"POST", b"/", headers=HOST).replace(b"h: 0", b"h: 99999999"), 413),
    "a body too large": (posted(b" " * 70_000), 413),
    "a form": (request(b"POST", b"/api/payments", b"a=b", HOST + TOKEN + b"Content-Type: text/html\r\n"), 415),
    "no content type": (request(b"POST", b"/api/payments", b"{}", HOST + TOKEN), 415),
    "half a document": (posted(b"{"), 400),
    "a list": (posted(b"[]"), 400),
    "not a number": (posted(b'{"send": NaN}'), 400),
    "a key twice": (posted(b'{"send": "1", "send": "2"}'), 400),
    "no UTF-8": (posted(b'{"send": "\xff"}'), 400),
    "very deep": (posted(b"[" * 20_000), 400),
    "a number of five thousand digits": (posted(b'{"send": %b}' % (b"9" * 5_000)), 400),
    "a query that is none": (request(b"GET", b"/api/payments?limit=abc"), 400),
    "a key with a space": (request(b"POST", b"/api/payments", b"{}", HOST + TOKEN + JSON + b"Idempotency-Key: a b\r\n"),
                           400),
    "no request": (b"GARBAGE\r\n\r\n", 400),
    "no header": (b"GET / HTTP/1.1\r\n" + HOST + b"bad header\r\n\r\n", 400),
    "no host": (b"GET /api/status HTTP/1.1\r\n\r\n", 400),
    "another's host": (b"GET /api/status HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
    "headers too large": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 100_000 + b"\r\n\r\n", 431),
    "no token": (b"GET /api/status HTTP/1.1\r\n" + HOST + b"\r\n", 401),
    "not a packet": (request(b"POST", b"/accounts/alice/ilp", b"abc", HOST + TOKEN + JSON), 401),
}  # fmt: skip


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with loopback.in_thread(loopback.settings("test.hub")) as node:
        yield node


def answer_to(octets: bytes, port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
        wire.sendall(octets)
        wire.shutdown(socket.SHUT_WR)
        parts = []
        while part := wire.recv(65_536):
            parts.append(part)
        return b"".join(parts)


@pytest.mark.parametrize("name", ROWS)
def test_every_refusal_is_a_problem(name: str, node: Node) -> None:
    octets, status = ROWS[name]
    head, _, body = answer_to(octets, node.port).partition(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    assert lines[0].split(" ")[1] == str(status), body
    assert "content-type: application/problem+json" in lines
    problem = json.loads(body)
    assert problem["status"] == status
    assert problem["detail"]
    assert problem["title"]
    assert problem["type"]
    assert "Traceback" not in problem["detail"]
