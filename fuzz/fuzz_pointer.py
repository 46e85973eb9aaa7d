"""Invariant: any text is a payment pointer whose URL is https and whose own spelling reads back, or a ResolveError."""

from __future__ import annotations

import contextlib

from interledger.application.payment_pointer import endpoint_url, parse_payment_pointer
from interledger.errors import ResolveError

LAYERS = ()
SEEDS: tuple[bytes, ...] = (
    b"$example.com",
    b"$example.com/alice",
    b"https://example.com:443/a?b#c",
    b"$[::1]:80/x",
    b"$xn--4ca.example/%41",
)


def check(octets: bytes) -> None:
    text = octets.decode("utf-8", "replace")
    with contextlib.suppress(ResolveError):
        assert endpoint_url(text).startswith("https://")
    try:
        pointer = parse_payment_pointer(text)
    except ResolveError:
        return
    assert pointer.url.startswith("https://")
    assert parse_payment_pointer(str(pointer)) == pointer
    assert parse_payment_pointer(pointer.url).url == pointer.url


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
