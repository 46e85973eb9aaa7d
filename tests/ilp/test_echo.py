"""Invariant: echo data are a request with a whole address, a reply, or a DecodeError."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.errors import DecodeError
from interledger.ilp.address import Address, is_address
from interledger.ilp.echo import (
    ECHO_PREFIX,
    PING_CONDITION,
    PING_FULFILLMENT,
    decode_echo,
    encode_echo_reply,
    encode_echo_request,
)


def test_octets() -> None:
    assert encode_echo_request(Address("test.a")).hex() == b"ECHOECHOECHOECHO".hex() + "0006" + b"test.a".hex()
    assert encode_echo_reply().hex() == b"ECHOECHOECHOECHO".hex() + "01"


@pytest.mark.parametrize("address", ["test.a", "g." + "x" * 1_021])
def test_round_trip(address: str) -> None:
    assert decode_echo(encode_echo_request(Address(address))) == address
    assert decode_echo(encode_echo_reply()) is None


def test_octets_behind_are_ignored() -> None:
    assert decode_echo(encode_echo_request(Address("test.a")) + b"more") == "test.a"
    assert decode_echo(encode_echo_reply() + b"more") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"ECHO",
        ECHO_PREFIX,
        b"echoechoechoecho\x01",
        ECHO_PREFIX + b"\x02",
        ECHO_PREFIX + b"\x00",
        ECHO_PREFIX + b"\x00\x06test",
        ECHO_PREFIX + b"\x00\x06nobody",
        ECHO_PREFIX + b"\x00\x06test.\xff",
        ECHO_PREFIX + b"\x00\x04test",
        ECHO_PREFIX + b"\x00\x00",
    ],
)
def test_what_is_none(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_echo(data)


@given(st.binary(max_size=64))
def test_anything_else_is_a_DecodeError(rest: bytes) -> None:
    try:
        address = decode_echo(ECHO_PREFIX + rest)
    except DecodeError:
        return
    assert address is None or is_address(address)


def test_the_ping_that_everybody_can_answer() -> None:
    assert hashlib.sha256(PING_FULFILLMENT).digest() == PING_CONDITION
