"""Documents about questions to others (pings, a peer's books, where a packet would go), and of a payment's packets."""

from __future__ import annotations

from typing import Any, TypedDict

from interledger.api.types import MoneyDocument, PaymentDocument, PendingDocument, RouteDocument

__all__ = [
    "HopDocument",
    "NextHopDocument",
    "PaymentWholeDocument",
    "PeerBalanceDocument",
    "PingDocument",
    "RefusalDocument",
    "RouteCandidateDocument",
    "RouteExplanationDocument",
]


class PeerBalanceDocument(TypedDict):
    """What a peer says of its account with us, in units; `difference` is ours less theirs."""

    account: str
    asset_code: str
    asset_scale: int
    owes_us_by_our_books: str
    owes_us_by_their_books: str
    difference: str
    pending: PendingDocument


class NextHopDocument(TypedDict):
    """Whom a packet would go to. `room`: what may still be sent there; None: no limit."""

    account: str
    amount: MoneyDocument | None
    less_ms: int
    room: MoneyDocument | None


class RefusalDocument(TypedDict):
    """The Reject a packet would meet, and at which step."""

    step: str
    code: str
    name: str
    message: str
    triggered_by: str
    amount_max: MoneyDocument | None


class RouteCandidateDocument(RouteDocument):
    """A route for a destination; `why_not` is None for the one that was chosen."""

    up: bool
    chosen: bool
    why_not: str | None


class RouteExplanationDocument(TypedDict):
    """Where a packet would go, and why. `outcome`: forwarded, refused or answered."""

    destination: str
    account: str | None
    amount: MoneyDocument | None
    outcome: str
    next: NextHopDocument | None
    refusal: RefusalDocument | None
    room: MoneyDocument | None
    candidates: list[RouteCandidateDocument]
    nearest: list[str]


class HopDocument(TypedDict):
    """A node on the way."""

    address: str
    round_trip_us: int
    code: str | None


class PingDocument(TypedDict):
    """The answer to a ping."""

    destination: str
    round_trip_us: int
    code: str | None
    triggered_by: str | None
    hops: list[HopDocument]


class PaymentWholeDocument(PaymentDocument):
    """One payment with its packets: see `PaymentWhole` of the OpenAPI document. None: they are not remembered."""

    trace: dict[str, Any] | None
