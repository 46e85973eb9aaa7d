"""Invariant: any octets are a moment that is written and read again as itself, or a DecodeError."""

from __future__ import annotations

from interledger.codec.timestamp import (
    decode_generalized_time,
    decode_interledger_time,
    encode_generalized_time,
    encode_interledger_time,
)
from interledger.errors import DecodeError

LAYERS = ("timestamp.interledger", "timestamp.generalized")
SEEDS: tuple[bytes, ...] = ()


def check(octets: bytes) -> None:
    try:
        moment = decode_interledger_time(octets)
        assert encode_interledger_time(moment) == octets
    except DecodeError:
        pass
    try:
        moment = decode_generalized_time(octets)
        assert decode_generalized_time(encode_generalized_time(moment)) == moment
    except DecodeError:
        pass


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
