"""What amounts of several assets are worth together, at the node's own rates. For people; nothing is paid by it."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple, final

from interledger.accounts.asset import Asset, Money

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["Worth", "WorthTotal"]

SCALE: Final = 9
"""Decimal places of a sum. Rounded down."""


class WorthTotal(NamedTuple):
    """A sum, and the codes of assets that are not in it because the node has no rate for them."""

    money: Money
    unpriced: tuple[str, ...]


@final
class Worth:
    """Counts in USD where there is a rate for it, else in the first asset that the node has an account in."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def unit(self) -> Asset:
        """What sums are told in."""
        values = self._values()
        codes = sorted({account.asset.code for account in self._node.accounts()})
        if "USD" in values or "USD" in codes or not codes:
            return Asset("USD", SCALE)
        return Asset(next((code for code in codes if code in values), codes[0]), SCALE)

    def total(self, amounts: Iterable[tuple[Asset, int]]) -> WorthTotal:
        """Of integer units of assets."""
        unit, values = self.unit(), self._values()
        total, unpriced = Fraction(0), set()
        for asset, amount in amounts:
            if asset.code == unit.code:
                total += Fraction(amount, 10**asset.scale)
            elif asset.code in values and unit.code in values:
                total += Fraction(amount, 10**asset.scale) * values[asset.code] / values[unit.code]
            elif amount:
                unpriced.add(asset.code)
        whole = total * 10**SCALE
        return WorthTotal(Money(whole.numerator // whole.denominator, unit), tuple(sorted(unpriced)))

    def _values(self) -> dict[str, Fraction]:
        values: dict[str, Fraction] = {}
        for value in self._node.exchange.values():
            values.setdefault(value.code, value.value)
        return values
