"""The SQLite store: what it refuses at the start, how it fails, and what it keeps."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import sqlite3
import stat
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Ledger
from interledger.accounts.snapshot import capture
from interledger.clock import Timestamp
from interledger.errors import DiskFullError, StoreError
from interledger.store.base import Durability, StoredState
from interledger.store.sqlite import DATABASE, SqliteStore

USD = Asset("USD", 9)
NOW = Timestamp(1_700_000_000_000)


class Node:
    """A data directory, and a store on it while it is open."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ledger = Ledger()
        self.store = self.make()

    def make(self, durability: Durability = Durability.POWER, **options: int) -> SqliteStore:
        return SqliteStore(self.directory, durability, reserve_octets=4096, **options)

    def start(self, **options: int) -> StoredState:
        self.store.close()
        self.store = self.make(**options)
        self.store.open()
        self.ledger = Ledger()
        return self.store.load(self.ledger)

    def write(self, amount: int = 1, *, snapshot: bool = False) -> None:
        alice, bob = self.ledger.account("peer/alice", USD), self.ledger.account("peer/bob", USD)
        self.ledger.post(((alice, bob, amount),), "x")
        batch = self.ledger.take_batch()
        assert batch is not None
        taken = capture(self.ledger) if snapshot else None
        self.store.write(b"".join(batch.records), NOW, self.store.take_changes(), taken)

    def write_with_document(self, amount: int = 1) -> None:
        """A commit that is written to the database, and takes the commit log along."""
        self.store.put_fact(f"x{amount}", amount)
        self.write(amount)

    def sql(self, *statements: str) -> list[Any]:
        """What somebody with a shell does to the file while the node is down."""
        self.store.close()
        with contextlib.closing(sqlite3.connect(self.directory / DATABASE, isolation_level=None)) as db:
            return [db.execute(statement).fetchall() for statement in statements][-1]

    def nets(self) -> list[int]:
        return [account.net for account in self.ledger.accounts]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path / "node")
    made.start()
    yield made
    made.store.close()


# ---------------------------------------------------------------------- damage


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (
            "UPDATE journal SET records = x'04' WHERE seq = 3",
            "commit 3 of the journal is damaged",
        ),
        ("UPDATE journal SET chain = chain + 1 WHERE seq = 2", "commit 2 of the journal is damaged"),
        ("UPDATE journal SET at_ms = at_ms + 1 WHERE seq = 1", "commit 1 of the journal is damaged"),
        ("DELETE FROM journal WHERE seq = 2", "commit 2 of the journal is missing"),
        ("UPDATE document SET body = replace(body, 'canary', 'cuckoo')", "document fact “song” is damaged"),
        ("UPDATE document SET kind = 'payment'", "document payment “song” is damaged"),
        ("PRAGMA user_version = 99", "written by a newer program"),
        ("PRAGMA application_id = 1", "not one of an Interledger node"),
    ],
)
def test_J5_damage_is_refused_and_named(node: Node, damage: str, says: str) -> None:
    for _ in range(3):
        node.write()
    node.store.put_fact("song", "canary")  # takes all four commits into the database
    node.write()
    node.sql(damage)
    with pytest.raises(StoreError, match=says) as caught:
        node.start()
    assert str(node.directory / DATABASE) in str(caught.value)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE snapshot SET state = x'00'",
        "UPDATE snapshot SET seq = seq + 1",
        "UPDATE snapshot SET chain = chain + 1",
    ],
)
def test_J5_a_damaged_snapshot_is_refused(node: Node, damage: str) -> None:
    node.write(snapshot=True)
    node.sql(damage)
    with pytest.raises(StoreError, match=r"the snapshot of commit \d is damaged"):
        node.start()


def test_J5_a_commit_older_than_the_snapshot_does_not_matter(node: Node) -> None:
    node.write()
    node.write(snapshot=True)
    node.write()
    node.sql("DELETE FROM journal WHERE seq = 1")
    node.start()
    assert node.nets() == [3, -3]


def test_J5_bit_flips_in_the_file_are_found_or_harmless(node: Node) -> None:
    """SQLite's pages have no check sums; ours have to do."""
    node.store.put_fact("song", "canary")
    for _ in range(5):
        node.write(2**63)
    expected, facts = node.nets(), {"song": "canary"}
    node.store.close()
    path = node.directory / DATABASE
    sound = path.read_bytes()
    used = [offset for offset, octet in enumerate(sound) if octet]
    dice = random.Random(5)
    found = 0
    for _ in range(150):
        damaged = bytearray(sound)
        damaged[dice.choice(used)] ^= 1 << dice.randrange(8)
        path.write_bytes(damaged)
        try:
            state = node.start()
        except StoreError:
            found += 1
        else:
            assert node.nets() == expected
            assert state.facts == facts
        node.store.close()
        for rest in node.directory.glob(DATABASE + "-*"):
            rest.unlink()
    assert found > 10


