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
from interledger.errors import NotFoundError, StoreError
from interledger.store.base import PAYMENTS_READ, SETTLED_READ, StoredState, add_document
from interledger.store.documents import Kind, decode_document
from interledger.store.sealing import Sealer

__all__ = [
    "BEFORE",
    "DOCUMENTS",
    "LATEST",
    "LATEST_READ",
    "NEWEST",
    "ONE",
    "PLACE",
    "CommitRow",
    "SnapshotRow",
    "add_documents",
    "chain_of",
    "checked_commits",
    "checked_snapshots",
    "crc_of_document",
    "crc_of_snapshot",
    "document_of",
    "documents_of",
    "no_document",
]

DOCUMENTS: Final = (
    "SELECT kind, key, crc, body FROM document WHERE kind < 'payment' OR (kind > 'payment' AND kind < 'settled') "
    "OR kind > 'settled' ORDER BY id"
)
"""All but payments and settlements that are done. Not `<>`: of that, no index is used."""

LATEST: Final = (
    "SELECT kind, key, crc, body FROM (SELECT * FROM document WHERE kind = {0} ORDER BY id DESC LIMIT {0}) "
    "AS latest ORDER BY id"
)
"""The latest documents of a kind, oldest first. For `format`, which gets the mark of a parameter."""

LATEST_READ: Final = ((Kind.PAYMENT.value, PAYMENTS_READ), (Kind.SETTLED.value, SETTLED_READ))
"""Of which kinds how many are read at a start."""

ONE: Final = "SELECT crc, body FROM document WHERE kind = {0} AND key = {0}"
PLACE: Final = "SELECT id FROM document WHERE kind = {0} AND key = {0}"
NEWEST: Final = "SELECT key, crc, body FROM document WHERE kind = {0} ORDER BY id DESC LIMIT {0}"
BEFORE: Final = "SELECT key, crc, body FROM document WHERE kind = {0} AND id < {0} ORDER BY id DESC LIMIT {0}"

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
            raise _damaged(where, kind, key)
        add_document(state, kind, key, body, sealer)


def document_of(row: tuple[int, str] | None, where: object, kind: Kind, key: str) -> Any:
    """The body of a row (crc, body) of a document without secrets; None where there is no row."""
    if row is None:
        return None
    crc, body = row
    if crc_of_document(kind, key, body) != crc:
        raise _damaged(where, kind, key)
    return decode_document(kind, key, body)


def documents_of(rows: Iterable[tuple[str, int, str]], where: object, kind: Kind) -> list[tuple[str, Any]]:
    """Keys and bodies of rows (key, crc, body)."""
    return [(key, document_of((crc, body), where, kind, key)) for key, crc, body in rows]


def no_document(kind: Kind, key: str) -> NotFoundError:
    """What `read_documents` raises for a `before` that is not there."""
    return NotFoundError(f"The store has no {kind} “{key}”.")


def _damaged(where: object, kind: str, key: str) -> StoreError:
    return StoreError(f"{where}: the document {kind} “{key}” is damaged (its check sum differs)")
