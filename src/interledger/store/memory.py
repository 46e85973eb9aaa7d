"""A store that keeps nothing beyond the process: for tests, simulations, and use as a library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

from interledger.accounts.books.past import Commit, Opening
from interledger.accounts.ledger import Ledger
from interledger.accounts.snapshot import Snapshot, encode_snapshot
from interledger.clock import Timestamp
from interledger.errors import ConflictError
from interledger.store.base import Change, Documents, StoredState, add_document
from interledger.store.documents import Kind, decode_document
from interledger.store.history import Backup
from interledger.store.replay import replay
from interledger.store.rows import LATEST_READ, no_document

__all__ = ["MemoryStore"]


@final
class MemoryStore(Documents):
    """Keeps what the durable stores keep, in memory. Opened again in the same process, it loads what was written."""

    def __init__(self) -> None:
        super().__init__()
        self._commits: list[Commit] = []
        self._opening = Opening(0, Timestamp(0), None)
        self._documents: dict[tuple[Kind, str], str] = {}
        self._octets = 0
        self._seq = 0

    def open(self) -> None:
        """Nothing to take."""

    def close(self) -> None:
        """Nothing to let go."""

    def load(self, ledger: Ledger) -> StoredState:
        state = StoredState()
        state.records_replayed = replay(
            ledger, self._opening.state, [(seq, records) for seq, _, records in self._commits]
        )
        unread: set[tuple[Kind, str]] = set()
        for kind, read in LATEST_READ:
            there = [key for key in self._documents if key[0].value == kind]
            unread.update(there[: max(len(there) - read, 0)])
        for (kind, key), body in self._documents.items():
            if (kind, key) not in unread:
                add_document(state, kind, key, body, self.sealer)
        return state

    @property
    def history(self) -> MemoryStore:
        return self

    def read_openings(self) -> list[Opening]:
        return [self._opening]

    def read_commits(self, after: int, limit: int) -> list[Commit]:
        return [commit for commit in self._commits if commit.seq > after][:limit]

    def read_document(self, kind: Kind, key: str) -> Any:
        body = self._documents.get((kind, key))
        return None if body is None else decode_document(kind, key, body)

    def read_documents(self, kind: Kind, before: str | None, limit: int) -> list[tuple[str, Any]]:
        keys = [key for known, key in list(self._documents) if known is kind]
        if before is not None:
            if before not in keys:
                raise no_document(kind, before)
            keys = keys[: keys.index(before)]
        return [(key, decode_document(kind, key, self._documents[kind, key])) for key in keys[::-1][:limit]]

    @property
    def octets_since_snapshot(self) -> int:
        return self._octets

    def write(
        self,
        records: bytes,
        at: Timestamp,
        changes: Sequence[Change] = (),
        snapshot: Snapshot | None = None,
    ) -> None:
        if records:
            self._seq += 1
            self._commits.append(Commit(self._seq, at, records))
            self._octets += len(records)
        for kind, key, body in changes:
            if body is None:
                self._documents.pop((kind, key), None)
            else:
                self._documents[kind, key] = body
        kept = self._payments_to_keep(changes)
        if kept is not None:
            self._forget_old_payments(kept)
        if snapshot is not None:
            self._opening = Opening(self._seq, at, encode_snapshot(snapshot))
            self._commits.clear()
            self._octets = 0

    def release_reserve(self) -> None:
        """Nothing is kept."""

    def scrub(self) -> None:
        """Nothing is left of what was written over."""

    def backup(self, place: Path) -> Backup:
        raise ConflictError("This node keeps nothing (durability is memory), so there is nothing to back up.")

    def _forget_old_payments(self, kept: int) -> None:
        payments = [key for key in self._documents if key[0] is Kind.PAYMENT]
        for key in payments[: max(len(payments) - kept, 0)]:
            del self._documents[key]
