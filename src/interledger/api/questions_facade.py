"""What the API asks of a node's own questions: pings, what peers' books say, and where packets would go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from interledger.accounts.account import Account
from interledger.accounts.asset import Asset
from interledger.connector.explain import Explanation
from interledger.ilp.echo import PingKind

__all__ = [
    "ExplainerFacade",
    "ExplanationView",
    "HopView",
    "PeerPositionView",
    "PingView",
    "PositionView",
    "RequestsFacade",
]


class PositionView(Protocol):
    """Where an account stands. `room`: what the counterpart may still send; None where there is no limit."""

    @property
    def receivable(self) -> int: ...
    @property
    def payable(self) -> int: ...
    @property
    def net(self) -> int: ...
    @property
    def pending_in(self) -> int: ...
    @property
    def pending_out(self) -> int: ...
    @property
    def room(self) -> int | None: ...


class PeerPositionView(Protocol):
    """An account in two books: `theirs` is what the peer says that it owes us."""

    @property
    def ours(self) -> PositionView: ...
    @property
    def theirs(self) -> int: ...


class PingView(Protocol):
    """An answer to a ping: after how long, and with which ILP code, by whom, where it was a Reject."""

    @property
    def triggered_by(self) -> str: ...

    @property
    def round_trip_ms(self) -> int | float: ...
    @property
    def code(self) -> str | None: ...


class HopView(Protocol):
    """A node on the way to another."""

    @property
    def address(self) -> str: ...
    @property
    def round_trip_ms(self) -> int | float: ...
    @property
    def code(self) -> str | None: ...


class ExplanationView(Protocol):
    """What would become of a packet. `verdict`: `connector.explain.Explanation`."""

    @property
    def verdict(self) -> Explanation: ...
    @property
    def source_asset(self) -> Asset | None: ...
    @property
    def outgoing_account(self) -> str | None: ...
    @property
    def outgoing_asset(self) -> Asset | None: ...
    @property
    def nearest(self) -> Sequence[str]: ...


class RequestsFacade(Protocol):
    """Questions of the node itself to others."""

    async def peer_position(self, account: Account) -> PeerPositionView:
        """What the peer's books say. Raises `LinkError` when it does not tell."""
        ...

    async def ping(self, destination: str, timeout_ms: int = ..., *, kind: PingKind = ...) -> PingView:
        """Raises `TimeoutError`."""
        ...

    async def trace(self, destination: str, timeout_ms: int = ...) -> Sequence[HopView]:
        """The nodes on the way. Raises `TimeoutError`."""
        ...


class ExplainerFacade(Protocol):
    """Why packets go where they go."""

    def explain(self, destination: str, account_id: str | None, amount: int | None) -> ExplanationView:
        """Raises `NotFoundError`, `InvalidRequestError`."""
        ...
