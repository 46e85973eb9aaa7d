"""Receipts of RFC 39: each unit that a receiver got is redeemed once, whoever hands in what how often."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.clock import Timestamp
from interledger.errors import DecodeError
from interledger.transport.stream.receipts import (
    RECEIPT_OCTETS,
    Receipt,
    ReceiptKey,
    ReceiptVerifier,
    later_receipt,
    read_receipt,
)

SEED = bytes(range(32))
NONCE, OTHER = bytes(16), b"\x01" * 16
NOW = Timestamp(1_700_000_000_000)


def verifier(*nonces: bytes, **more: int) -> ReceiptVerifier:
    made = ReceiptVerifier(SEED, **more)
    for nonce in nonces:
        made.open(nonce, NOW)
    return made


def receipt(total: int, stream_id: int = 1, nonce: bytes = NONCE) -> bytes:
    return Receipt(nonce, stream_id, total).sign(ReceiptVerifier(SEED).secret_of(nonce))


def test_ST_23_the_octets() -> None:
    """Version, nonce, stream, total, and the HMAC of these under the secret."""
    octets = Receipt(NONCE, 1, 500).sign(bytes(32))
    assert octets[:26].hex() == "01" + "00" * 16 + "01" + "00000000000001f4"
    assert len(octets) == RECEIPT_OCTETS
    assert read_receipt(octets) == Receipt(NONCE, 1, 500)


def test_the_key_of_a_connection() -> None:
    key = ReceiptKey(NONCE, bytes(range(32)))
    assert key.receipt(3, 500) == Receipt(NONCE, 3, 500).sign(bytes(range(32)))
    assert "secret" not in repr(key)
    for nonce, secret in ((b"", bytes(32)), (NONCE, b""), (NONCE + b"x", bytes(32)), (NONCE, bytes(31))):
        with pytest.raises(ValueError, match="nonce of 16 octets and a secret of 32"):
            ReceiptKey(nonce, secret)


def test_a_payer_keeps_the_receipt_that_says_most() -> None:
    """Replies overtake each other, and not all that a receiver sends is a receipt."""
    kept = None
    for told, total in ((b"", None), (receipt(5), 5), (receipt(9), 9), (receipt(7), 9), (b"r" * 58, 9)):
        kept = later_receipt(kept, told)
        assert (kept and read_receipt(kept).total) == total


def test_H16_what_is_redeemed_is_the_difference() -> None:
    redeem = verifier(NONCE, OTHER).redeem
    got = [
        (receipt(100), 100),
        (receipt(100), 0),  # once more
        (receipt(250), 150),
        (receipt(100), 0),  # an old one
        (receipt(70, stream_id=2), 70),  # another stream
        (receipt(30, nonce=OTHER), 30),  # another connection
        (receipt(0), 0),
        (receipt(2**64 - 1), 2**64 - 1 - 250),
    ]
    for octets, adds in got:
        assert redeem(octets, NOW) == adds


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (b"", "not a receipt"),
        (receipt(1)[:-1], "not a receipt"),
        (receipt(1) + b"\x00", "not a receipt"),
        (b"\x02" + receipt(1)[1:], "not a receipt"),
        (receipt(1)[:-1] + bytes([receipt(1)[-1] ^ 1]), "not signed"),
        (receipt(1)[:18] + (9).to_bytes(8, "big") + receipt(1)[26:], "not signed"),
        (Receipt(NONCE, 1, 5).sign(bytes(32)), "not signed"),
        (receipt(1, nonce=b"\x02" * 16), "never given out"),
    ],
)
def test_H16_what_is_no_receipt_of_ours(octets: bytes, says: str) -> None:
    with pytest.raises(DecodeError, match=says):
        verifier(NONCE).redeem(octets, NOW)


def test_H16_a_receipt_that_is_too_old_and_a_nonce_that_was_pushed_out() -> None:
    made = verifier(NONCE, lifetime_ms=1_000)
    assert made.redeem(receipt(1), Timestamp(NOW + 999)) == 1
    with pytest.raises(DecodeError, match="too long ago"):
        made.redeem(receipt(2), Timestamp(NOW + 1_000))
    few = verifier(NONCE, OTHER, nonces_max=1)
    with pytest.raises(DecodeError, match="too long ago"):
        few.redeem(receipt(1), NOW)
    assert few.redeem(receipt(1, nonce=OTHER), NOW) == 1


def test_H16_a_nonce_is_given_out_once() -> None:
    for nonce in (NONCE, b"", bytes(17)):
        with pytest.raises(ValueError, match="never used"):
            verifier(NONCE).open(nonce, NOW)
    with pytest.raises(ValueError, match="needs 32"):
        ReceiptVerifier(b"short")


@given(st.lists(st.tuples(st.sampled_from([NONCE, OTHER]), st.integers(0, 2), st.integers(0, 50)), max_size=40))
def test_H16_in_any_order_and_as_often_as_one_likes(handed_in: list[tuple[bytes, int, int]]) -> None:
    made = verifier(NONCE, OTHER)
    redeemed = sum(made.redeem(receipt(total, stream, nonce), NOW) for nonce, stream, total in handed_in)
    largest: dict[tuple[bytes, int], int] = {}
    for nonce, stream, total in handed_in:
        largest[nonce, stream] = max(largest.get((nonce, stream), 0), total)
    assert redeemed == sum(largest.values())
