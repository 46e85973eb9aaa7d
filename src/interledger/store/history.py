"""What a store can tell of the past: an opening balance, and every commit after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, Protocol

from interledger.accounts.books.past import Commit, Opening
from interledger.clock import Timestamp
from interledger.store.documents import Kind

__all__ = ["Backup", "HistoryReader"]


class Backup(NamedTuple):
    """A copy of the books in one file. `commit`: the last one in it, written at `at`; zeros where there is none."""

    path: Path
    octets: int
    commit: int
    at: Timestamp


class HistoryReader(Protocol):
    """Reads a node's past. May be called in another thread than the one that writes; a call takes little time."""

    def read_openings(self) -> list[Opening]:
        """The snapshots that are kept, oldest first. The first one is where the kept journal begins."""
        ...

    def read_commits(self, after: int, limit: int) -> list[Commit]:
        """Up to `limit` commits that follow commit `after`. Raises `StoreError` when one is missing or damaged."""
        ...

    def read_document(self, kind: Kind, key: str) -> Any:
        """The document of a payment, or of a settlement that is done; None when there is none. Raises `StoreError`."""
        ...

    def read_documents(self, kind: Kind, before: str | None, limit: int) -> list[tuple[str, Any]]:
        """Up to `limit` of them with their keys, newest first: those before the one whose key is `before`, or the
        newest of all. Raises `NotFoundError` when `before` is not there, `StoreError`.
        """
        ...

    def backup(self, place: Path) -> Backup:
        """Copy all that was written into the new file `place`, while others write on. It may take long.

        Raises `ConflictError`, which says how it is done, where the store cannot do that; `StoreError`.
        """
        ...
