"""What the API needs of a run in which statements were exchanged. `interledger.node.statements` implements it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from interledger.accounts.asset import Asset
from interledger.application.statement.protocol import Findings
from interledger.application.statement.resolving import Resolution
from interledger.clock import Timestamp

__all__ = ["ReconciliationView"]


class ReconciliationView(Protocol):
    """One run with one peer."""

    @property
    def account(self) -> str: ...
    @property
    def asset(self) -> Asset: ...
    @property
    def at(self) -> Timestamp: ...
    @property
    def net(self) -> int: ...
    @property
    def findings(self) -> Findings: ...
    @property
    def resolutions(self) -> Sequence[Resolution]: ...
    @property
    def problem(self) -> str: ...
    @property
    def agrees(self) -> bool: ...
