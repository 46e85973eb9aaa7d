"""Invariant: any body is an SPSP answer with a reachable address and a secret of 32 octets, or a ResolveError."""

from __future__ import annotations

from interledger.application.spsp.messages import (
    build_response,
    describe_error,
    parse_cache_seconds,
    parse_response,
)
from interledger.errors import ResolveError
from interledger.ilp.address import Address, is_address

LAYERS = ()
SEEDS: tuple[bytes, ...] = (b"max-age=60\n" + build_response(Address("test.bob"), bytes(range(32))),)


def check(octets: bytes) -> None:
    assert isinstance(describe_error(octets), str)
    head, _, body = octets.partition(b"\n")
    assert 0 <= parse_cache_seconds(head.decode("utf-8", "replace")) <= 86_400
    for content_type in ("application/spsp4+json", head.decode("utf-8", "replace")):
        try:
            answer = parse_response(content_type, body)
        except ResolveError:
            continue
        assert is_address(answer.destination_account)
        assert len(answer.shared_secret) == 32
        assert answer.shared_secret.hex() not in repr(answer)


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
