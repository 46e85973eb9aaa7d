"""A disk that refuses: at every single request, once or for ever. It ends in a clear refusal or in right books.

Whatever the disk does, a start afterwards finds the books of some step, whole, and none older than what left. No
Prepare leaves, and nobody is told “done”, for a step that is not there.
"""

from __future__ import annotations

import errno
import logging
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from interledger.accounts.ledger import Ledger
from interledger.errors import StoreError
from interledger.store import migrations
from interledger.store.base import Durability
from interledger.store.sqlite import DATABASE
from tools.torture import vfs
from tools.torture.disk import Disk, DiskFaultError, Kind, Op
from tools.torture.flips import flip_bits
from tools.torture.life import Life, load, open_store
from tools.torture.vfs import mounted

pytestmark = pytest.mark.skipif(not vfs.is_available(), reason="this Python's SQLite cannot be given a file system")

Fault = Callable[[int], Callable[[Op, int], None]]
CHANGES = (Kind.WRITE, Kind.TRUNCATE)


def full_once(at: int) -> Callable[[Op, int], None]:
    """The disk is full; what is given back then is room enough."""
    told = []

    def refuse(op: Op, number: int) -> None:
        if op.kind in CHANGES and number == at and not told:
            told.append(number)
            raise DiskFaultError(errno.ENOSPC, "full")

    return refuse


def full(at: int) -> Callable[[Op, int], None]:
    """The disk is full, and stays so: the reserve is lost."""

    def refuse(op: Op, number: int) -> None:
        if op.kind in CHANGES and number >= at:
            raise DiskFaultError(errno.ENOSPC, "full")

    return refuse


def broken(at: int) -> Callable[[Op, int], None]:
    """Nothing can be written any more."""

    def refuse(op: Op, number: int) -> None:
        if number >= at:
            raise DiskFaultError(errno.EIO, "broken")

    return refuse


def sync_fails_once(at: int) -> Callable[[Op, int], None]:
    """One failed fsync, after which the system forgets what it could not write and says that all is well."""
    told = []

    def refuse(op: Op, number: int) -> None:
        if op.kind is Kind.SYNC and number >= at and not told:
            told.append(number)
            raise DiskFaultError(errno.EIO, "broken")

    return refuse


def lived(place: Path, fault: Callable[[Op, int], None] | None, files: dict[str, bytes], seed: int = 7) -> Life:
    life = Life(place, Durability.POWER, random.Random(seed), files, on_op=fault)
    life.run(12)
    return life


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    """Where locks are taken: in memory, where there is such a place."""
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("fault", [full_once, full, broken, sync_fails_once])
@pytest.mark.parametrize("first", [True, False], ids=["the making of a store", "a store that was"])
def test_J3_J4_a_disk_that_refuses_at_any_request(quick: Path, fault: Fault, first: bool) -> None:
    files: dict[str, bytes] = {}
    if not first:
        before = lived(quick, None, files, seed=3)
        files = {name: bytes(octets) for name, octets in before.disk.files.items()}
    count = len(lived(quick, None, files).disk.ops)
    dice = random.Random(1)
    refused = failed = 0
    for at in range(0, count, 2 if first else 3):
        try:
            life = lived(quick, fault(at), files)
        except StoreError:
            refused += 1  # the node does not start, and says so
            continue
        failed += bool(life.failures)
        judge(life, life.disk.killed_at(len(life.disk.ops)))
        # A failed sync may have lost what it was to sync: as a power cut would.
        judge(life, life.disk.cut_at(len(life.disk.ops), dice))
    assert failed > 3
    assert refused > 0 or not first


def judge(life: Life, files: dict[str, bytes]) -> None:
    """A start finds the books of a step that nothing which left is ahead of."""
    state, _ = load(life.directory, life.durability, files)
    promised = max((number for _, number in life.promises), default=0)
    # A commit that the disk refused may be there all the same: it was tried.
    assert state in life.states[promised:], (life.failures, promised)


