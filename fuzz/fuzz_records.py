"""Invariant: any octets are journal records or a snapshot, or a DecodeError."""

from __future__ import annotations

import contextlib

from interledger.accounts.records import (
    decode_records,
    encode_evidence,
    encode_executed,
    encode_held,
    encode_released,
)
from interledger.accounts.request_records import encode_answered, encode_asked, encode_requested
from interledger.accounts.snapshot import decode_snapshot
from interledger.errors import DecodeError

LAYERS = ()
SEEDS: tuple[bytes, ...] = (
    encode_held(1, True, 1_800_000_000_000, bytes(32), ((0, 1, 5), (0, 2, 1))),
    encode_requested("bob", b"id", bytes(32), 1_800_000_000_000, 1) + encode_answered("bob", b"id", bytes(32), 1, b"x"),
    encode_asked(1, "bob", b"id", b"prepare"),
    encode_executed(1, bytes(32)) + encode_released(2) + encode_evidence(3, bytes(32)),
)


def check(octets: bytes) -> None:
    with contextlib.suppress(DecodeError):
        list(decode_records(octets))
    with contextlib.suppress(DecodeError):
        decode_snapshot(octets)


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
