"""What the API needs of a node's settlements, as an interface. `interledger.node.settlements` implements it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from interledger.accounts.account import AccountId
from interledger.api.books_facade import DecisionView
from interledger.settlement.records import Settlement

__all__ = ["EnginesFacade", "SettlementsFacade"]


class EnginesFacade(Protocol):
    """Engines for accounts that name none: asset code -> URL."""

    @property
    def defaults(self) -> Mapping[str, str]: ...

    async def set_defaults(self, engines: Mapping[str, str]) -> None:
        """Replaces all of them. Raises `InvalidRequestError` for a URL. Durable when it returns."""
        ...


class SettlementDecisionsFacade(Protocol):
    """What the API needs of `node.settlements.by_hand`: the first steps. They raise `ConflictError`."""

    def propose_resume(self, *, reason: str, by: str) -> DecisionView: ...
    def propose_void(self, settlement: Settlement, *, reason: str, by: str) -> DecisionView: ...
    def propose_approval(self, settlement: Settlement, *, reason: str, by: str) -> DecisionView: ...


class SettlementPageView(Protocol):
    """`cursor`: of the next page; None: there is none."""

    @property
    def items(self) -> Sequence[Settlement]: ...
    @property
    def cursor(self) -> str | None: ...


class SettlementHistoryFacade(Protocol):
    """What the API needs of `node.settlements.history`: all that the store has. They raise `StoreError`."""

    async def page(self, account: AccountId | None, limit: int, cursor: str | None) -> SettlementPageView:
        """Newest first. Raises `InvalidRequestError` for a cursor of nothing."""
        ...

    async def find(self, settlement_id: str) -> Settlement:
        """Raises `NotFoundError`."""
        ...


class SettlementsFacade(Protocol):
    """What the API needs of `node.settlements`. The errors are `interledger.errors`."""

    @property
    def engines(self) -> EnginesFacade: ...
    @property
    def by_hand(self) -> SettlementDecisionsFacade: ...
    @property
    def history(self) -> SettlementHistoryFacade: ...

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
