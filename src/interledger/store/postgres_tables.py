"""Reads the tables of a node's PostgreSQL database, and checks every row; brings them to the present form.

Used by the store of a running node, and by those who look at a stopped one's books. Each function raises `StoreError`
that names the database and the row, or psycopg's errors; only `migrate` writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from interledger.accounts.books.past import Commit
from interledger.errors import StoreError
from interledger.store.base import StoredState
from interledger.store.migrations import migrations
from interledger.store.rows import (
    DOCUMENTS,
    LATEST,
    LATEST_READ,
    SnapshotRow,
    add_documents,
    checked_commits,
    checked_snapshots,
)
from interledger.store.sealing import Sealer

__all__ = [
    "Database",
    "chain_at",
    "check_form",
    "migrate",
    "read_commits",
    "read_documents",
    "read_first",
    "read_last",
    "read_mark",
    "read_snapshots",
]

Database = psycopg.Connection[tuple[Any, ...]]

SCHEMA = "postgres"


def migrate(db: Database, where: str, steps: list[tuple[int, str]] | None = None) -> None:
    """Apply the files of `schema/postgres` that are new, each in one transaction. The books have to be taken.

    Raises `StoreError` for a database that is not ours, or of a newer program. Killed midway, the database is as it was
    before the file, and the next start goes on.
    """
    steps = migrations(SCHEMA) if steps is None else steps
    version = check_form(db, where, steps[-1][0])
    for number, sql in steps:
        if number > version:
            with db.transaction():
                db.execute(sql)
                db.execute("UPDATE ilp_node SET form = %s", (number,))


def check_form(db: Database, where: str, newest: int | None = None) -> int:
    """The form a database has, 0 for an empty one. Raises `StoreError` as `migrate` does; without `newest` also when it
    is an older one.
    """
    tables = {
        row[0]
        for row in db.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm')"
        )
    }
    if "ilp_node" not in tables:
        if tables and newest is not None:
            raise StoreError(
                f"{where} has tables, but not those of an Interledger node ({', '.join(sorted(tables)[:3])}). Give the "
                "node a database of its own:  createdb"
            )
        return 0
    found = db.execute("SELECT form FROM ilp_node").fetchone()
    version = 0 if found is None else int(found[0])
    known = newest or migrations(SCHEMA)[-1][0]
    if version > known:
        raise StoreError(f"{where} was written by a newer program (form {version}; this one knows {known})")
    if newest is None and version < known:
        raise StoreError(f"{where} was written by an older program (form {version}). A start of the node brings it up")
    return version


def read_snapshots(db: Database, where: str) -> Iterator[SnapshotRow]:
    """All that are kept, newest first."""
    rows = db.execute("SELECT seq, at_ms, chain, crc, state FROM snapshot ORDER BY seq DESC", binary=True)
    return checked_snapshots(_rows(rows), where)


def read_commits(
    db: Database, where: str, seq: int, chain: int, limit: int | None = None
) -> Iterator[tuple[Commit, int]]:
    """The commits after `seq`, whose chain is `chain`, at most `limit`; and the chain of each."""
    rows = db.execute(
        "SELECT seq, at_ms, chain, records FROM journal WHERE seq > %s ORDER BY seq LIMIT %s", (seq, limit), binary=True
    )
    return checked_commits(_rows(rows), where, seq, chain)


def chain_at(db: Database, where: str, seq: int) -> int:
    """The chain of commit `seq`."""
    if seq == 0:
        return 0
    found = db.execute(
        "SELECT chain FROM journal WHERE seq = %s UNION ALL SELECT chain FROM snapshot WHERE seq = %s", (seq, seq)
    ).fetchone()
    if found is None:
        raise StoreError(f"{where}: commit {seq} of the journal is not kept any more")
    return int(found[0])


def read_first(db: Database) -> tuple[int, int] | None:
    """seq and time of the oldest commit that is kept."""
    found = db.execute("SELECT seq, at_ms FROM journal ORDER BY seq LIMIT 1").fetchone()
    return None if found is None else (int(found[0]), int(found[1]))


def read_last(db: Database) -> tuple[int, int]:
    """seq and chain of the last commit; (0, 0) when there is none."""
    found = db.execute("SELECT seq, chain FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    found = found or db.execute("SELECT seq, chain FROM snapshot ORDER BY seq DESC LIMIT 1").fetchone()
    return (0, 0) if found is None else (int(found[0]), int(found[1]))


def read_mark(db: Database) -> tuple[str, int]:
    """What tells this database and its copies from any other, and its epoch."""
    found = db.execute("SELECT mark, epoch FROM ilp_node").fetchone()
    if found is None:
        raise StoreError("the row of ilp_node is missing")
    return str(found[0]), int(found[1])


def read_documents(db: Database, where: str, state: StoredState, sealer: Sealer | None) -> None:
    """Put every document where it belongs in `state`, but of payments, and settlements that are done, only the latest;
    `sealer` opens the secrets in them."""
    add_documents(_rows(db.execute(DOCUMENTS)), where, state, sealer)
    for latest in LATEST_READ:
        add_documents(_rows(db.execute(LATEST.format("%s"), latest)), where, state, sealer)


def _rows(cursor: psycopg.Cursor[tuple[Any, ...]]) -> Iterator[Any]:
    return iter(cursor)
