"""What the API needs to know of quotes and payments, as interfaces. Amounts are `int`, in units of the asset named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from interledger.accounts.asset import Asset
from interledger.clock import Timestamp

__all__ = [
    "KeptKeyView",
    "PaymentHistoryFacade",
    "PaymentView",
    "ProgressView",
    "QuoteView",
    "RatioView",
    "WaitingView",
]


class RatioView(Protocol):
    """A rate: so many delivered units for so many sent ones."""

    @property
    def numerator(self) -> int: ...
    @property
    def denominator(self) -> int: ...


class WaitingView(Protocol):
    """A Reject that may go away. `retry_ms`: nothing is sent for so long."""

    @property
    def code(self) -> str: ...
    @property
    def triggered_by(self) -> str: ...
    @property
    def retry_ms(self) -> int: ...


class QuoteView(Protocol):
    """What a payment would cost, as probed."""

    @property
    def send_max(self) -> int: ...
    @property
    def deliver_min(self) -> int: ...
    @property
    def rate(self) -> RatioView: ...
    @property
    def source_asset(self) -> Asset: ...
    @property
    def destination_asset(self) -> Asset: ...
    @property
    def receiver(self) -> str: ...
    @property
    def redirected_to(self) -> str | None:
        """The host that answered for the receiver, where another one was asked."""
        ...


class ProgressView(Protocol):
    """A payment at one moment. `sent`, `in_flight`, `unknown`, `send_max` in the source asset; `delivered` and
    `deliver_min` in the destination's, which is None until the receiver has told it."""

    @property
    def id(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def receiver(self) -> str: ...
    @property
    def source_asset(self) -> Asset: ...
    @property
    def destination_asset(self) -> Asset | None: ...
    @property
    def sent(self) -> int: ...
    @property
    def delivered(self) -> int: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def unknown(self) -> int: ...
    @property
    def send_max(self) -> int | None: ...
    @property
    def deliver_min(self) -> int | None: ...
    @property
    def packets(self) -> int: ...
    @property
    def fulfilled(self) -> int: ...
    @property
    def rejected(self) -> int: ...
    @property
    def error(self) -> str | None: ...
    @property
    def code(self) -> str | None: ...
    @property
    def started_at(self) -> Timestamp: ...
    @property
    def ended_at(self) -> Timestamp | None: ...
    @property
    def redirected_to(self) -> str | None: ...
    @property
    def receipt(self) -> str | None: ...
    @property
    def waiting(self) -> WaitingView | None:
        """What holds it up for a moment, while it runs."""
        ...


class PaymentView(Protocol):
    """A payment that the node carries out, whoever watches it."""

    @property
    def snapshot(self) -> ProgressView:
        """How it stands now."""
        ...

    @property
    def progress(self) -> AsyncIterator[ProgressView]:
        """How it stands now, and whenever that changes; the last one is final."""
        ...

    async def done(self) -> ProgressView:
        """Wait for the end."""
        ...

    def cancel(self) -> None:
        """Send no more. What is in flight is waited for."""
        ...


class KeptKeyView(Protocol):
    """What an `Idempotency-Key` was used for: the SHA-256 of the request's body in hex, and the payment."""

    @property
    def body(self) -> str: ...
    @property
    def payment(self) -> str: ...


class PaymentHistoryFacade(Protocol):
    """What the API needs of `node.payment_history`: payments that are in memory no more. They raise `StoreError`."""

    def get(self, payment_id: str) -> PaymentView:
        """Of those in memory. Raises `NotFoundError`."""
        ...

    async def find(self, payment_id: str) -> PaymentView:
        """Raises `NotFoundError`."""
        ...

    async def older(self, before: str | None, limit: int) -> Sequence[ProgressView]:
        """Newest first. Raises `NotFoundError` when the payment `before` is not there."""
        ...
