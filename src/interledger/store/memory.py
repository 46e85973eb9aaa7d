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
from interledger.store.base import (
    PAYMENTS_KEPT,
    SETTLED_READ,
    Change,
    Documents,
    StoredState,
    add_document,
)
from interledger.store.documents import Kind, decode_document
from interledger.store.history import Backup
from interledger.store.replay import replay

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
        done = [key for key in self._documents if key[0] is Kind.SETTLED]
        unread = set(done[: max(len(done) - SETTLED_READ, 0)])
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

    def read_settled(self, key: str) -> Any:
        body = self._documents.get((Kind.SETTLED, key))
        return None if body is None else decode_document(Kind.SETTLED, key, body)

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
        if any(change.kind is Kind.PAYMENT for change in changes):
            self._forget_old_payments()
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

    def _forget_old_payments(self) -> None:
        payments = [key for key in self._documents if key[0] is Kind.PAYMENT]
        for key in payments[: max(len(payments) - PAYMENTS_KEPT, 0)]:
            del self._documents[key]
