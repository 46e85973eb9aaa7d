"""Rows of a store's tables, checked one by one: a database may have lost, changed or exchanged some of them.

The same for every database. `where` names it in the `StoreError` that each function raises for a row that is damaged.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Any, Final, NamedTuple

from interledger.accounts.books.past import Commit, Opening
from interledger.clock import Timestamp
from interledger.errors import StoreError
from interledger.store.base import StoredState, add_document
from interledger.store.documents import Kind, decode_document
from interledger.store.sealing import Sealer

__all__ = [
    "DOCUMENTS",
    "LATEST_SETTLED",
    "CommitRow",
    "SnapshotRow",
    "add_documents",
    "chain_of",
    "checked_commits",
    "checked_snapshots",
    "crc_of_document",
    "crc_of_snapshot",
    "read_settled",
]

DOCUMENTS: Final = "SELECT kind, key, crc, body FROM document WHERE kind < 'settled' OR kind > 'settled' ORDER BY id"
"""All but settlements that are done. Not `<>`: of that, no index is used."""

LATEST_SETTLED: Final = (
    "SELECT kind, key, crc, body FROM (SELECT * FROM document WHERE kind = 'settled' ORDER BY id DESC LIMIT {}) "
    "AS latest ORDER BY id"
)

_LINK = Struct(">IQQ")

CommitRow = tuple[int, int, int, bytes]
"""(seq, at in ms, chain, records)."""


class SnapshotRow(NamedTuple):
    """The ledger after commit `seq`; `chain` continues in the commit after it."""

    seq: int
    at: Timestamp
    chain: int
    state: bytes

    @property
    def opening(self) -> Opening:
        return Opening(self.seq, self.at, self.state)


def chain_of(before: int, seq: int, at: int, records: bytes) -> int:
    """The check sum that links a commit to the one before it."""
    return zlib.crc32(records, zlib.crc32(_LINK.pack(before, seq, at)))


def crc_of_snapshot(seq: int, chain: int, state: bytes) -> int:
    """The check sum of a snapshot."""
    return zlib.crc32(state, zlib.crc32(_LINK.pack(chain, seq, 0)))


def crc_of_document(kind: str, key: str, body: str) -> int:
    """The check sum of a document."""
    return zlib.crc32("\0".join((kind, key, body)).encode())


def checked_snapshots(rows: Iterable[tuple[int, int, int, int, bytes]], where: object) -> Iterator[SnapshotRow]:
    """Of rows (seq, at, chain, crc, state)."""
    for seq, at, chain, crc, state in rows:
        if crc_of_snapshot(seq, chain, state) != crc:
            raise StoreError(f"{where}: the snapshot of commit {seq} is damaged (its check sum differs)")
        yield SnapshotRow(seq, Timestamp(at), chain, bytes(state))


def checked_commits(rows: Iterable[CommitRow], where: object, seq: int, chain: int) -> Iterator[tuple[Commit, int]]:
    """Those that follow `seq`, whose chain is `chain`, and the chain of each. `rows` begin after `seq`."""
    for found, at, stored_chain, records in rows:
        if found != seq + 1:
            raise StoreError(f"{where}: commit {seq + 1} of the journal is missing")
        seq, chain = found, chain_of(chain, found, at, records)
        if chain != stored_chain:
            raise StoreError(f"{where}: commit {seq} of the journal is damaged (its check sum differs)")
        yield Commit(seq, Timestamp(at), records), chain


def add_documents(
    rows: Iterable[tuple[str, str, int, str]], where: object, state: StoredState, sealer: Sealer | None
) -> None:
    """Put the documents of rows (kind, key, crc, body) where they belong in `state`; `sealer` opens the secrets."""
    for kind, key, crc, body in rows:
        if crc_of_document(kind, key, body) != crc:
            raise StoreError(f"{where}: the document {kind} “{key}” is damaged (its check sum differs)")
        add_document(state, kind, key, body, sealer)


def read_settled(row: tuple[int, str] | None, where: object, key: str) -> Any:
    """The body of a row (crc, body); None where there is no row."""
    if row is None:
        return None
    crc, body = row
    if crc_of_document(Kind.SETTLED, key, body) != crc:
        raise StoreError(f"{where}: the document {Kind.SETTLED} “{key}” is damaged (its check sum differs)")
    return decode_document(Kind.SETTLED, key, body)
