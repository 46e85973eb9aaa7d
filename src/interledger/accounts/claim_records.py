"""The journal's records of claims that a peer does not count (`accounts/unproven.py`), as octets; see `records.py`."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final

from interledger.codec.oer import encode_octets, read_octets

__all__ = [
    "CLAIM_KINDS", "ClaimClosed", "ClaimSetAside", "encode_claim_closed", "encode_claim_set_aside", "read_claim",
]  # fmt: skip

CLAIM_KINDS: Final = (13, 14, 15)
"""The first octet: set aside, closed, set aside with a memo. The numbers before are those of `records.py`."""

_SET_ASIDE = Struct(">BQIQQ32s")  # kind, id, account, amount, since, fulfillment
_CLOSED = Struct(">BQ?")


@dataclass(slots=True)
class ClaimSetAside:
    """What was fulfilled for the peer of an account and the peer does not count, since then (ms UTC). `memo`: by whom
    and why; none when its statement said so."""

    item_id: int
    account: int
    amount: int
    since: int
    fulfillment: bytes
    memo: str = ""


@dataclass(slots=True)
class ClaimClosed:
    """Such a claim ended: the peer owes it after all, or it is lost. `memo`: by whom and why."""

    item_id: int
    owed: bool
    memo: str


def encode_claim_set_aside(
    item_id: int, account: int, amount: int, since: int, fulfillment: bytes, memo: str = ""
) -> bytes:
    """This amount is taken out of what the peer of that account owes. Its packet had this fulfillment."""
    fields = (item_id, account, amount, since, fulfillment)
    return _SET_ASIDE.pack(15, *fields) + encode_octets(memo.encode()) if memo else _SET_ASIDE.pack(13, *fields)


def encode_claim_closed(item_id: int, owed: bool, memo: str) -> bytes:
    """That claim is owed after all, or lost: by whom and why."""
    return _CLOSED.pack(14, item_id, owed) + encode_octets(memo.encode())


def read_claim(octets: bytes, offset: int) -> tuple[ClaimSetAside | ClaimClosed, int]:
    """The record at `offset`, of one of these kinds, and where it ends. Raises `struct.error`, `DecodeError`."""
    if octets[offset] != 14:
        kind, item_id, account, amount, since, proof = _SET_ASIDE.unpack_from(octets, offset)
        memo, offset = read_octets(octets, offset + _SET_ASIDE.size) if kind == 15 else (b"", offset + _SET_ASIDE.size)
        return ClaimSetAside(item_id, account, amount, since, proof, memo.decode()), offset
    _, item_id, owed = _CLOSED.unpack_from(octets, offset)
    memo, offset = read_octets(octets, offset + _CLOSED.size)
    return ClaimClosed(item_id, owed, memo.decode()), offset
