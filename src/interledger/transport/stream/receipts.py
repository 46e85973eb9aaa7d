"""Receipts of RFC 39: what a receiver has got on a stream, signed for a third party, who redeems each unit once.

    version 1 (u8), nonce (16), stream id (u8), total received (u64), HMAC-SHA256 of all that (32): 58 octets

The third party makes nonce and secret (`ReceiptKey`), and hands both to the receiver; payers pass receipts on. A
receipt says a sum that grows, so a later one replaces an earlier one, and only what it adds may be redeemed.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, NamedTuple, final

from interledger.clock import Timestamp
from interledger.codec.oer import UINT64_MAX
from interledger.errors import DecodeError

__all__ = [
    "NONCE_OCTETS",
    "RECEIPT_OCTETS",
    "SECRET_OCTETS",
    "Receipt",
    "ReceiptKey",
    "ReceiptVerifier",
    "later_receipt",
    "read_receipt",
]

NONCE_OCTETS: Final = 16
SECRET_OCTETS: Final = 32
RECEIPT_OCTETS: Final = 58

NONCES_MAX: Final = 100_000
"""Of a verifier: some 20 MB. When there are more, the oldest are forgotten, and their receipts are refused."""

LIFETIME_MS: Final = 300_000
"""How long after its nonce was made a receipt is taken; what Coil's verifier does."""

_VERSION: Final = b"\x01"
_SIGNED: Final = RECEIPT_OCTETS - 32


class Receipt(NamedTuple):
    """`total`: what the stream has received so far, in the receiver's units."""

    nonce: bytes
    stream_id: int
    total: int

    def sign(self, secret: bytes) -> bytes:
        """The octets. Raises `OverflowError` for a stream or a total that does not fit."""
        body = _VERSION + self.nonce + self.stream_id.to_bytes(1, "big") + self.total.to_bytes(8, "big")
        return body + hmac.digest(secret, body, "sha256")


def read_receipt(octets: bytes) -> Receipt:
    """What it says (ST-23); nobody has judged its signature yet. Raises `DecodeError`."""
    if len(octets) != RECEIPT_OCTETS or octets[:1] != _VERSION:
        raise DecodeError(f"not a receipt of version 1: {len(octets)} octets, beginning with {octets[:1].hex() or '-'}")
    return Receipt(octets[1:17], octets[17], int.from_bytes(octets[18:_SIGNED], "big"))


def later_receipt(kept: bytes | None, told: bytes) -> bytes | None:
    """Which of two receipts for one stream a payer keeps: the one that says more. What is no receipt is not kept.

    The payer cannot judge a signature, and replies overtake each other.
    """
    try:
        total = read_receipt(told).total
    except DecodeError:
        return kept
    return told if kept is None or total >= read_receipt(kept).total else kept


@dataclass(frozen=True, slots=True)
class ReceiptKey:
    """What the third party gives to a receiver for one connection. Raises `ValueError` where a length is wrong."""

    nonce: bytes
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.nonce) != NONCE_OCTETS or len(self.secret) != SECRET_OCTETS:
            raise ValueError(f"receipts have a nonce of {NONCE_OCTETS} octets and a secret of {SECRET_OCTETS}")

    def receipt(self, stream_id: int, total: int) -> bytes:
        """The octets for a stream that has received `total` units in all; a receipt cannot say more than 2^64 - 1."""
        return Receipt(self.nonce, stream_id, min(total, UINT64_MAX)).sign(self.secret)


@final
class ReceiptVerifier:
    """The third party: makes nonces with their secrets, and says of each receipt how much it adds.

    `seed`: of all its secrets, at least 32 octets. In memory: whoever restarts it takes a new seed, so that no receipt
    of before is taken twice. One call does one thing whole, so two of the same receipt cannot both be redeemed.
    """

    def __init__(self, seed: bytes, *, lifetime_ms: int = LIFETIME_MS, nonces_max: int = NONCES_MAX) -> None:
        if len(seed) < SECRET_OCTETS:
            raise ValueError(f"the seed of receipts has {len(seed)} octets, and needs {SECRET_OCTETS}")
        self._key = hmac.digest(seed, b"receipt_secret", "sha256")
        self._lifetime_ms = lifetime_ms
        self._nonces_max = nonces_max
        self._known: OrderedDict[bytes, tuple[Timestamp, dict[int, int]]] = OrderedDict()
        """nonce -> until when, and what was redeemed by stream."""

    def secret_of(self, nonce: bytes) -> bytes:
        """What the receiver signs with."""
        return hmac.digest(self._key, nonce, "sha256")

    def open(self, nonce: bytes, now: Timestamp) -> bytes:
        """Take receipts with this nonce from now on; the secret for the receiver. Raises `ValueError` for one that was
        used, or is none: a nonce is 16 random octets."""
        self._forget(now)
        if len(nonce) != NONCE_OCTETS or nonce in self._known:
            raise ValueError("a nonce of receipts is 16 octets that were never used")
        if len(self._known) >= self._nonces_max:
            self._known.popitem(last=False)
        self._known[nonce] = (Timestamp(now + self._lifetime_ms), {})
        return self.secret_of(nonce)

    def redeem(self, octets: bytes, now: Timestamp) -> int:
        """What this receipt adds to what was redeemed: 0 for one that was seen, or is older than one that was.

        Raises `DecodeError` for what is no receipt, is not signed by the secret, or comes too late.
        """
        receipt = read_receipt(octets)
        self._forget(now)
        if not hmac.compare_digest(receipt.sign(self.secret_of(receipt.nonce)), octets):
            raise DecodeError("the receipt is not signed by the secret that belongs to its nonce")
        known = self._known.get(receipt.nonce)
        if known is None:
            raise DecodeError("the receipt is of a nonce that was never given out, or too long ago")
        redeemed = known[1]
        before = redeemed.get(receipt.stream_id, 0)
        redeemed[receipt.stream_id] = max(before, receipt.total)
        return max(receipt.total - before, 0)

    def _forget(self, now: Timestamp) -> None:
        while self._known and next(iter(self._known.values()))[0] <= now:
            self._known.popitem(last=False)
