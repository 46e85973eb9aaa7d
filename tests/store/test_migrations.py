"""A database is brought to the present form, whole or not at all; what is not ours or newer is left alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from interledger.errors import StoreError
from interledger.store.migrations import APPLICATION_ID, migrate, migrations

PATH = Path("ledger.db")


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


def test_the_files_are_numbered_without_gaps() -> None:
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))


def test_a_new_database_gets_all_of_them_once(db: sqlite3.Connection) -> None:
    migrate(db, PATH)
    migrate(db, PATH)
    assert db.execute("PRAGMA user_version").fetchone() == (len(migrations()),)
    assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert {row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")} == {
        "journal", "commit_log", "snapshot", "document"}  # fmt: skip


def test_K3_no_table_takes_a_float_for_money(db: sqlite3.Connection) -> None:
    migrate(db, PATH)
    for name, sql in db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'"):
        assert sql.endswith("STRICT"), name


def test_only_what_is_new_is_applied(db: sqlite3.Connection) -> None:
    migrate(db, PATH, [(1, "CREATE TABLE a (x) ;")])
    migrate(db, PATH, [(1, "CREATE TABLE a (x);"), (2, "CREATE TABLE b (x);")])
    assert db.execute("PRAGMA user_version").fetchone() == (2,)


def test_J11_a_step_that_fails_leaves_nothing_behind(db: sqlite3.Connection) -> None:
    migrate(db, PATH, [(1, "CREATE TABLE a (x);")])
    with pytest.raises(sqlite3.Error):
        migrate(db, PATH, [(1, ""), (2, "CREATE TABLE b (x); CREATE TABLE a (x);")])
    assert not db.in_transaction
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    assert [row[0] for row in db.execute("SELECT name FROM sqlite_schema")] == ["a"]


def test_J11_a_step_that_does_not_parse(db: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.Error):
        migrate(db, PATH, [(1, "CREATE NONSENSE;")])
    assert not db.in_transaction


def test_J11_a_downgrade_is_refused(db: sqlite3.Connection) -> None:
    migrate(db, PATH)
    db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match=r"written by a newer program \(form 99; this one knows \d\)"):
        migrate(db, PATH)


def test_a_snapshot_of_the_first_form_is_kept(db: sqlite3.Connection) -> None:
    migrate(db, PATH, migrations()[:1])
    db.execute("INSERT INTO snapshot VALUES (1, 7, 8, 9, 10, x'11')")
    migrate(db, PATH)
    assert db.execute("SELECT * FROM snapshot").fetchall() == [(7, 8, 9, 10, b"\x11")]


def test_a_database_of_another_program_is_left_alone(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE bookmarks (url)")
    with pytest.raises(StoreError, match="not one of an Interledger node"):
        migrate(db, PATH)
