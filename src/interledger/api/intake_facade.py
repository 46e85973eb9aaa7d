"""What the API needs of a node as a whole: whether it takes packets, its rates, its exchange of routes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from interledger.clock import Timestamp

__all__ = ["IntakeFacade", "RateView", "RatesFacade", "RouteExchangeFacade", "SessionView"]


class IntakeFacade(Protocol):
    """Whether the node takes new packets."""

    @property
    def is_open(self) -> bool: ...
    @property
    def is_stopping(self) -> bool: ...
    @property
    def in_flight(self) -> int: ...
    def close(self) -> None: ...

    def open(self) -> None:
        """Raises `ConflictError`."""
        ...

    def stop(self) -> None:
        """Raises `ConflictError`."""
        ...


class SessionView(Protocol):
    """How the exchange of routes with one peer stands. See `routing.ccp.session`."""

    @property
    def account(self) -> str: ...
    @property
    def is_up(self) -> bool: ...
    @property
    def speaker(self) -> str: ...
    @property
    def routes(self) -> int: ...
    @property
    def heard_at(self) -> Timestamp | None: ...
    @property
    def expires_at(self) -> Timestamp | None: ...
    @property
    def sends_updates(self) -> bool: ...
    @property
    def acknowledged(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def overflowed(self) -> bool: ...


class RouteExchangeFacade(Protocol):
    """What the API needs of `node.learned`."""

    def sessions(self) -> Sequence[SessionView]: ...
    def told(self, account: str, most: int) -> tuple[int, Sequence[str]]:
        """How many of our routes a peer was told, and the first `most` prefixes of them."""
        ...


class RateView(Protocol):
    """What one whole unit is worth in a common base, decimal text. `as_of`: None for one set by hand."""

    @property
    def code(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def as_of(self) -> Timestamp | None: ...


class RatesFacade(Protocol):
    """The exchange rates of a node."""

    def quoted(self) -> Sequence[RateView]:
        """One for each asset: the one that packets are converted by."""
        ...
