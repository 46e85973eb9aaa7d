"""A payment of this node: what was asked for, what it would cost, and how far it has come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple, final

from interledger.accounts.account import Account, AccountId
from interledger.accounts.asset import Asset
from interledger.application.spsp.shell import SpspDetails
from interledger.clock import Timestamp
from interledger.errors import PaymentError
from interledger.routing.rate_sources import format_rate
from interledger.transport.stream.payment import Waiting

__all__ = ["Payment", "PaymentTerms", "Quote", "Rate", "RateTooLowError", "Snapshot"]


class RateTooLowError(PaymentError):
    """The rate is below the one that was asked for; nothing was sent. Rates are whole units for a whole unit."""

    def __init__(self, rate: Fraction, min_rate: Fraction) -> None:
        super().__init__(f"the rate is {format_rate(rate)}, you asked for at least {format_rate(min_rate)}")
        self.rate = rate
        self.min_rate = min_rate


class Rate(NamedTuple):
    """Delivered units for sent ones."""

    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """What is asked for: who pays whom, and one of `send` (source units) and `deliver` (destination units).

    `min_rate`: delivered whole units for a sent one, at least.
    """

    account: Account
    receiver: str
    send: int | None
    deliver: int | None
    slippage: Fraction
    min_rate: Fraction | None


@dataclass(frozen=True, slots=True)
class Quote:
    """What a payment would cost, as probed. `details`: where it goes; it may be used for one payment."""

    receiver: str
    source_asset: Asset
    destination_asset: Asset
    send_max: int
    deliver_min: int
    rate: Rate
    packet_max: int | None
    terms: PaymentTerms
    details: SpspDetails

    @property
    def redirected_to(self) -> str | None:
        """The host that answered for the receiver, where another one was asked (RFC 26)."""
        return self.details.redirected_to


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A payment at one moment. Amounts sent are in the source asset, amounts delivered in the destination's."""

    id: str
    account: AccountId
    receiver: str
    state: str
    source_asset: Asset
    started_at: Timestamp
    destination_asset: Asset | None = None
    sent: int = 0
    delivered: int = 0
    in_flight: int = 0
    unknown: int = 0
    send_max: int | None = None
    deliver_min: int | None = None
    packets: int = 0
    fulfilled: int = 0
    rejected: int = 0
    error: str | None = None
    code: str | None = None
    ended_at: Timestamp | None = None
    redirected_to: str | None = None
    """The host that answered for the receiver, where another one was asked (RFC 26)."""
    receipt: str | None = None
    """The receiver's receipt that says most, in base64, where it gives out some (RFC 39)."""
    waiting: Waiting | None = None
    """What holds it up for a moment. Nobody keeps that."""

    def as_document(self) -> dict[str, Any]:
        """For the store: no number is a float, assets are text."""
        document = {name: getattr(self, name) for name in self.__slots__ if name != "waiting"}
        document["source_asset"] = [self.source_asset.code, self.source_asset.scale]
        if self.destination_asset is not None:
            document["destination_asset"] = [self.destination_asset.code, self.destination_asset.scale]
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Snapshot:
        """What `as_document` wrote. One that had not ended when the node did is unknown."""
        fields: dict[str, Any] = {name: document.get(name) for name in cls.__slots__}
        fields["source_asset"] = Asset(*document["source_asset"])
        if document.get("destination_asset") is not None:
            fields["destination_asset"] = Asset(*document["destination_asset"])
        snapshot = cls(**fields)
        if snapshot.ended_at is None:
            text = "The node stopped while the payment was under way."
            return replace(snapshot, state="unknown", error=text, ended_at=snapshot.started_at)
        return snapshot


@final
class Payment:
    """A payment of this node. Its figures are those of `snapshot`, which is replaced as it goes on."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._changed = asyncio.Event()
        self._cancel: asyncio.Event = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.snapshot, name)

    @property
    def progress(self) -> AsyncIterator[Snapshot]:
        """What it is now and whenever that changes, ending with the final state."""
        return self._watch()

    async def _watch(self) -> AsyncIterator[Snapshot]:
        while True:
            seen = self.snapshot
            yield seen
            if seen.ended_at is not None:
                return
            while self.snapshot is seen:
                await self._changed.wait()

    async def done(self) -> Snapshot:
        """Wait for the end."""
        while self.snapshot.ended_at is None:
            await self._changed.wait()
        return self.snapshot

    def cancel(self) -> None:
        """Send no more. What is in flight is waited for."""
        self._cancel.set()

    @property
    def cancelled(self) -> asyncio.Event:
        """Set once `cancel` was called."""
        return self._cancel

    def update(self, **fields: Any) -> None:
        """Replace fields, and wake whoever watches."""
        self.snapshot = replace(self.snapshot, **fields)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
