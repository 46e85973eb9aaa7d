"""Amounts that a node and a settlement engine tell each other: an integer, and the scale it counts in (RFC 38).

The two may count in different scales. Conversion is exact: whole units, and what is left of one, which is kept and
added to the next amount. Nothing is ever rounded away.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

from interledger.codec.strict_json import JsonNumber, parse_json_object
from interledger.errors import DecodeError

__all__ = ["DIGITS_MAX", "NOTHING", "SCALE_MAX", "Quantity"]

SCALE_MAX: Final = 255

DIGITS_MAX: Final = 78
"""Of an amount on the wire: as many as 2^256 has, which is the largest number that a ledger in use can name."""

_QUANTITY_OCTETS_MAX: Final = 4_096
_INTEGER: Final = re.compile(r"0|[1-9][0-9]*")
_DIGITS: Final = re.compile(r"[0-9]+")


class Quantity(NamedTuple):
    """`amount` units, of which 10^`scale` are one whole unit of the asset. The asset is the account's."""

    amount: int
    scale: int

    @classmethod
    def decode(cls, body: bytes) -> Quantity:
        """A `Quantity` object. Raises `DecodeError` for anything but digits and a scale from 0 to 255."""
        return cls.read(parse_json_object(body, octets_max=_QUANTITY_OCTETS_MAX))

    @classmethod
    def read(cls, value: Any) -> Quantity:
        """The same of what `parse_json` gave, or of a stored document."""
        if not isinstance(value, dict):
            raise DecodeError('a quantity is an object:  {"amount": "254", "scale": 2}')
        amount, scale = value.get("amount"), value.get("scale")
        # RFC 38: "This amount is encoded as a string to ensure no precision is lost"
        # The Java connector sends a number all the same (TRAP SE-3).
        if not isinstance(amount, str) or _DIGITS.fullmatch(amount) is None:
            raise DecodeError("amount is an integer of zero or more, as text")
        if isinstance(amount, JsonNumber) and _INTEGER.fullmatch(amount) is None:
            raise DecodeError("amount is an integer of zero or more, as text")
        if len(amount) > DIGITS_MAX:
            raise DecodeError(f"amount has more than {DIGITS_MAX} digits")
        # RFC 38: "Asset scale of the unit, between `0` and the maximum 8-bit unsigned integer, `255` (inclusive)."
        if type(scale) is int:
            number = scale
        elif isinstance(scale, JsonNumber) and _INTEGER.fullmatch(scale) is not None and len(scale) <= 3:
            number = int(scale)
        else:
            raise DecodeError("scale is a number from 0 to 255")
        if not 0 <= number <= SCALE_MAX:
            raise DecodeError("scale is a number from 0 to 255")
        return cls(int(amount), number)

    def encode(self) -> bytes:
        """As JSON, the amount as text."""
        return json.dumps(self.as_document()).encode("ascii")

    def as_document(self) -> dict[str, Any]:
        """`{"amount": "254", "scale": 2}`"""
        return {"amount": str(self.amount), "scale": self.scale}

    def plus(self, other: Quantity) -> Quantity:
        """The exact sum, in the finer scale of the two."""
        scale = max(self.scale, other.scale)
        return Quantity(self._in(scale) + other._in(scale), scale)

    def minus(self, other: Quantity) -> Quantity:
        """The exact difference. Raises `ValueError` when it would be below zero."""
        scale = max(self.scale, other.scale)
        difference = self._in(scale) - other._in(scale)
        if difference < 0:
            raise ValueError(f"{other} is more than {self}")
        return Quantity(difference, scale)

    def split(self, scale: int) -> tuple[int, Quantity]:
        """Whole units of `scale`, and what is left: less than one of them, exact."""
        if self.scale <= scale:
            return self._in(scale), NOTHING
        whole, rest = divmod(self.amount, 10 ** (self.scale - scale))
        return whole, Quantity(rest, self.scale).shortest()

    def shortest(self) -> Quantity:
        """The same in the coarsest scale that says it exactly."""
        amount, scale = self.amount, self.scale
        while scale and amount % 10 == 0:
            amount, scale = amount // 10, scale - 1
        return Quantity(amount, scale)

    def _in(self, scale: int) -> int:
        power: int = 10 ** (scale - self.scale)
        return self.amount * power


NOTHING: Final = Quantity(0, 0)
