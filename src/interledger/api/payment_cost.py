"""What a payment cost on its way: what arrived, beside what the node's own rates would have given for what was sent."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

from interledger.accounts.asset import Money
from interledger.api.facade import NodeFacade
from interledger.api.payment_views import ProgressView

__all__ = ["cost_document"]

MILLION: Final = 1_000_000


def cost_document(node: NodeFacade, payment: ProgressView) -> dict[str, Any]:
    """`{"cost": …}`, at the rates as they are now; null: nothing arrived yet, or there is no rate for it.

    `fee` in the asset that was sent; below zero, when rates have moved that way since.
    """
    market = _market(node, payment)
    if market is None:
        return {"cost": None}
    lost = payment.sent - payment.delivered / market
    fee = lost.numerator // lost.denominator
    return {
        "cost": {
            "fee": Money(fee, payment.source_asset).as_json(),
            "fee_per_million": fee * MILLION // payment.sent,
            "market": {"numerator": str(market.numerator), "denominator": str(market.denominator)},
        }
    }


def _market(node: NodeFacade, payment: ProgressView) -> Fraction | None:
    """Delivered units for a sent one, if nobody on the way kept anything."""
    source, destination = payment.source_asset, payment.destination_asset
    if destination is None or payment.sent <= 0 or payment.delivered <= 0:
        return None
    scales = Fraction(10**destination.scale, 10**source.scale)
    if source.code == destination.code:
        return scales
    values = {rate.code: Fraction(rate.value) for rate in node.exchange_rates.quoted()}
    if not values.get(source.code) or not values.get(destination.code):
        return None
    return values[source.code] / values[destination.code] * scales
