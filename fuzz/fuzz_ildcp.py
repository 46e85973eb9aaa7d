"""Invariant: octets are a parent's answer with a valid address, or a DecodeError; echoes and balances likewise."""

from __future__ import annotations

from interledger.errors import DecodeError
from interledger.ilp.address import is_address
from interledger.ilp.balance import PeerBalance
from interledger.ilp.echo import ECHO_PREFIX, decode_echo
from interledger.ilp.ildcp import ChildConfig

LAYERS = ("ildcp.response", "balance.response", "echo.data")
SEEDS: tuple[bytes, ...] = (ECHO_PREFIX + b"\x00\x08test.bob",)


def check(octets: bytes) -> None:
    try:
        config = ChildConfig.decode(octets)
        assert is_address(config.address)
        assert ChildConfig.decode(config.encode()) == config
    except DecodeError:
        pass
    try:
        balance = PeerBalance.decode(octets)
        assert PeerBalance.decode(balance.encode()) == balance
    except DecodeError:
        pass
    try:
        address = decode_echo(octets)
        assert address is None or is_address(address)
    except DecodeError:
        pass


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
