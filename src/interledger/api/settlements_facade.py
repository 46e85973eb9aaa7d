"""What the API needs of a node's settlements, as an interface. `interledger.node.settlements` implements it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from interledger.accounts.account import AccountId
from interledger.api.books_facade import DecisionView
from interledger.settlement.records import Settlement

__all__ = ["SettlementsFacade"]


class SettlementsFacade(Protocol):
    """What the API needs of `node.settlements`. The errors are `interledger.errors`."""

    def latest(self, account: AccountId | None, limit: int) -> Sequence[Settlement]: ...
    def get(self, settlement_id: str) -> Settlement:
        """Raises `NotFoundError`."""
        ...

    async def create(self, account_id: str, amount: int | None = None, *, by: str) -> Settlement:
        """Raises `NotFoundError`, `InvalidRequestError`, `ConflictError`, `StoreError`."""
        ...

    def retry(self, settlement_id: str) -> Settlement:
        """Raises `NotFoundError`, `ConflictError`."""
        ...

    def propose_void(self, settlement_id: str, *, reason: str, by: str) -> DecisionView:
        """Raises those."""
        ...

    def propose_approval(self, settlement_id: str, *, reason: str, by: str) -> DecisionView:
        """Raises those."""
        ...
