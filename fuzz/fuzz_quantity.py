"""Invariant: any octets are a Quantity within its bounds, that is written and read the same, or a DecodeError."""

from __future__ import annotations

from interledger.errors import DecodeError
from interledger.settlement.quantity import DIGITS_MAX, SCALE_MAX, Quantity

LAYERS = ("settlement.quantity",)
SEEDS: tuple[bytes, ...] = (b'{"amount":"254","scale":2}', b'{"amount":18446744073709551615,"scale":255}')


def check(octets: bytes) -> None:
    try:
        quantity = Quantity.decode(octets)
    except DecodeError:
        return
    assert 0 <= quantity.amount < 10**DIGITS_MAX
    assert 0 <= quantity.scale <= SCALE_MAX
    assert Quantity.decode(quantity.encode()) == quantity
    whole, rest = quantity.split(9)
    assert Quantity(whole, 9).plus(rest).minus(quantity).amount == 0


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