def test_J5_a_file_that_is_no_database(node: Node) -> None:
    node.store.close()
    (node.directory / DATABASE).write_bytes(b"not a database " * 100)
    with pytest.raises(StoreError, match="cannot be opened: file is not a database"):
        node.start()


# ---------------------------------------------------------------------- who may use it


def test_J8_a_second_node_is_refused_and_the_first_goes_on(node: Node) -> None:
    second = node.make()
    with pytest.raises(StoreError, match="in use by another node"):
        second.open()
    node.write()
    node.start()
    assert node.nets() == [1, -1]


def test_nobody_can_take_the_write_lock_of_a_running_node(node: Node) -> None:
    node.write()
    other = sqlite3.connect(node.directory / DATABASE, timeout=0)
    with contextlib.closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    node.write()


def test_J6_files_are_for_the_owner_only(node: Node) -> None:
    node.write()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in node.directory.iterdir()}
    assert modes == dict.fromkeys(("ledger.db", "ledger.db-wal", "commits.log", "lock", "reserve"), 0o600)
    assert stat.S_IMODE(node.directory.stat().st_mode) == 0o700


def test_a_file_system_without_a_log_is_refused(tmp_path: Path) -> None:
    class NoLog(sqlite3.Connection):
        def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
            return super().execute("SELECT 'delete'" if "journal_mode" in sql else sql, *rest)

    store = SqliteStore(tmp_path, reserve_octets=4096)
    with pytest.MonkeyPatch.context() as patch:
        connect = sqlite3.connect
        patch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **k, factory=NoLog))
        with pytest.raises(StoreError, match="cannot keep a write-ahead log"):
            store.open()


def test_a_store_that_is_not_open(node: Node) -> None:
    node.store.close()
    with pytest.raises(StoreError, match="is not open"):
        node.store.load(Ledger())
    with pytest.raises(StoreError, match="is not open"):
        node.store.write(b"", NOW)


# ---------------------------------------------------------------------- durability, order, size


@pytest.mark.parametrize(("durability", "waits"), [(Durability.POWER, True), (Durability.PROCESS, False)])
def test_power_syncs_every_commit_and_transactions_are_always_synced(
    tmp_path: Path, durability: Durability, waits: bool
) -> None:
    store = SqliteStore(tmp_path / "n", durability, reserve_octets=4096)
    store.open()
    assert store._db is not None
    assert store._db.execute("PRAGMA synchronous").fetchone() == (3,)
    assert store._log is not None
    assert bool(fcntl.fcntl(store._log._fd, fcntl.F_GETFL) & os.O_DSYNC) is waits
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


def test_K3_amounts_beyond_63_bits_stay_exact(node: Node) -> None:
    for _ in range(3):
        node.write(2**64 - 1)
    node.start()
    assert node.nets() == [3 * (2**64 - 1), -3 * (2**64 - 1)]


def test_names_that_need_quoting(node: Node) -> None:
    node.ledger.account("peer/李\"'明\\", Asset("US'D", 9))
    batch = node.ledger.take_batch()
    assert batch is not None
    node.store.write(b"".join(batch.records), NOW)
    node.start()
    assert node.ledger.accounts[0].name == "peer/李\"'明\\"


def test_the_journal_is_pruned_behind_its_opening_a_little_at_a_time(node: Node) -> None:
    node.start(commits_kept=3)
    for _ in range(10):
        node.write()
    node.write(snapshot=True)  # commit 11
    for _ in range(4):
        node.write()
    node.write(snapshot=True)  # commit 16
    assert openings(node) == [0, 11, 16]
    assert count(node) == 16  # nothing is pruned while the journal opens with an empty ledger
    node.start(commits_kept=3)
    node.write(snapshot=True)  # commit 17: that of 11 is older than three commits
    assert openings(node) == [11, 16, 17]
    assert count(node) == 17 - 2
    node.start(commits_kept=3)
    for _ in range(4):
        node.write(snapshot=True)
    assert openings(node) == [18, 20, 21]
    assert count(node) == 21 - 10
    node.start(commits_kept=3)
    assert node.nets() == [21, -21]
    assert [commit.seq for commit in node.store.history.read_commits(18, 2)] == [19, 20]


def test_a_journal_that_is_still_in_the_log_opens_with_an_empty_ledger(node: Node) -> None:
    node.write()
    node.write()
    node.start()  # killed: the database has no commit yet
    assert openings(node) == [0]
    node.write(snapshot=True)
    assert openings(node) == [0, 3]


def openings(node: Node) -> list[int]:
    return [opening.seq for opening in node.store.history.read_openings()]


def count(node: Node) -> int:
    return int(node.sql("SELECT count(*) FROM journal")[0][0])


# ---------------------------------------------------------------------- backups


