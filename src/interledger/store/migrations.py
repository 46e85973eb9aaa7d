"""Brings a database to the form this program writes: the numbered files of `schema`, each in one transaction."""

from __future__ import annotations

import sqlite3
from importlib.resources import files
from pathlib import Path
from typing import Final

from interledger.errors import StoreError

__all__ = ["APPLICATION_ID", "check_form", "migrate", "migrations"]

APPLICATION_ID: Final = 0x494C5031
"""“ILP1”: says in the database's header whose it is."""


def migrations(folder: str = "") -> list[tuple[int, str]]:
    """(version, SQL) of every file of `schema`, or of a folder in it, in order."""
    place = files("interledger.store").joinpath("schema")
    found = [f for f in (place.joinpath(folder) if folder else place).iterdir() if f.name.endswith(".sql")]
    return sorted((int(f.name[:4]), f.read_text(encoding="utf-8")) for f in found)


def migrate(db: sqlite3.Connection, path: Path, steps: list[tuple[int, str]] | None = None) -> None:
    """Apply the files that are new. Raises `StoreError` for a database that is not ours, or of a newer program.

    Killed midway, the database is as it was before the file, and the next start goes on.
    """
    steps = migrations() if steps is None else steps
    version = check_form(db, path, steps[-1][0])
    for number, sql in steps:
        if number > version:
            _apply(db, number, sql)


def check_form(db: sqlite3.Connection, path: Path, newest: int | None = None) -> int:
    """The form a database has. Raises `StoreError` as `migrate` does; without `newest` also when it is an older one."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and tables:
        raise StoreError(f"{path} is a database, but not one of an Interledger node")
    known = newest or migrations()[-1][0]
    if version > known:
        raise StoreError(f"{path} was written by a newer program (form {version}; this one knows {known})")
    if newest is None and version < known:
        raise StoreError(f"{path} was written by an older program (form {version}). A start of the node brings it up")
    return int(version)


def _apply(db: sqlite3.Connection, number: int, sql: str) -> None:
    # One script, so that the numbers of the header change in the same transaction. They are ours, not anybody's input.
    try:
        db.executescript(
            f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA application_id = {APPLICATION_ID};\n"
            f"PRAGMA user_version = {number};\nCOMMIT;"
        )
    except sqlite3.Error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
