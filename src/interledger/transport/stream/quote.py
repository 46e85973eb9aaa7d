"""From what the probes found to what the payer is offered."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from interledger.accounts.asset import Asset
from interledger.transport.stream.payment import FixedDelivery, PaymentFailure, Quote, Target
from interledger.transport.stream.probe import RateProbe
from interledger.transport.stream.rate import PRECISE_ARRIVED, RateEstimate

__all__ = ["make_quote"]

ROUNDING: Final = 2
"""Destination units that a delivery may cost more because nodes on the way round down."""


def make_quote(
    target: Target,
    probe: RateProbe,
    rate: RateEstimate,
    assets: tuple[Asset, Asset | None],
    slippage: Fraction,
    minimum_rate: Fraction | None,
) -> Quote | PaymentFailure:
    """The quote, or why the payment cannot be made. `minimum_rate` (units of raw amounts) goes before `slippage`."""
    least = rate.low * (1 - slippage) if minimum_rate is None else minimum_rate
    if least >= rate.high:
        return PaymentFailure.RATE_TOO_LOW
    if isinstance(target, FixedDelivery):
        send_max = _ceil(target.amount / least)
        if minimum_rate is None:
            # Of a handful of units, roundings on the way cost more than a hundredth: the offer has to say so.
            send_max = max(send_max, rate.source_for(target.amount + ROUNDING) + 1)
            least = min(least, Fraction(target.amount, send_max))
        if target.send_max is not None and target.send_max < send_max:
            if target.send_max < rate.source_for(target.amount):
                return PaymentFailure.TOO_EXPENSIVE
            # The payer's own limit asks for a better rate than the slippage would.
            send_max = target.send_max
            least = max(least, Fraction(target.amount, send_max))
        deliver_min = target.amount
    else:
        send_max = target.amount
        if not rate.arrives_at_least(send_max):
            return PaymentFailure.AMOUNT_TOO_SMALL
        deliver_min = max(1, int(send_max * least))
    largest = probe.packet_max
    if largest is not None and largest < send_max and rate.arrives_at_least(largest) < _ceil(largest * least):
        return PaymentFailure.PACKETS_TOO_SMALL
    return Quote(
        source_asset=assets[0],
        destination_asset=assets[1],
        send_max=send_max,
        deliver_min=deliver_min,
        rate_low=rate.low,
        rate_high=rate.high,
        minimum_rate=least,
        packet_max=largest,
        precise=rate.arrived_max >= PRECISE_ARRIVED,
    )


def _ceil(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
