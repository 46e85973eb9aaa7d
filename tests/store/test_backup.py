"""A copy of the books is of one moment, while they are written on; it is judged before it is put in their place."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.books.check import BooksCheck
from interledger.accounts.ledger import Ledger
from interledger.accounts.snapshot import capture
from interledger.clock import Timestamp
from interledger.errors import ConflictError, NotFoundError, StoreError
from interledger.store import backup
from interledger.store.commit_log import COMMIT_LOG
from interledger.store.follow import follow
from interledger.store.memory import MemoryStore
from interledger.store.migrations import APPLICATION_ID, migrations
from interledger.store.restoring import restore_books
from interledger.store.sqlite import DATABASE, SqliteStore
from interledger.store.stopped import open_stopped

USD = Asset("USD", 9)
FORMS = range(1, len(migrations()) + 1)


class Books:
    """A store that is written to, one posting a commit."""

    def __init__(self, directory: Path, log_octets: int = 65_536) -> None:
        self.store = SqliteStore(directory, reserve_octets=4096, log_octets=log_octets)
        self.store.open()
        self.ledger = Ledger()
        self.store.load(self.ledger)
        self.commits = 0

    def post(self, *, snapshot: bool = False) -> None:
        self.ledger.post(((self.account("alice"), self.account("bob"), 1),), "x")
        batch = self.ledger.take_batch()
        assert batch is not None
        self.commits += 1
        image = capture(self.ledger) if snapshot else None
        self.store.write(b"".join(batch.records), Timestamp(self.commits), (), image)

    def account(self, name: str):  # type: ignore[no-untyped-def]  # a ledger account
        return self.ledger.account(f"peer/{name}", USD)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    found = Books(tmp_path / "node")
    yield found
    found.store.close()


def last_of(directory: Path) -> int:
    """Judge the books there; their last commit."""
    with open_stopped(directory) as history:
        openings = history.read_openings()
        report = follow(history, lambda opening: BooksCheck(openings))
    assert report.sound
    return report.last_seq


@pytest.mark.parametrize("snapshot", [False, True])
@pytest.mark.parametrize("commits", [0, 1, 5])
def test_what_was_written_is_in_it_the_log_included(books: Books, tmp_path: Path, commits: int, snapshot: bool) -> None:
    for number in range(commits):
        books.post(snapshot=snapshot and number == 1)
    made = books.store.history.backup(tmp_path / "backups" / "a.db")
    assert (made.commit, made.at, made.octets) == (commits, commits, made.path.stat().st_size)
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in made.path.parent.iterdir()] == ["a.db"]
    assert restore_books(made.path, tmp_path / "new")[0].commit == commits
    assert last_of(tmp_path / "new") == commits


def test_books_that_were_restored_go_on(books: Books, tmp_path: Path) -> None:
    books.post()
    made = books.store.history.backup(tmp_path / "a.db")
    restore_books(made.path, tmp_path / "new")
    again = Books(tmp_path / "new")
    assert again.account("alice").net == 1
    again.post()
    again.store.close()
    assert last_of(tmp_path / "new") == 2


def test_commits_do_not_wait_for_a_copy_and_are_in_it(
    books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "PAGES_AT_ONCE", 1)
    for _ in range(50):
        books.post(snapshot=True)
    stop = Event()

    def write() -> None:
        while not stop.is_set():
            books.post(snapshot=books.commits % 7 == 0)

    writer = Thread(target=write)
    writer.start()
    made = books.store.history.backup(tmp_path / "a.db")
    stop.set()
    writer.join()
    assert made.commit > 50
    restore_books(made.path, tmp_path / "new")
    assert last_of(tmp_path / "new") == made.commit


def test_of_a_node_that_does_not_run(books: Books, tmp_path: Path) -> None:
    books.post()
    books.store.close()
    with open_stopped(tmp_path / "node") as history:
        assert history.backup(tmp_path / "a.db").commit == 1


def test_nothing_is_written_over(books: Books, tmp_path: Path) -> None:
    made = books.store.history.backup(tmp_path / "a.db")
    with pytest.raises(StoreError, match="is there already"):
        books.store.history.backup(made.path)


def test_where_nothing_is_kept() -> None:
    with pytest.raises(ConflictError, match="nothing to back up"):
        MemoryStore().history.backup(Path("a.db"))


# ---------------------------------------------------------------------- restoring


def test_J9_books_that_are_there_are_set_aside_when_it_is_said(books: Books, tmp_path: Path) -> None:
    books.post()
    made = books.store.history.backup(tmp_path / "a.db")
    books.post()
    place = tmp_path / "node"
    with pytest.raises(StoreError, match="in use by another node"):
        restore_books(made.path, place)
    books.store.close()
    with pytest.raises(ConflictError, match="There are books in"):
        restore_books(made.path, place)
    assert last_of(place) == 2
    assert restore_books(made.path, place, replace=True) == (
        (place / DATABASE, made.octets, 1, 1),
        place / "before-restore-1",
    )
    assert last_of(place) == 1
    assert last_of(place / "before-restore-1") == 2


def test_J9_a_log_of_the_time_after_the_backup_is_not_taken(books: Books, tmp_path: Path) -> None:
    books.post()
    made = books.store.history.backup(tmp_path / "a.db")
    books.post()
    books.store.close()
    log = (tmp_path / "node" / COMMIT_LOG).read_bytes()
    restore_books(made.path, tmp_path / "node", replace=True)
    (tmp_path / "node" / COMMIT_LOG).write_bytes(log)
    with pytest.raises(StoreError, match="does not belong to the database"):
        Books(tmp_path / "node")


def test_a_damaged_backup_changes_nothing(books: Books, tmp_path: Path) -> None:
    books.post()
    made = books.store.history.backup(tmp_path / "a.db")
    books.store.close()
    with closing(sqlite3.connect(made.path)) as db, db:
        db.execute("UPDATE journal SET records = zeroblob(length(records))")
    with pytest.raises(StoreError):
        restore_books(made.path, tmp_path / "node", replace=True)
    assert last_of(tmp_path / "node") == 1
    assert not (tmp_path / "node" / "restore").exists()


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda path: None, NotFoundError, "There is no backup"),
        (lambda path: path.write_text("what is this " * 100), StoreError, "not a database"),
        (lambda path: sqlite3.connect(path).execute("CREATE TABLE a (x)").connection.close(), StoreError, "not one of"),
    ],
)
def test_what_is_no_backup(make: object, error: type[Exception], says: str, tmp_path: Path) -> None:
    make(tmp_path / "a.db")  # type: ignore[operator]  # one of the above
    with pytest.raises(error, match=says):
        restore_books(tmp_path / "a.db", tmp_path / "new")


# ---------------------------------------------------------------------- older and newer programs


def old_books(path: Path, form: int) -> None:
    """A database as the program of that form wrote it: an account that was posted to, in one commit."""
    new = Books(path.parent / "present")
    new.post()
    new.store.history.backup(path.parent / "present.db")
    new.store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for number, sql in migrations()[:form]:
            db.executescript(
                f"BEGIN;{sql}\nPRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}; COMMIT;"
            )
        db.execute("ATTACH ? AS present", (str(path.parent / "present.db"),))
        db.execute("INSERT INTO journal SELECT * FROM present.journal")


@pytest.mark.parametrize("form", FORMS)
def test_a_backup_of_every_older_form_can_be_restored(tmp_path: Path, form: int) -> None:
    old_books(tmp_path / "old.db", form)
    assert restore_books(tmp_path / "old.db", tmp_path / "new")[0].commit == 1
    assert last_of(tmp_path / "new") == 1
    again = Books(tmp_path / "new")
    assert again.account("alice").net == 1
    again.store.close()


def test_J11_a_backup_of_a_newer_program_is_refused(books: Books, tmp_path: Path) -> None:
    made = books.store.history.backup(tmp_path / "a.db")
    with closing(sqlite3.connect(made.path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="written by a newer program"):
        restore_books(made.path, tmp_path / "new")


def test_the_page_about_upgrades_names_every_form() -> None:
    page = (Path(__file__).parents[2] / "docs" / "howto" / "upgrade.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| .* \| (\d+): ", page, re.MULTILINE) == [str(form) for form in reversed(FORMS)]
