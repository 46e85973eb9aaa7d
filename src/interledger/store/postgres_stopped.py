"""The books of a node that does not run, in its PostgreSQL database: to look at and not to touch.

The node's lock is held meanwhile, so that no node starts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from interledger.errors import NotFoundError
from interledger.store.base import Durability
from interledger.store.history import HistoryReader
from interledger.store.postgres_errors import postgres_errors
from interledger.store.postgres_history import PostgresHistory
from interledger.store.postgres_session import Session
from interledger.store.postgres_tables import check_form

__all__ = ["open_stopped_postgres"]


@contextlib.contextmanager
def open_stopped_postgres(url: str) -> Iterator[HistoryReader]:
    """Raises `NotFoundError` where there are no books; `StoreError` while a node uses them, or they are damaged."""
    session = Session(url, Durability.PROCESS, "ilp ledger")
    try:
        with postgres_errors(session.where, "read"):
            if not check_form(session.db, session.where):
                raise NotFoundError(f"There are no books in {session.where}.")
            session.take_lock()
        history = PostgresHistory(lambda: Session(url, Durability.PROCESS, "ilp ledger"))
        try:
            yield history
        finally:
            history.close()
    finally:
        session.release()
