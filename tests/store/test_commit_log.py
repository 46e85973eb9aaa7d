"""The commit log: what was acknowledged is there, what was torn is not, and damage is told from a torn end."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.clock import Timestamp
from interledger.errors import DiskFullError, StoreError
from interledger.store.commit_log import CommitLog, LoggedCommit, read_commit_log
from interledger.store.rows import chain_of

MARK = bytes(range(16))
SIZE = 16_384
SECTOR = 512


class Written:
    """A log in a directory, and what was appended to it."""

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        self.path = directory / "commits.log"
        self.durable = durable
        self.seq = self.chain = 0
        self.begun_at = (0, 0)
        """(seq, chain) of the database's last commit."""
        self.commits: list[LoggedCommit] = []
        self.open()

    def open(self) -> None:
        self.log = CommitLog(self.path, MARK, durable=self.durable, octets=SIZE)
        self.log.load(*self.begun_at)

    def append(self, records: bytes) -> bool:
        seq, at = self.seq + 1, Timestamp(1_000 + self.seq)
        commit = LoggedCommit(seq, at, chain_of(self.chain, seq, at, records), records)
        if not self.log.append(commit):
            return False
        self.seq, self.chain = seq, commit.chain
        self.commits.append(commit)
        return True

    def clear(self) -> None:
        """The database has taken everything."""
        self.log.clear()
        self.begun_at = (self.seq, self.chain)
        self.commits = []

    def read(self) -> list[LoggedCommit]:
        return read_commit_log(self.path, MARK, *self.begun_at)

    def image(self) -> bytearray:
        return bytearray(self.path.read_bytes())

    def damage(self, image: bytes | bytearray) -> None:
        self.path.write_bytes(image)


@pytest.fixture
def log(tmp_path: Path) -> Written:
    return Written(tmp_path)


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every log is closed at the end, however often a test opened one."""
    opened: list[CommitLog] = []
    load = CommitLog.load

    def keep(self: CommitLog, seq: int, chain: int) -> None:
        opened.append(self)
        load(self, seq, chain)

    monkeypatch.setattr(CommitLog, "load", keep)
    yield
    for one in opened:
        one.close()


def test_what_was_appended_is_found_by_the_next_start_and_by_who_looks(log: Written) -> None:
    for records in (b"one", b"", b"three" * 100):
        assert log.append(records)
    assert log.read() == log.commits
    log.open()
    assert log.log.pending == log.commits
    assert log.append(b"four")
    assert log.read() == log.commits


def test_a_commit_that_has_no_room_is_refused_and_changes_nothing(log: Written) -> None:
    while log.append(bytes(1_000)):
        pass
    assert 14 <= len(log.commits) <= 16
    assert log.read() == log.commits


def test_after_the_database_took_all_what_is_left_does_not_count(log: Written) -> None:
    for number in range(6):
        log.append(bytes([number]) * 50)
    log.clear()
    assert log.read() == []
    log.append(b"x" * 49)  # the next one begins in the middle of an old one
    assert log.read() == log.commits
    log.open()
    assert log.log.pending == log.commits


def test_the_database_is_ahead_when_the_end_came_before_the_log_was_used_again(log: Written) -> None:
    log.append(b"one")
    log.append(b"two")
    log.begun_at = (log.seq, log.chain)
    log.open()
    assert log.log.pending == []


@pytest.mark.parametrize("durable", [True, False])
def test_J5_a_commit_damaged_with_another_behind_it_is_damage_where_writes_were_synced(
    tmp_path: Path, durable: bool
) -> None:
    log = Written(tmp_path, durable=durable)
    for number in range(4):
        log.append(bytes([number]) * 40)
    image = log.image()
    image[image.index(bytes([1]) * 40)] ^= 1
    log.damage(image)
    if durable:
        with pytest.raises(StoreError, match="commit 2 of the journal is damaged or missing, commit 3 is behind it"):
            log.read()
    else:  # the system wrote the pages in any order: the first hole is the end
        assert log.read() == log.commits[:1]


@given(octet=st.integers(0, 3 * 100 - 1), bit=st.integers(0, 7))
def test_J5_no_flipped_bit_goes_unseen(tmp_path_factory: pytest.TempPathFactory, octet: int, bit: int) -> None:
    """Of three commits: damage in the first two is named; a damaged last one looks like a torn one and is dropped."""
    log = Written(tmp_path_factory.mktemp("log"))
    for number in range(3):
        log.append(bytes([number]) * 56)
    image = log.image()
    image[512 + octet] ^= 1 << bit
    log.damage(image)
    if octet >= 2 * 100:
        assert log.read() == log.commits[:2]
    else:
        with pytest.raises(StoreError, match=f"commit {octet // 100 + 1} of the journal is damaged"):
            log.read()


@pytest.mark.parametrize("seed", range(20))
def test_J4_after_a_power_cut_every_acknowledged_commit_is_there_and_at_most_the_last_one_is_torn(
    tmp_path: Path, seed: int
) -> None:
    """The disk has every write that returned, and any sectors of the one that did not."""
    chance = random.Random(seed)
    log = Written(tmp_path)
    for _ in range(30):
        before, acknowledged = log.image(), list(log.commits)
        if not log.append(chance.randbytes(chance.choice((60, 500, 1_500, 3_000)))):
            log.clear()
            continue
        after, base = log.image(), log.begun_at
        for _ in range(10):
            torn = bytearray(before)
            for start in range(0, len(after), SECTOR):
                if after[start : start + SECTOR] != before[start : start + SECTOR] and chance.random() < 0.5:
                    torn[start : start + SECTOR] = after[start : start + SECTOR]
            log.damage(torn)
            found = read_commit_log(log.path, MARK, *base)
            assert found in (acknowledged, log.commits)
        log.damage(after)


@pytest.mark.parametrize("cut", [0, 100, 511, 512, 5_000])
def test_J4_a_log_whose_making_was_cut_short_is_made_again(tmp_path: Path, cut: int) -> None:
    (tmp_path / "commits.log").write_bytes(bytes(cut))
    log = Written(tmp_path)
    assert log.append(b"one")
    assert log.read() == log.commits
    assert len(log.image()) == SIZE


def test_a_log_of_another_database_is_refused(log: Written) -> None:
    log.append(b"one")
    with pytest.raises(StoreError, match="does not belong to the database beside it"):
        read_commit_log(log.path, bytes(16), 0, 0)


def test_a_log_that_is_gone_is_missed(log: Written) -> None:
    log.append(b"one")
    log.clear()
    log.path.write_bytes(b"")
    with pytest.raises(StoreError, match="is missing or empty: it had the latest commits"):
        log.read()
    log.path.unlink()
    with pytest.raises(StoreError, match="cannot be read"):
        log.read()


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, DiskFullError), (errno.EIO, StoreError)])
def test_J3_J4_a_disk_that_refuses_is_told(
    log: Written, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[StoreError]
) -> None:
    def refuse(fd: int, octets: bytes, offset: int) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "pwrite", refuse)
    with pytest.raises(StoreError, match=r"commits.log cannot be written") as caught:
        log.append(b"one")
    assert type(caught.value) is kind
    monkeypatch.undo()
    assert log.read() == []


def test_a_write_that_the_system_takes_in_parts_is_finished(log: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, octets, offset: whole(fd, octets[:7], offset))
    log.append(b"one" * 30)
    assert log.read() == log.commits


def test_durability_may_change_between_two_starts(log: Written) -> None:
    log.append(b"one")
    log.durable = False
    log.open()
    log.append(b"two")
    log.durable = True
    log.open()
    assert log.log.pending == log.commits
