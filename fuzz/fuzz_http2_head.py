"""Invariant: any head of HTTP/2 is a request with one host and a plain target, or one refusal."""

from __future__ import annotations

from interledger.link.http.heads import METHODS, REQUEST_BODY_MAX, Refusal
from interledger.link.http.http2_requests import read_head

LAYERS = ()
SEEDS: tuple[bytes, ...] = (
    b":method\tPOST\n:scheme\thttps\n:authority\ta\n:path\t/ilp\ncontent-length\t3\nauthorization\tBearer a",
    b":method\tGET\n:path\t/?a\nhost\ta\ncookie\ta=1\ncookie\tb=2",
)


def check(octets: bytes) -> None:
    lines = octets.split(b"\n")
    head = read_head([(name, value) for name, _, value in (line.partition(b"\t") for line in lines)], REQUEST_BODY_MAX)
    if isinstance(head, Refusal):
        assert 400 <= head.status <= 599
        return
    assert head.method in METHODS
    assert all(0x20 < octet < 0x7F for octet in head.target)
    assert [name for name, _ in head.headers].count(b"host") == 1
    assert int(head.fields.get(b"content-length", b"0")) <= REQUEST_BODY_MAX


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
