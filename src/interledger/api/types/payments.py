"""Documents about payments. Made by `python -m tools.docs` from the schemas."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from interledger.api.types.core import MoneyDocument, ProblemDocument, RatioDocument

__all__ = [
    "PaymentDocument",
    "PaymentPacketsDocument",
    "PaymentTermsDocument",
    "PaymentWaitingDocument",
    "QuoteDocument",
]


class PaymentPacketsDocument(TypedDict):
    """`packets` of `Payment`."""

    sent: int
    fulfilled: int
    rejected: int


class PaymentWaitingDocument(TypedDict):
    """What holds it up for a moment, and for how long nothing is sent"""

    code: str
    triggered_by: str
    retry_ms: int


class PaymentDocument(TypedDict):
    """A payment at one moment. `ended_at` is null while it runs."""

    id: str
    state: Literal["quoting", "sending", "delivered", "partial", "failed", "unknown", "cancelled"]
    account: str
    receiver: str
    redirected_to: str | None
    sent: MoneyDocument
    delivered: MoneyDocument | None
    in_flight: MoneyDocument
    unknown: MoneyDocument
    deliver_min: MoneyDocument | None
    send_max: MoneyDocument | None
    rate: RatioDocument | None
    packets: PaymentPacketsDocument
    waiting: PaymentWaitingDocument | None
    """What holds it up for a moment, and for how long nothing is sent"""
    error: ProblemDocument | None
    code: str | None
    receipt: str | None
    """What the receiver signed for a third party (RFC 39), in base64, where one asked for it"""
    started_at: str
    ended_at: str | None
    duration_ms: int | None


class PaymentTermsDocument(TypedDict):
    """What is to be paid: `send` or `deliver`, or a quote."""

    receiver: str
    """A payment pointer or an SPSP URL"""
    account: NotRequired[str]
    """Who pays; with an account's token, that one"""
    send: NotRequired[str | MoneyDocument | None]
    deliver: NotRequired[str | MoneyDocument | None]
    slippage: NotRequired[float | str]
    min_rate: NotRequired[float | str]
    quote_id: NotRequired[str]
    """Of a quote that this payment takes; in place of an amount"""


class QuoteDocument(TypedDict):
    """What a payment would cost: at most `send_max` leaves, at least `deliver_min` arrives."""

    id: str
    account: str
    receiver: str
    redirected_to: str | None
    send_max: MoneyDocument
    deliver_min: MoneyDocument
    rate: RatioDocument
