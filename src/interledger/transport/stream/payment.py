"""What a payer asks for and is told: target, settings, quote, progress, outcome. Values only."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple

from interledger.accounts.asset import Asset
from interledger.codec.oer import UINT64_MAX
from interledger.errors import InvalidRequestError, PaymentError
from interledger.transport.stream.crypto import PACKETS_MAX

__all__ = [
    "DEFAULT_SLIPPAGE",
    "FixedDelivery",
    "FixedSend",
    "PaymentEnded",
    "PaymentFailure",
    "Progress",
    "Quote",
    "QuoteError",
    "QuoteFailed",
    "QuoteReady",
    "SenderEvent",
    "SenderSettings",
    "Target",
    "Waiting",
    "check_target",
]

DEFAULT_SLIPPAGE: Final = Fraction(1, 100)
"""How much worse than quoted the rate may become before packets are refused."""


class FixedSend(NamedTuple):
    """Send exactly `amount`, in units of the source asset."""

    amount: int


class FixedDelivery(NamedTuple):
    """Deliver at least `amount`, in destination units, for at most `send_max` of the source (None: as quoted)."""

    amount: int
    send_max: int | None = None


Target = FixedSend | FixedDelivery


class PaymentFailure(enum.Enum):
    """Why a payment ended early. The value is a sentence for a person."""

    NO_ROUTE = "No node on the way knows a route to the receiver."
    NOT_EXPECTED = "The receiver does not know this payment: its address or secret is wrong or too old."
    REFUSED = "A node on the way refused the payment for good."
    NO_ANSWER = "No answer came back in time."
    NODE_UNREACHABLE = "A node on the way cannot reach the next one."
    BUSY = "A node on the way is overloaded or limits how many packets we may send."
    NO_LIQUIDITY = "A credit limit on the way has no room for the amount."
    TIMED_OUT = "Packets expired on the way before they were answered."
    RATE_TOO_LOW = "The rate is below the minimum that was asked for."
    TOO_EXPENSIVE = "The amount to deliver costs more than the payer allows."
    AMOUNT_TOO_SMALL = "The amount is so small that nothing would arrive."
    PACKETS_TOO_SMALL = "The way carries packets so small that rounding would cost more than the slippage allows."
    ASSET_UNKNOWN = "The receiver does not say in which asset it is paid."
    ASSET_CHANGED = "The receiver contradicts itself about the asset in which it is paid."
    RECEIVER_LIMIT = "The receiver does not accept more money."
    RECEIVER_DECLINED = "The receiver declined the money."
    CLOSED_BY_RECEIVER = "The receiver closed the connection."
    WRONG_FULFILLMENT = "Our own connector answered with a proof that does not fit."
    TOO_MANY_PACKETS = "The connection has used up its packets."
    TOO_LONG = "The payment took longer than it was given."
    OUTCOME_UNKNOWN = "Some packets were never answered: their money may have arrived or not."
    CANCELLED = "The payment was cancelled."

    @property
    def sentence(self) -> str:
        """The value, for readers of code that shows it."""
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderSettings:
    """Limits of one sender. Times in ms."""

    packet_lifetime_ms: int = 20_000
    """From sending a Prepare to its expiry: room for many hops, below the 30 s that connectors hold at most."""
    reply_grace_ms: int = 2_000
    """After the expiry: our connector's own R00 needs a moment to reach us. Then the outcome is unknown."""
    fulfill_timeout_ms: int = 10_000
    """The payment fails when nothing was fulfilled for so long."""
    quote_timeout_ms: int = 10_000
    """Asset discovery and rate probe together."""
    probe_timeout_ms: int = 3_000
    """An unanswered probe is repeated after this."""
    payment_timeout_ms: int | None = None
    """From `pay` on; None: as long as money moves."""
    in_flight_max: int = 1_000
    """Packets: what a connector allows one peer."""
    packets_max: int = PACKETS_MAX
    require_asset: bool = True
    """Whether a receiver that hides its asset is an error."""


class Quote(NamedTuple):
    """What the payment will cost and bring. Send amounts in source units, deliver amounts in destination units."""

    source_asset: Asset
    destination_asset: Asset | None
    send_max: int
    """At most this leaves the payer, whatever happens."""
    deliver_min: int
    """At least this arrives when all of the payment is made."""
    rate_low: Fraction
    rate_high: Fraction
    """Destination units per source unit as probed: low <= rate < high."""
    minimum_rate: Fraction
    """Packets that bring less are not accepted by the receiver."""
    packet_max: int | None
    """The largest packet the way carries, in source units, as far as known; None: no limit was met."""
    precise: bool
    """False: the probe saw fewer than three significant digits."""


class Waiting(NamedTuple):
    """What holds a payment up for a moment: a Reject that may go away."""

    code: str
    triggered_by: str
    """The address of who refused, as it calls itself: '' where it does not say."""
    retry_ms: int
    """Nothing is sent for so long; 0: less is sent at once."""


class Progress(NamedTuple):
    """Where a payment stands. `sent + in_flight + unknown <= send_max` always."""

    sent: int
    """Fulfilled, in source units."""
    delivered: int
    """Said by the receiver to have arrived, in destination units."""
    in_flight: int
    unknown: int
    """Never answered: possibly delivered, and never sent again. In source units."""
    packets_sent: int
    packets_fulfilled: int
    packets_rejected: int
    waiting: Waiting | None = None
    """Of the last answer from the way, where it was such a Reject."""


class QuoteReady(NamedTuple):
    """Event: the way is known. The sender waits for `pay`."""

    quote: Quote


class QuoteFailed(NamedTuple):
    """Event: no quote. `code` is the last ILP error code that said so, or ''."""

    failure: PaymentFailure
    code: str


class PaymentEnded(NamedTuple):
    """Event: no packet is in flight any more and none will be sent. `failure` is None when all was done."""

    failure: PaymentFailure | None
    code: str
    progress: Progress


SenderEvent = QuoteReady | QuoteFailed | PaymentEnded


class QuoteError(PaymentError):
    """No quote: `failure` says why, `code` is the last ILP error code that said so, or ''."""

    def __init__(self, failure: PaymentFailure, code: str) -> None:
        super().__init__(failure.sentence)
        self.failure = failure
        self.code = code


def check_target(target: Target) -> None:
    """Raises `InvalidRequestError` for amounts that cannot be paid."""
    amounts = [target.amount]
    if isinstance(target, FixedDelivery) and target.send_max is not None:
        amounts.append(target.send_max)
    if not all(0 < amount <= UINT64_MAX for amount in amounts):
        raise InvalidRequestError("an amount to pay is at least 1 and at most 2^64-1", "amount")
