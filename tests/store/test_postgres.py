"""The PostgreSQL store on a real server: what it refuses, whose the books are, and a server that goes away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.books.check import BooksCheck, CheckReport
from interledger.accounts.ledger import Ledger
from interledger.accounts.snapshot import capture
from interledger.clock import Timestamp
from interledger.errors import DiskFullError, NotFoundError, StoreError
from interledger.store.base import Durability, StoredState
from interledger.store.follow import follow
from interledger.store.open import open_store
from interledger.store.sqlite import SqliteStore
from interledger.store.stamp import STAMP
from interledger.store.stopped import open_stopped
from tests.support.postgres import Place
from tools.torture.postgres_server import PostgresServer

USD = Asset("USD", 9)
NOW = Timestamp(1_700_000_000_000)


class Node:
    """A data directory, a database, and a store on it while it is open."""

    def __init__(self, place: Place, directory: Path) -> None:
        self.place = place
        self.directory = directory
        self.ledger = Ledger()
        self.outages: list[StoreError | None] = []
        self.store = self.make()

    def make(self, durability: Durability = Durability.POWER, **options: Any) -> Any:
        from interledger.store.postgres import PostgresStore

        return PostgresStore(
            self.place.url, durability, **({"directory": self.directory, "reserve_octets": 0} | options)
        )

    def start(self, **options: Any) -> StoredState:
        self.store.close()
        self.store = self.make(**options)
        self.store.on_outage = self.outages.append
        self.store.open()
        self.ledger = Ledger()
        state: StoredState = self.store.load(self.ledger)
        return state

    def write(self, amount: int = 1, *, snapshot: bool = False) -> None:
        alice, bob = self.ledger.account("peer/alice", USD), self.ledger.account("peer/bob", USD)
        self.ledger.post(((alice, bob, amount),), "x")
        batch = self.ledger.take_batch()
        assert batch is not None
        taken = capture(self.ledger) if snapshot else None
        self.store.write(b"".join(batch.records), NOW, self.store.take_changes(), taken)

    def nets(self) -> list[int]:
        return [account.net for account in self.ledger.accounts]

    def until(self, is_so: Any, seconds: float = 5) -> None:
        end = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < end
            Event().wait(0.01)


@pytest.fixture
def node(postgres_place: Place, tmp_path: Path) -> Iterator[Node]:
    made = Node(postgres_place, tmp_path / "node")
    made.start()
    yield made
    made.store.close()


# ---------------------------------------------------------------------- damage, and what is not ours


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (r"UPDATE journal SET records = '\x04' WHERE seq = 3", "commit 3 of the journal is damaged"),
        ("UPDATE journal SET chain = chain + 1 WHERE seq = 2", "commit 2 of the journal is damaged"),
        ("UPDATE journal SET at_ms = at_ms + 1 WHERE seq = 1", "commit 1 of the journal is damaged"),
        ("DELETE FROM journal WHERE seq = 2", "commit 2 of the journal is missing"),
        ("UPDATE document SET body = replace(body, 'canary', 'cuckoo')", "document fact “song” is damaged"),
        ("UPDATE document SET kind = 'payment'", "document payment “song” is damaged"),
        ("UPDATE ilp_node SET form = 99", "written by a newer program"),
        ("DROP TABLE ilp_node", "not those of an Interledger node"),
    ],
)
def test_J5_damage_is_refused_and_named(node: Node, damage: str, says: str) -> None:
    for _ in range(3):
        node.write()
    node.store.put_fact("song", "canary")
    node.write()
    node.store.close()
    node.place.sql(damage)
    with pytest.raises(StoreError, match=says):
        node.start()


@pytest.mark.parametrize("damage", [r"state = '\x00'", "seq = seq + 1", "chain = chain + 1"])
def test_J5_a_damaged_snapshot_is_refused(node: Node, damage: str) -> None:
    node.write(snapshot=True)
    node.store.close()
    node.place.sql(f"UPDATE snapshot SET {damage}")  # noqa: S608  # ours
    with pytest.raises(StoreError, match=r"the snapshot of commit \d is damaged"):
        node.start()


def test_the_journal_is_pruned_behind_its_opening_a_little_at_a_time(node: Node) -> None:
    node.start(commits_kept=3)
    for number in range(30):
        node.write(snapshot=number % 2 == 0)
    seqs = [row[0] for row in node.place.sql("SELECT seq FROM journal ORDER BY seq")]
    openings = [row[0] for row in node.place.sql("SELECT seq FROM snapshot ORDER BY seq")]
    assert 3 <= len(seqs) <= 12
    assert seqs[0] - 1 == openings[0]
    assert len(openings) == 3
    node.start(commits_kept=3)
    assert node.nets() == [30, -30]


def test_K3_amounts_beyond_63_bits_stay_exact(node: Node) -> None:
    for _ in range(3):
        node.write(2**64 - 1)
    node.start()
    assert node.nets() == [3 * (2**64 - 1), -3 * (2**64 - 1)]


# ---------------------------------------------------------------------- what durability needs


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_J2_a_server_that_loses_commits_in_a_power_cut_is_refused(
    node: Node, postgres: PostgresServer, setting: str
) -> None:
    node.store.close()
    postgres.stop()
    postgres.start(**{setting: "off"})
    try:
        with pytest.raises(StoreError, match=f"the server has {setting} = off"):
            node.start()
        store = node.make(Durability.PROCESS)
        store.open()
        store.close()
    finally:
        postgres.stop()
        postgres.start()


def test_J2_synchronous_commit_is_as_durability_says_whatever_the_role_has(node: Node) -> None:
    node.store.close()
    found = {}
    for durability in Durability:
        store = node.make(durability)
        store._url += "%20-csynchronous_commit%3Dlocal"
        store._writer._url = store._url
        store.open()
        found[durability] = store._writer._session.one("SHOW synchronous_commit")[0]
        store.close()
    assert found == {Durability.POWER: "on", Durability.PROCESS: "off"}


# ---------------------------------------------------------------------- whose the books are


def test_J8_a_second_node_is_refused_and_the_first_goes_on(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interledger.store.postgres_session.LOCK_WAIT_S", 0.1)
    second = node.make(directory=tmp_path / "second")
    with pytest.raises(StoreError, match=r"in use by another node \(interledger node on .*process"):
        second.open()
    node.write()
    node.start()
    assert node.nets() == [1, -1]


def test_J8_a_node_that_lost_its_connection_cannot_write_after_another_took_the_books(
    node: Node, tmp_path: Path
) -> None:
    node.write()
    first = node.store
    ledger = node.ledger
    first._writer._closing.set()  # its watcher sleeps, as in a process that was stopped
    first._writer._watcher.join()
    node.place.server.end_sessions()
    other = node.make(directory=tmp_path / "other")
    other.open()
    other.load(Ledger())
    with pytest.raises(StoreError, match="another node has taken the books meanwhile"):
        node.write()
    other.close()
    # Also when the other one has gone again.
    node.ledger = ledger
    with pytest.raises(StoreError, match="another node has taken the books meanwhile"):
        node.write()


def test_J8_the_epoch_is_part_of_every_statement(node: Node) -> None:
    node.place.sql("UPDATE ilp_node SET epoch = epoch + 1")
    with pytest.raises(StoreError, match="does not have the books"):
        node.write()
    node.store.put_fact("x", 1)
    with pytest.raises(StoreError, match="does not have the books"):
        node.write()
    assert node.place.sql("SELECT count(*) FROM journal") == [(0,)]


# ---------------------------------------------------------------------- backups


def test_J9_a_database_of_an_older_moment_is_refused(node: Node, postgres: PostgresServer) -> None:
    """What the data directory remembers is newer: a dump of yesterday, restored."""
    database = postgres.new_database()
    node.place.url = postgres.url(database)
    node.directory = node.directory.with_name("dumped")
    node.start()
    node.write()
    node.store.close()
    dump = postgres.dump(database)
    node.start()
    node.write()
    node.store.close()
    restored = postgres.new_database()
    postgres.restore(restored, dump)
    node.place.url = postgres.url(restored)
    with pytest.raises(StoreError, match=r"of an older moment: it ends with commit 1 .* written commit 2"):
        node.start()
    (node.directory / STAMP).unlink()
    node.start()
    assert node.nets() == [1, -1]


def test_J9_another_database_is_refused(node: Node, postgres: PostgresServer) -> None:
    node.write()
    node.store.close()
    node.place.url = postgres.url(postgres.new_database())
    with pytest.raises(StoreError, match="is not the database that this node has used"):
        node.start()


def test_books_in_a_file_are_not_left_behind(node: Node, tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "file", reserve_octets=4096)
    store.open()
    store.close()
    node.place.sql("UPDATE ilp_node SET epoch = 0")
    node.store.close()
    node.place.sql("UPDATE ilp_node SET epoch = 0")
    with pytest.raises(StoreError, match=r"the books of this node are in .*ledger\.db"):
        node.start(directory=tmp_path / "file")


def test_a_setting_that_was_lost_does_not_begin_new_books(node: Node) -> None:
    node.write()
    node.store.close()
    with pytest.raises(StoreError, match="The books of this node are in PostgreSQL"):
        open_store(node.directory, "power")


# ---------------------------------------------------------------------- a stopped node


def check(node: Node) -> CheckReport:
    with open_stopped(node.directory, node.place.url) as history:
        openings = history.read_openings()
        return follow(history, lambda opening: BooksCheck(openings))


def test_a_stopped_nodes_books_are_looked_at_and_not_touched(node: Node) -> None:
    for amount in (5, 7, 9):
        node.write(amount, snapshot=amount == 7)
    with pytest.raises(StoreError, match="in use by another node"):
        check(node)
    node.store.close()
    before = node.place.sql("SELECT epoch, taken_at FROM ilp_node")
    report = check(node)
    assert (report.sound, report.last_seq, report.snapshots) == (True, 3, 1)
    assert node.place.sql("SELECT epoch, taken_at FROM ilp_node") == before


def test_where_there_are_no_books(postgres: PostgresServer, tmp_path: Path) -> None:
    empty = Node(Place(postgres, "public", postgres.url(postgres.new_database())), tmp_path)
    with pytest.raises(NotFoundError, match="There are no books"):
        check(empty)


# ---------------------------------------------------------------------- a server that goes away


def test_a_step_waits_for_the_server_and_is_written_once(node: Node) -> None:
    node.write()
    node.place.server.kill()
    writing = Thread(target=node.write)
    writing.start()
    try:
        node.until(lambda: len(node.outages) == 1)
    finally:
        node.place.server.start()
    writing.join(10)
    assert not writing.is_alive()
    assert [outage is None for outage in node.outages] == [False, True]
    node.start()
    assert node.nets() == [2, -2]


def test_an_idle_node_sees_that_the_server_has_gone_and_that_it_is_back(node: Node) -> None:
    node.write()
    node.place.server.stop()
    try:
        node.until(lambda: len(node.outages) == 1)
    finally:
        node.place.server.start()
    node.until(lambda: len(node.outages) == 2)
    node.write()
    assert node.store.history.read_openings()


@pytest.mark.parametrize("more", [False, True])
def test_a_commit_whose_answer_was_lost_is_found_and_not_written_again(node: Node, more: bool) -> None:
    """The server has flushed it, says nothing, and dies."""
    server = node.place.server
    node.write()
    server.never_answer_commits(True)
    if more:
        node.store.put_fact("x", 1)
    writing = Thread(target=node.write)
    writing.start()
    server.until_a_commit_waits()
    server.kill()
    server.never_answer_commits(False)
    server.start()
    writing.join(10)
    assert not writing.is_alive()
    assert node.place.sql("SELECT seq FROM journal ORDER BY seq") == [(1,), (2,)]
    node.write()
    assert node.start().facts == ({"x": 1} if more else {})
    assert node.nets() == [3, -3]


def test_a_server_that_stands_still_is_an_outage_and_the_connection_is_cut(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interledger.store.postgres_writer.HANG_S", 0.6)
    server = node.place.server
    node.write()
    server.pause()
    writing = Thread(target=node.write)
    writing.start()
    try:
        node.until(lambda: len(node.outages) == 1 and node.store._writer._asked is None)
    finally:
        server.go_on()
    writing.join(15)
    assert not writing.is_alive()
    node.start()
    assert node.nets() == [2, -2]


def test_a_node_that_stops_does_not_wait_for_ever(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interledger.store.postgres_writer.HURRY_S", 0.2)
    server = node.place.server
    server.kill()
    try:
        node.store.hurry()
        with pytest.raises(StoreError, match="did not come back in time"):
            node.write()
    finally:
        server.start()


def test_a_stand_by_that_lacks_commits_is_not_written_to(node: Node) -> None:
    """After a failover: the last commits are not there."""
    node.write()
    node.write()
    node.place.sql("DELETE FROM journal WHERE seq = 2")
    node.place.server.end_sessions()
    with pytest.raises(StoreError, match="ends with commit 1 and not with 2"):
        node.write()


def test_no_server_at_all(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be reached"):
        open_store(tmp_path, "power", f"postgresql://ilp:canary@/ilp?host={tmp_path}")


def test_J6_a_password_is_in_no_message(tmp_path: Path) -> None:
    from interledger.store.postgres_session import describe_url

    assert describe_url("postgresql://me:canary@db:5433/ilp?sslpassword=canary") == "postgresql://me@db:5433/ilp"
    assert describe_url("postgresql://me@db/ilp?password=canary") == "postgresql://me@db/ilp"
    assert "canary" not in describe_url("postgresql://canary:canary@[")
    with pytest.raises(StoreError) as caught:
        open_store(tmp_path, "power", f"postgresql://ilp:canary@/ilp?host={tmp_path}")
    assert "canary" not in str(caught.value)


# ---------------------------------------------------------------------- no room


def test_J3_a_full_disk_is_told_and_the_reserve_gives_room(node: Node) -> None:
    node.start(reserve_octets=2_500_000)
    node.write()
    (size,) = node.place.sql("SELECT pg_total_relation_size('reserve')")[0]
    assert size >= 2_500_000
    node.place.sql(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF to_regclass('reserve') IS NOT NULL THEN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; "
        "END IF; RETURN new; END $$",
        "CREATE TRIGGER full_disk BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION full_disk()",
    )
    with pytest.raises(DiskFullError, match="the server's disk is full"):
        node.write()
    node.store.put_fact("x", 1)
    with pytest.raises(DiskFullError, match="the server's disk is full"):
        node.write()
    node.store.release_reserve()
    assert node.place.sql("SELECT to_regclass('reserve')") == [(None,)]
    node.store.release_reserve()
    node.place.sql("DROP TRIGGER full_disk ON journal")
    node.start(reserve_octets=2_500_000)
    assert node.place.sql("SELECT pg_total_relation_size('reserve') >= 2500000") == [(True,)]


def test_an_error_that_does_not_pass_ends_the_writing(node: Node) -> None:
    node.place.sql("DROP TABLE journal")
    with pytest.raises(StoreError, match=r"cannot be written: .*journal"):
        node.write()
    assert node.outages == []
