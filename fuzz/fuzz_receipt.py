"""Invariant: any octets are a receipt that is redeemed once at most, and read as it is signed, or a DecodeError."""

from __future__ import annotations

from interledger.clock import Timestamp
from interledger.errors import DecodeError
from interledger.transport.stream.receipts import Receipt, ReceiptVerifier, read_receipt

NONCE = bytes(16)
NOW = Timestamp(0)
SECRET = ReceiptVerifier(bytes(32)).secret_of(NONCE)
LAYERS: tuple[str, ...] = ()
SEEDS = (Receipt(NONCE, 1, 500).sign(SECRET), Receipt(NONCE, 255, 2**64 - 1).sign(SECRET), b"\x01" * 58)


def check(octets: bytes) -> None:
    verifier = ReceiptVerifier(bytes(32))
    verifier.open(NONCE, NOW)
    try:
        receipt = read_receipt(octets)
        added = verifier.redeem(octets, NOW)
    except DecodeError:
        return
    assert added == receipt.total
    assert receipt.sign(SECRET) == octets
    assert verifier.redeem(octets, NOW) == 0


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
