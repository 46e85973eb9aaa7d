"""The journal's records of what peers asked us and we answered, and of what we asked them; see `records.py`."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final

from interledger.codec.oer import encode_octets, read_fixed, read_octets

__all__ = [
    "REQUEST_KINDS", "Answered", "PacketAsked", "Requested", "encode_answered", "encode_asked", "encode_requested",
    "read_request",
]  # fmt: skip

_REQUESTED, _ANSWERED, _ASKED = 10, 11, 16
REQUEST_KINDS: Final = (_REQUESTED, _ANSWERED, _ASKED)
"""The first octet. The other numbers are those of `records.py` and `claim_records.py`."""

_REQUEST = Struct(">32sQ")  # digest, expires at
_ASKED_HEAD = Struct(">BQ")  # kind, hold id


@dataclass(slots=True)
class Requested:
    """A peer's request that it may repeat is in progress: its packet is this hold. `digest`: SHA-256 of its octets."""

    account: str
    request_id: bytes
    digest: bytes
    expires_at: int
    hold_id: int


@dataclass(slots=True)
class Answered:
    """Such a request has its answer, which every repetition gets. Complete in itself: a refused one was never held."""

    account: str
    request_id: bytes
    digest: bytes
    expires_at: int
    answer: bytes


@dataclass(slots=True)
class PacketAsked:
    """The Prepare of this hold goes to the account's peer: its octets, and the id it has on the wire."""

    hold_id: int
    account: str
    request_id: bytes
    octets: bytes


def encode_requested(account: str, request_id: bytes, digest: bytes, expires_at: int, hold_id: int) -> bytes:
    """The account's request is in progress as this hold. `expires_at`: ms UTC, of the incoming packet."""
    return _encode_request(_REQUESTED, account, request_id, digest, expires_at) + hold_id.to_bytes(8, "big")


def encode_answered(account: str, request_id: bytes, digest: bytes, expires_at: int, answer: bytes) -> bytes:
    """The account's request has this answer."""
    return _encode_request(_ANSWERED, account, request_id, digest, expires_at) + encode_octets(answer)


def encode_asked(hold_id: int, account: str, request_id: bytes, octets: bytes) -> bytes:
    """The record of a `PacketAsked`."""
    return b"".join(
        (
            _ASKED_HEAD.pack(_ASKED, hold_id),
            encode_octets(account.encode()),
            encode_octets(request_id),
            encode_octets(octets),
        )
    )


def read_request(octets: bytes, offset: int) -> tuple[Requested | Answered | PacketAsked, int]:
    """The record at `offset`, of one of these kinds, and where it ends. Raises `struct.error`, `DecodeError`."""
    kind = octets[offset]
    if kind == _ASKED:
        _, number = _ASKED_HEAD.unpack_from(octets, offset)
        account, offset = read_octets(octets, offset + _ASKED_HEAD.size)
        request_id, offset = read_octets(octets, offset)
        packet, offset = read_octets(octets, offset)
        return PacketAsked(number, account.decode(), request_id, packet), offset
    account, offset = read_octets(octets, offset + 1)
    request_id, offset = read_octets(octets, offset)
    digest, expires_at = _REQUEST.unpack_from(octets, offset)
    offset += _REQUEST.size
    if kind == _ANSWERED:
        answer, offset = read_octets(octets, offset)
        return Answered(account.decode(), request_id, digest, expires_at, answer), offset
    hold_id, offset = read_fixed(octets, offset, 8)
    return Requested(account.decode(), request_id, digest, expires_at, int.from_bytes(hold_id, "big")), offset


def _encode_request(kind: int, account: str, request_id: bytes, digest: bytes, expires_at: int) -> bytes:
    key = encode_octets(account.encode()) + encode_octets(request_id)
    return bytes((kind,)) + key + _REQUEST.pack(digest, expires_at)
