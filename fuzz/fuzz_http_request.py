"""Invariant: any octets are whole requests of bounded size or one refusal, the same ones octet by octet."""

from __future__ import annotations

from interledger.link.http.heads import REQUEST_BODY_MAX
from interledger.link.http.requests import RequestReader

LAYERS = ()
SEEDS: tuple[bytes, ...] = (
    b"POST /ilp HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
)


def _read(pieces: list[bytes]) -> tuple[list[tuple[bytes, bytes, bytes]], int | None]:
    reader = RequestReader()
    requests = []
    for piece in pieces:
        if reader.refusal is None and reader.trailing is None:
            requests += reader.receive(piece)
    found = [(request.method, request.target, request.body) for request in requests]
    return found, reader.refusal and reader.refusal.status


def check(octets: bytes) -> None:
    requests, refused = _read([octets])
    assert all(len(body) <= REQUEST_BODY_MAX for _, _, body in requests)
    assert refused is None or 400 <= refused <= 599
    assert _read([octets[n : n + 1] for n in range(len(octets))]) == (requests, refused)


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
