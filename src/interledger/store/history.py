"""What a store can tell of the past: an opening balance, and every commit after it."""

from __future__ import annotations

from typing import Any, Protocol

from interledger.accounts.books.past import Commit, Opening

__all__ = ["HistoryReader"]


class HistoryReader(Protocol):
    """Reads a node's past. May be called in another thread than the one that writes; a call takes little time."""

    def read_openings(self) -> list[Opening]:
        """The snapshots that are kept, oldest first. The first one is where the kept journal begins."""
        ...

    def read_commits(self, after: int, limit: int) -> list[Commit]:
        """Up to `limit` commits that follow commit `after`. Raises `StoreError` when one is missing or damaged."""
        ...

    def read_settled(self, key: str) -> Any:
        """The document of a settlement that is done, None when there is none. Raises `StoreError`."""
        ...
