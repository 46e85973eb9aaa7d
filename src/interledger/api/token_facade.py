"""What the API needs of the operator's named tokens, as interfaces. `interledger.node.admin_tokens` implements them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from interledger.accounts.credentials import Scope
from interledger.clock import Timestamp

__all__ = ["AdminTokenView", "AdminTokensFacade"]


class AdminTokenView(Protocol):
    """A token of the operator's, beside the one in the settings. `may`: scopes."""

    @property
    def id(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def may(self) -> Sequence[Scope]: ...
    @property
    def created_at(self) -> Timestamp: ...


class AdminTokensFacade(Protocol):
    """Tokens by the digests of what they are. What is `async` is durable when it returns."""

    def find(self, digest: str) -> AdminTokenView | None: ...
    def all(self) -> Sequence[AdminTokenView]: ...

    async def create(self, label: str, may: Sequence[Scope], digest: str) -> AdminTokenView:
        """Raises `ConflictError` where there are too many."""
        ...

    async def revoke(self, token_id: str) -> AdminTokenView:
        """Raises `NotFoundError`."""
        ...
