"""The store that a node's settings ask for."""

from __future__ import annotations

import os
from pathlib import Path

from interledger.errors import StoreError
from interledger.store.base import Durability, Store
from interledger.store.memory import MemoryStore
from interledger.store.sqlite import DATABASE, SqliteStore
from interledger.store.stamp import STAMP, read_stamp

__all__ = ["MEMORY", "open_store", "require_psycopg"]

MEMORY = "memory"
"""The `durability` of a node that keeps nothing."""


def open_store(directory: str | os.PathLike[str], durability: str, url: str | None = None) -> Store:
    """An open store in `directory`, or in the PostgreSQL database at `url`. `durability`: `power`, `process` (see
    `Durability`) or `memory`.

    Raises `StoreError` when the directory or database is in use, cannot be read, or has no room.
    """
    store: Store
    if durability == MEMORY:
        store = MemoryStore()
    elif url is not None:
        require_psycopg()
        from interledger.store.postgres import PostgresStore

        store = PostgresStore(url, Durability(durability), directory=Path(directory))
    else:
        _check_elsewhere(Path(directory))
        store = SqliteStore(Path(directory), Durability(durability))
    store.open()
    return store


def require_psycopg() -> None:
    """Raises `StoreError`, which says what to install, without the driver."""
    try:
        import psycopg  # noqa: F401  # is it there?
    except ImportError as error:
        raise StoreError(
            f"PostgreSQL needs the extra  postgres:  pip install 'interledger-py[node,postgres]'  ({error})"
        ) from None


def _check_elsewhere(directory: Path) -> None:
    """A node whose setting `store` was lost would begin again with empty books."""
    if not (directory / DATABASE).exists() and read_stamp(directory) is not None:
        raise StoreError(
            f"The books of this node are in PostgreSQL, as {directory / STAMP} says, and no setting  store  names it. "
            "If it is to begin again with empty books in SQLite, remove that file"
        )
