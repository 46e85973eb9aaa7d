"""The past of a node in its database: for the store of a running node, and for who looks at a stopped one's books."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, final

from interledger.accounts.books.past import Commit, Opening
from interledger.clock import Timestamp
from interledger.errors import StoreError
from interledger.store.backup import copy_books
from interledger.store.commit_log import LoggedCommit
from interledger.store.documents import Kind
from interledger.store.history import Backup
from interledger.store.rows import BEFORE, NEWEST, ONE, PLACE, document_of, documents_of, no_document
from interledger.store.tables import read_commits, read_snapshots

__all__ = ["SqliteHistory"]


@final
class SqliteHistory:
    """See `interledger.store.history.HistoryReader`. `lock` keeps the writer out while a connection reads for us.

    `database` gives the open connection, `latest` what is in the commit log; `errors` turns SQLite's errors into
    `StoreError`.
    """

    def __init__(
        self,
        path: Path,
        database: Callable[[], sqlite3.Connection],
        errors: Callable[[str], AbstractContextManager[None]],
        lock: Lock,
        latest: Callable[[], Sequence[LoggedCommit]],
    ) -> None:
        self._path = path
        self._database = database
        self._errors = errors
        self._lock = lock
        self._latest = latest

    def read_openings(self) -> list[Opening]:
        with self._lock, self._errors("read"):
            openings = [row.opening for row in read_snapshots(self._database(), self._path)]
            first = self._database().execute("SELECT seq, at_ms FROM journal ORDER BY seq LIMIT 1").fetchone()
            first = first or next(iter(self._latest()), None)
        if first is not None and first[0] == 1:
            openings.append(Opening(0, Timestamp(first[1]), None))
        if not openings:
            openings.append(Opening(0, Timestamp(0), None))
        return openings[::-1]

    def backup(self, place: Path) -> Backup:
        return copy_books(self._database(), self._latest, self._lock, place)

    def read_commits(self, after: int, limit: int) -> list[Commit]:
        with self._lock, self._errors("read"):
            db = self._database()
            chain, latest = self._chain_at(db, after), self._latest()
            return [commit for commit, _ in islice(read_commits(db, self._path, after, chain, latest), limit)]

    def read_document(self, kind: Kind, key: str) -> Any:
        with self._lock, self._errors("read"):
            row = self._database().execute(ONE.format("?"), (kind, key)).fetchone()
            return document_of(row, self._path, kind, key)

    def read_documents(self, kind: Kind, before: str | None, limit: int) -> list[tuple[str, Any]]:
        with self._lock, self._errors("read"):
            db = self._database()
            if before is None:
                return documents_of(db.execute(NEWEST.format("?"), (kind, limit)), self._path, kind)
            place = db.execute(PLACE.format("?"), (kind, before)).fetchone()
            if place is None:
                raise no_document(kind, before)
            return documents_of(db.execute(BEFORE.format("?"), (kind, place[0], limit)), self._path, kind)

    def _chain_at(self, db: sqlite3.Connection, seq: int) -> int:
        if seq == 0:
            return 0
        for commit in self._latest():
            if commit.seq == seq:
                return commit.chain
        for table in ("journal", "snapshot"):
            found = db.execute(f"SELECT chain FROM {table} WHERE seq = ?", (seq,)).fetchone()  # noqa: S608  # ours
            if found is not None:
                return int(found[0])
        raise StoreError(f"{self._path}: commit {seq} of the journal is not kept any more")
