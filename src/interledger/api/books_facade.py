"""What the API needs of a node's books, as an interface. `interledger.node.books` implements it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from interledger.accounts.asset import Asset
from interledger.accounts.books.check import CheckReport
from interledger.accounts.books.export import ExportFormat
from interledger.accounts.books.memo import Memo
from interledger.accounts.books.period import Period
from interledger.accounts.books.profit import ProfitReport
from interledger.accounts.books.readings import ItemHistory
from interledger.accounts.books.statement import By, StatementReport
from interledger.accounts.ledger import LedgerAccount, Unknown
from interledger.accounts.unproven import Unproven
from interledger.api.reconciliation_view import ReconciliationView
from interledger.clock import Timestamp

__all__ = [
    "AtRiskView",
    "BackupView",
    "BooksFacade",
    "ClaimsFacade",
    "ComparisonView",
    "DecisionView",
    "EffectView",
]


class AtRiskView(Protocol):
    """What could be lost with one peer now, in units of the asset."""

    @property
    def account(self) -> str: ...
    @property
    def asset(self) -> Asset: ...
    @property
    def owed(self) -> int: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def unknown(self) -> int: ...
    @property
    def unproven(self) -> int: ...


class EffectView(Protocol):
    """What a decision does to one account's net."""

    @property
    def name(self) -> str: ...
    @property
    def asset(self) -> Asset: ...
    @property
    def before(self) -> int: ...
    @property
    def after(self) -> int: ...


class ComparisonView(Protocol):
    """One account in two books, in units of its asset: above zero, the peer owes us. None: the peer does not say."""

    @property
    def account(self) -> str: ...
    @property
    def asset(self) -> Asset: ...
    @property
    def ours(self) -> int: ...
    @property
    def theirs(self) -> int | None: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def unknown(self) -> int: ...
    @property
    def unexplained(self) -> int: ...
    @property
    def problem(self) -> str: ...


class DecisionView(Protocol):
    """A decision; `done_at` is None until it was confirmed."""

    @property
    def id(self) -> str: ...
    @property
    def memo(self) -> Memo: ...
    @property
    def text(self) -> str: ...
    @property
    def effects(self) -> Sequence[EffectView]: ...
    @property
    def made_at(self) -> Timestamp: ...
    @property
    def done_at(self) -> Timestamp | None: ...


class ClaimsFacade(Protocol):
    """Claims that peers do not count."""

    def all(self) -> Sequence[Unproven]: ...

    async def propose_beginning(self, account_id: str, condition: bytes, *, reason: str, by: str) -> DecisionView:
        """Raises `NotFoundError`, `ConflictError`."""
        ...

    def propose_end(self, item_ids: Sequence[int], *, owed: bool, reason: str, by: str) -> DecisionView:
        """Raises `NotFoundError`."""
        ...


class BackupView(Protocol):
    """A copy of the books in one file on the node's machine; `commit` is the last one in it."""

    @property
    def path(self) -> Path: ...
    @property
    def octets(self) -> int: ...
    @property
    def commit(self) -> int: ...
    @property
    def at(self) -> Timestamp: ...


class BooksFacade(Protocol):
    """The books of a running node. The errors named are `interledger.errors`."""

    @property
    def claims(self) -> ClaimsFacade: ...

    def now(self) -> Timestamp: ...
    def accounts(self) -> Sequence[LedgerAccount]: ...
    async def check(self) -> CheckReport: ...

    async def backup(self) -> BackupView:
        """Raises `ConflictError` where the store is backed up otherwise, `StoreError`."""
        ...

    async def compare(self) -> Sequence[ComparisonView]: ...

    async def reconcile(self, account_id: str) -> ReconciliationView:
        """Raises `NotFoundError`, `InvalidRequestError`, `StoreError`; never for what the peer does."""
        ...

    async def statement(self, name: str, asset: Asset | None, period: Period, by: By) -> StatementReport:
        """Raises `NotFoundError`, `InvalidRequestError`."""
        ...

    async def profit(self, period: Period) -> ProfitReport: ...

    async def export(self, form: ExportFormat, period: Period, by: By) -> str:
        """Raises `InvalidRequestError` when it is too much."""
        ...

    def unknown(self) -> Sequence[Unknown]: ...

    def unknown_item(self, item_id: int) -> Unknown:
        """Raises `NotFoundError`."""
        ...

    async def unknown_history(self, item: Unknown) -> ItemHistory: ...

    async def prove(self, item_id: int, fulfillment: bytes) -> Unknown:
        """Raises `InvalidRequestError` for what is no proof."""
        ...

    def propose_resolution(self, item_ids: Sequence[int], *, delivered: bool, reason: str, by: str) -> DecisionView:
        """Raises `NotFoundError`, `ConflictError`."""
        ...

    def propose_correction(
        self, debit: str, credit: str, amount: int, asset: Asset, *, reason: str, by: str
    ) -> DecisionView:
        """Raises `NotFoundError`, `InvalidRequestError`."""
        ...

    async def confirm(self, decision_id: str) -> DecisionView:
        """Raises `NotFoundError`. Durable when it returns."""
        ...
