"""Invariant: any text is an address that is ASCII, at most 1023 long and its own prefix, or an InvalidRequestError."""

from __future__ import annotations

from interledger.errors import InvalidRequestError
from interledger.ilp.address import is_address, is_prefix_of, parse_address, parse_prefix, scheme_of

LAYERS = ("ilp.address",)
SEEDS: tuple[bytes, ...] = ()


def check(octets: bytes) -> None:
    text = octets.decode("utf-8", "replace")
    try:
        address = parse_address(text)
    except InvalidRequestError:
        assert not is_address(text)
        return
    assert is_address(text)
    assert address.isascii()
    assert len(address) <= 1023
    assert parse_prefix(address) == address
    assert is_prefix_of(scheme_of(address), address)
    assert not is_prefix_of(address, address + "x")


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