@pytest.mark.parametrize("durability", [Durability.POWER, Durability.PROCESS])
def test_J9_a_database_that_is_older_than_its_log_is_refused(node: Node, durability: Durability) -> None:
    node.store.close()
    node.store = node.make(durability)
    node.store.open()
    node.ledger = Ledger()
    node.store.load(node.ledger)
    node.write(snapshot=True)
    node.store.close()
    backup = (node.directory / DATABASE).read_bytes()
    node.store.open()
    node.store.load(Ledger())
    node.write(snapshot=True)
    node.write()
    node.store.close()
    (node.directory / DATABASE).write_bytes(backup)
    with pytest.raises(StoreError, match=r"commit 3, the database ends with commit 1.*restored from a backup\?"):
        node.start()


def test_J9_a_log_of_another_database_is_refused(node: Node, tmp_path: Path) -> None:
    other = Node(tmp_path / "other")
    other.start()
    other.write()
    other.store.close()
    node.write()
    node.store.close()
    (node.directory / "commits.log").write_bytes((other.directory / "commits.log").read_bytes())
    with pytest.raises(StoreError, match="does not belong to the database beside it"):
        node.start()


def test_J9_a_log_that_is_gone_is_refused(node: Node) -> None:
    node.write(snapshot=True)
    node.store.close()
    (node.directory / "commits.log").unlink()
    with pytest.raises(StoreError, match="missing or empty"):
        node.start()


# ---------------------------------------------------------------------- failures


class Broken:
    """A connection whose commits fail; everything else works."""

    def __init__(self, db: sqlite3.Connection, name: str, breaks: Callable[[str], bool]) -> None:
        self.db, self.name, self.breaks = db, name, breaks
        self.in_transaction = False
        self.close = db.close

    def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
        if self.breaks(sql):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorname = self.name
            raise error
        cursor = self.db.execute(sql, *rest)
        self.in_transaction = self.db.in_transaction
        return cursor


@pytest.mark.parametrize(
    ("name", "kind"),
    [("SQLITE_FULL", DiskFullError), ("SQLITE_IOERR_FSYNC", StoreError), ("SQLITE_IOERR_WRITE", StoreError)],
)
def test_J3_J4_the_reason_of_a_failure_is_told(node: Node, name: str, kind: type[StoreError]) -> None:
    assert node.store._db is not None
    node.write()
    db = node.store._db
    node.store.put_fact("x", 1)
    node.store._db = Broken(db, name, lambda sql: sql.startswith("INSERT INTO journal"))  # type: ignore[assignment]  # a double
    with pytest.raises(StoreError) as caught:
        node.write()
    assert type(caught.value) is kind
    assert name in str(caught.value) or kind is DiskFullError


@pytest.mark.parametrize("broken", ["INSERT INTO journal", "INSERT INTO document", "INSERT OR REPLACE", "COMMIT"])
def test_RS5_a_step_that_fails_midway_leaves_nothing(node: Node, broken: str) -> None:
    node.write()
    assert node.store._db is not None
    db = node.store._db
    node.store._db = Broken(db, "SQLITE_IOERR", lambda sql: sql.startswith(broken))  # type: ignore[assignment]  # a double
    node.store.put_fact("x", 1)
    with pytest.raises(StoreError):
        node.write(snapshot=True)
    state = node.start()
    assert (node.nets(), state.facts, state.records_replayed) == ([1, -1], {}, 5)


def test_J3_a_full_database_is_told_and_the_same_commit_can_be_written_later(node: Node) -> None:
    """Nothing of a failed step is remembered: sequence and chain go on from the last commit that was written."""
    assert node.store._db is not None
    db = node.store._db
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages + 2}")
    amounts = iter(range(1, 1000))
    with pytest.raises(DiskFullError, match="the disk is full"):
        deque(map(node.write_with_document, amounts))
    written = next(amounts) - 2
    assert written > 3
    batch_lost = node.ledger.accounts[0].debits_posted
    db.execute("PRAGMA max_page_count = 1000000")
    node.start()
    assert node.nets()[0] == batch_lost - (written + 1)
    node.write(7)
    node.start()
    assert node.nets()[0] == batch_lost - (written + 1) + 7


def test_a_step_with_nothing_in_it_writes_nothing(node: Node) -> None:
    node.write()
    node.store.write(b"", NOW)
    assert len(node.store.history.read_commits(0, 100)) == 1


def test_J3_a_full_database_rolls_back_documents_too(node: Node) -> None:
    assert node.store._db is not None
    (pages,) = node.store._db.execute("PRAGMA page_count").fetchone()
    node.store._db.execute(f"PRAGMA max_page_count = {pages}")
    node.store.put_fact("large", "x" * 50_000)
    with pytest.raises(DiskFullError):
        node.write()
    assert not node.store._db.in_transaction
    assert (node.start().facts, node.nets()) == ({}, [])


def test_J3_release_reserve_gives_the_file_back_and_a_start_takes_it_again(node: Node) -> None:
    node.store.release_reserve()
    assert not (node.directory / "reserve").exists()
    node.start()
    assert (node.directory / "reserve").stat().st_size == 4096
