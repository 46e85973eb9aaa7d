"""Invariant: every reader of OER ends inside the buffer or raises DecodeError; what it read is written canonically."""

from __future__ import annotations

from interledger.codec.oer import (
    UINT64_MAX,
    encode_octets,
    encode_uint,
    read_count,
    read_octets,
    read_uint,
    read_uint8,
    read_uint16,
    read_uint32,
    read_uint64,
    read_uint_saturated,
)
from interledger.errors import DecodeError

LAYERS = ("oer.octets", "oer.uint")
SEEDS: tuple[bytes, ...] = ()


def check(octets: bytes) -> None:
    for offset in range(min(len(octets), 3) + 1):
        _check_octets(octets, offset)
        _check_integers(octets, offset)


def _check_octets(octets: bytes, offset: int) -> None:
    try:
        value, end = read_octets(octets, offset)
    except DecodeError:
        return
    # A length has one form only, so that the octets that were read are the ones that are written.
    assert encode_octets(value) == octets[offset:end]


def _check_integers(octets: bytes, offset: int) -> None:
    for read in (read_uint, read_uint_saturated, read_uint8, read_uint16, read_uint32, read_uint64):
        try:
            value, end = read(octets, offset)
        except DecodeError:
            continue
        assert offset < end <= len(octets)
        assert 0 <= value <= UINT64_MAX
        assert read_uint(encode_uint(value), 0)[0] == value
    try:
        count, end = read_count(octets, offset, 3)
    except DecodeError:
        return
    assert count * 3 <= len(octets) - end


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