def in_the_middle(place: Path) -> int:
    """A request of a life that is well under way."""
    promises = lived(place, None, {}).promises
    return promises[len(promises) // 2][0]


def test_J3_the_node_is_told_once_and_goes_on_when_the_reserve_was_room_enough(quick: Path) -> None:
    life = lived(quick, full_once(in_the_middle(quick)), {})
    assert [type(error).__name__ for error in life.failures] == ["DiskFullError"]
    assert life.promises[-1][1] == len(life.states) - 1  # all that came later was written


def test_J3_a_fulfillment_that_is_relayed_but_not_written_is_in_the_log(
    quick: Path, caplog: pytest.LogCaptureFixture
) -> None:
    at = in_the_middle(quick)
    with caplog.at_level(logging.ERROR, logger="interledger.store"):
        life = lived(quick, full(at), {})
    assert life.failures
    lines = [record.getMessage() for record in caplog.records if "relayed, but not written" in record.getMessage()]
    assert lines
    assert all("ilp unknown prove unk_" in line for line in lines)


@pytest.mark.parametrize("cut", range(12))
def test_J11_a_migration_that_is_cut_or_killed_is_done_by_the_next_start(quick: Path, cut: int) -> None:
    """A database of the first form, with a commit and a snapshot in it."""
    disk = Disk()
    with mounted(disk):
        db = sqlite3.connect(DATABASE, isolation_level=None)
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        migrations.migrate(db, quick / DATABASE, migrations.migrations()[:1])
        db.close()
    old = {name: bytes(octets) for name, octets in disk.files.items()}
    whole = load_disk(quick, old)
    dice = random.Random(cut)
    for at in range(len(whole.ops)):
        for files in (whole.cut_at(at, dice), whole.killed_at(at)):
            found = load_disk(quick, files)
            with mounted(found):
                db = sqlite3.connect(DATABASE)
                db.execute("PRAGMA locking_mode = EXCLUSIVE")
                assert db.execute("PRAGMA user_version").fetchone() == (len(migrations.migrations()),)
                db.close()


def load_disk(place: Path, files: dict[str, bytes]) -> Disk:
    disk = Disk.of(files)
    with mounted(disk):
        store = open_store(place, Durability.POWER)
        try:
            store.open()
            store.load(Ledger())
        finally:
            store.close()
    return disk


@pytest.mark.slow
@pytest.mark.parametrize("killed", [True, False], ids=["a node that was killed", "a node that was stopped"])
def test_J5_bit_flips_anywhere_are_found_or_harmless(quick: Path, killed: bool) -> None:
    """In the database, its write-ahead log and the commit log: here every so many-th octet, all of them by

    python -m tools.torture --flips
    """
    report = flip_bits(quick, killed=killed, every=19)
    names = {"commits.log", "ledger.db-wal"} if killed else {"commits.log", "ledger.db"}
    assert report.flipped.keys() == names
    # What is not there yet, or not any more, is harmless; the rest is found.
    assert all(report.found[name] > 5 for name in names)


@pytest.mark.parametrize("seed", range(6))
def test_J9_files_of_different_moments_are_refused_or_are_one_moment(quick: Path, seed: int) -> None:
    """A backup that was taken of a running node, or put back in part: each mixture of two moments."""
    life = lived(quick, None, {}, seed=seed)
    ops = len(life.disk.ops)
    refused = accepted = 0
    for earlier, later in ((ops // 3, ops), (ops // 2, ops - 1), (ops // 4, ops // 2), (ops - 9, ops)):
        old, new = life.disk.killed_at(earlier), life.disk.killed_at(later)
        names = sorted(old.keys() | new.keys())
        promised = max((number for count, number in life.promises if count <= earlier), default=0)
        for mixture in range(2 ** len(names)):
            files = {name: (old, new)[mixture >> at & 1].get(name) for at, name in enumerate(names)}
            try:
                state, _ = load(
                    quick, life.durability, {n: octets for n, octets in files.items() if octets is not None}
                )
            except StoreError:
                refused += 1
                continue
            accepted += 1
            # Whole, and no older than the older of the two.
            assert state in life.states[promised:], (earlier, later, mixture)
    assert accepted >= 8  # all old, all new
    assert refused > 0
