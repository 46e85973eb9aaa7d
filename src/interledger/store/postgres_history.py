"""The past of a node in PostgreSQL, by a connection of its own that only reads: no commit waits for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar, final

from interledger.accounts.books.past import Commit, Opening
from interledger.clock import Timestamp
from interledger.errors import ConflictError, StoreError
from interledger.store.documents import Kind
from interledger.store.history import Backup
from interledger.store.postgres_errors import ServerLostError, postgres_errors
from interledger.store.postgres_session import Session
from interledger.store.postgres_tables import chain_at, read_commits, read_first, read_snapshots
from interledger.store.rows import BEFORE, NEWEST, ONE, PLACE, document_of, documents_of, no_document

__all__ = ["PostgresHistory"]

T = TypeVar("T")


@final
class PostgresHistory:
    """See `interledger.store.history.HistoryReader`. `connect` is called for the first question, and after an error."""

    def __init__(self, connect: Callable[[], Session]) -> None:
        self._connect = connect
        self._session: Session | None = None
        self._lock = Lock()

    def read_openings(self) -> list[Opening]:
        openings, first = self._read(lambda session: (
            [row.opening for row in read_snapshots(session.db, session.where)], read_first(session.db)
        ))  # fmt: skip
        if first is not None and first[0] == 1:
            openings.append(Opening(0, Timestamp(first[1]), None))
        if not openings:
            openings.append(Opening(0, Timestamp(0), None))
        return openings[::-1]

    def backup(self, place: Path) -> Backup:
        raise ConflictError("The books of this node are in PostgreSQL: back them up with  pg_dump -Fc")

    def read_commits(self, after: int, limit: int) -> list[Commit]:
        def read(session: Session) -> list[Commit]:
            db, where = session.db, session.where
            return [commit for commit, _ in read_commits(db, where, after, chain_at(db, where, after), limit)]

        return self._read(read)

    def read_document(self, kind: Kind, key: str) -> Any:
        def read(session: Session) -> Any:
            found = session.db.execute(ONE.format("%s"), (kind.value, key)).fetchone()
            return document_of(None if found is None else (found[0], found[1]), session.where, kind, key)

        return self._read(read)

    def read_documents(self, kind: Kind, before: str | None, limit: int) -> list[tuple[str, Any]]:
        def read(session: Session) -> list[tuple[str, Any]] | None:
            if before is None:
                rows = session.db.execute(NEWEST.format("%s"), (kind.value, limit))
            else:
                place = session.db.execute(PLACE.format("%s"), (kind.value, before)).fetchone()
                if place is None:
                    return None
                rows = session.db.execute(BEFORE.format("%s"), (kind.value, place[0], limit))
            return documents_of(((row[0], row[1], row[2]) for row in rows), session.where, kind)

        found = self._read(read)
        if found is None:
            raise no_document(kind, before or "")
        return found

    def close(self) -> None:
        """Waits for who reads. Safe to call twice."""
        with self._lock:
            self._drop()

    def _read(self, read: Callable[[Session], T]) -> T:
        with self._lock:
            if self._session is not None:
                try:
                    return self._read_once(self._session, read)
                except ServerLostError:
                    pass  # some time ago, perhaps: the server may have been started again
            self._session = self._connect()
            return self._read_once(self._session, read)

    def _read_once(self, session: Session, read: Callable[[Session], T]) -> T:
        """In one transaction: what it sees belongs together."""
        try:
            with postgres_errors(session.where, "read"), session.db.transaction():
                session.db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                return read(session)
        except StoreError:
            self._drop()
            raise

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()
