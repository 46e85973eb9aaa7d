"""What the API needs of payments that came in, as interfaces. `interledger.node.incoming` implements them."""

from __future__ import annotations

from collections.abc import AsyncIterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from interledger.accounts.account import AccountId
from interledger.accounts.asset import Asset
from interledger.clock import Timestamp

__all__ = ["IncomingFacade", "IncomingView", "PacketView"]


class PacketView(Protocol):
    """One fulfilled packet of a payment that comes in; `amount` 0 and `closed`: its payer sends no more."""

    @property
    def account(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def destination(self) -> str: ...
    @property
    def amount(self) -> int: ...
    @property
    def at(self) -> Timestamp: ...
    @property
    def sequence(self) -> int: ...
    @property
    def closed(self) -> bool: ...


class IncomingView(Protocol):
    """A payment that came in, at one moment. `source`: the account that its packets came from."""

    @property
    def id(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def asset(self) -> Asset: ...
    @property
    def received(self) -> int: ...
    @property
    def packets(self) -> int: ...
    @property
    def started_at(self) -> Timestamp: ...
    @property
    def last_at(self) -> Timestamp: ...
    def is_over(self, now: Timestamp) -> bool: ...


class IncomingFacade(Protocol):
    """What the API needs of `node.incoming`."""

    def now(self) -> Timestamp: ...
    def all(self) -> Sequence[IncomingView]:
        """Newest first."""
        ...

    def get(self, payment_id: str) -> IncomingView:
        """Raises `NotFoundError`."""
        ...

    def watch(self, account: AccountId | None) -> AbstractContextManager[AsyncIterable[PacketView]]:
        """Packets from now on: of one account, or of all. They end when it was read too slowly."""
        ...
