"""The log of the latest commits: one file, written in place, one write per commit, which is durable when it returns.

SQLite takes a commit in at least two writes and some hundred microseconds of a thread that has to ask for the
interpreter lock after each of its steps. A commit that is only records goes here instead, and into the database later,
many at once, with the next one that has more to say. So the file holds what the database does not have yet:

    head     "ILP commit log 1", how it was written ("P" power, "K" process), a random mark of 16 octets
    commit   mark, seq, at (ms), length, chain, check sum of these five, records: from octet 512, one after another
    ...      what is left of older commits, whose seq the database has

A power cut can tear the last commit only, because the next one is begun when this one is on the disk; nothing had left
for it, so it is dropped. A commit that cannot be read with a later one behind it was not torn, it is damage. (In mode
"K" the system writes pages in any order, so there the first hole ends the log.)
"""

from __future__ import annotations

import contextlib
import errno
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import Final, NamedTuple, final

from interledger.clock import Timestamp
from interledger.errors import DiskFullError, StoreError
from interledger.store.files import create_private
from interledger.store.rows import chain_of

__all__ = ["COMMIT_LOG", "LOG_OCTETS", "CommitLog", "LoggedCommit", "read_commit_log"]

LOG_OCTETS: Final = 4 * 1024 * 1024
"""Size of the file: most snapshots are due after 2 MiB of records, and the smallest commits are two thirds records."""

COMMIT_LOG: Final = "commits.log"

_PAGE: Final = 4096
"""A new log is written in pieces of this size, see `_ask_for_small_pages`."""

_MAGIC: Final = b"ILP commit log 1"
_START: Final = 512
_HEAD: Final = Struct(">16s c 16s")
_FIELDS: Final = Struct(">16sQQII")
_CHECK: Final = Struct(">I")
_COMMIT_SIZE: Final = _FIELDS.size + _CHECK.size
_MODES: Final = {True: b"P", False: b"K"}


class LoggedCommit(NamedTuple):
    """One commit. `chain`: the check sum of this one and of the chain before it."""

    seq: int
    at: Timestamp
    chain: int
    records: bytes


@final
class CommitLog:
    """The file, open for one writer."""

    def __init__(self, path: Path, mark: bytes, *, durable: bool, octets: int = LOG_OCTETS) -> None:
        """Open the log that has `mark`, made when it does not exist. Raises `StoreError`.

        `durable`: a commit waits for the disk. `octets`: the size of a new log.
        """
        self.path = path
        self.pending: list[LoggedCommit] = []
        """What is in it, oldest first: what the database does not have."""
        self._mark = mark
        self._end = _START
        self._size = octets
        self._durable = durable
        os.close(create_private(path))
        with _errors(path, "opened"):
            self._fd = os.open(path, os.O_RDWR | (os.O_DSYNC if durable else 0))
            _ask_for_small_pages(self._fd)

    def load(self, seq: int, chain: int) -> None:
        """Find the commits after the database's last one, `seq`. Raises `StoreError` when the log is damaged."""
        with _errors(self.path, "read"):
            self._size = max(self._size, os.fstat(self._fd).st_size)
            octets = os.pread(self._fd, self._size, 0)
        self.pending, self._end = _read(self.path, octets, self._mark, seq, chain)
        head = _HEAD.pack(_MAGIC, _MODES[self._durable], self._mark)
        with _errors(self.path, "written"):
            self._fill(len(octets))
            if octets[: len(head)] != head:
                _write(self._fd, head, 0)
            os.fsync(self._fd)

    def _fill(self, offset: int) -> None:
        """Zeros to the end of the file: written, not only reserved, so that later writes change no metadata."""
        if offset >= self._size:
            return
        fd = os.open(self.path, os.O_RDWR)  # these need not wait for the disk one by one
        try:
            while offset < self._size:
                octets = bytes(min(_PAGE - offset % _PAGE, self._size - offset))
                _write(fd, octets, offset)
                offset += len(octets)
            os.fsync(fd)
        finally:
            os.close(fd)

    def has_room(self, octets: int) -> bool:
        """Whether a commit with so many octets of records fits."""
        return self._end + _COMMIT_SIZE + octets <= self._size

    def append(self, commit: LoggedCommit) -> bool:
        """Write it. False, and nothing is done, when there is no room: the database has to take what is pending.

        Raises `StoreError` when the disk refuses: then it is not known whether the commit is there.
        """
        if not self.has_room(len(commit.records)):
            return False
        head = _FIELDS.pack(self._mark, commit.seq, commit.at, len(commit.records), commit.chain)
        octets = b"".join((head, _CHECK.pack(zlib.crc32(head)), commit.records))
        try:
            _write(self._fd, octets, self._end)
        except OSError as error:
            raise _as_store_error(self.path, "written", error) from None
        self._end += len(octets)
        self.pending.append(commit)
        return True

    def clear(self) -> None:
        """The database has all that was pending, on the disk: begin again at the start."""
        self.pending = []
        self._end = _START

    def close(self) -> None:
        """Let it go. Writes nothing."""
        os.close(self._fd)


def read_commit_log(path: Path, mark: bytes, seq: int, chain: int) -> list[LoggedCommit]:
    """The commits after `seq` in the log of a node that is not running. Raises `StoreError`; writes nothing."""
    with _errors(path, "read"):
        octets = path.read_bytes()
    return _read(path, octets, mark, seq, chain)[0]


def _ask_for_small_pages(fd: int) -> None:
    """Linux keeps a file in memory in pieces as large as what was written or read ahead at once, up to megabytes. A
    commit of a kilobyte then pays for looking at all of the piece it lies in: twice the price of the write.
    """
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)


def _write(fd: int, octets: bytes, offset: int) -> None:
    while octets:  # the system may take a part and say why not the rest when it is asked again
        written = os.pwrite(fd, octets, offset)
        octets, offset = octets[written:], offset + written


@contextlib.contextmanager
def _errors(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _as_store_error(path, what, error) from None


def _as_store_error(path: Path, what: str, error: OSError) -> StoreError:
    if error.errno == errno.ENOSPC:
        return DiskFullError(f"{path} cannot be {what}: the disk is full")
    return StoreError(f"{path} cannot be {what}: {error.strerror}")


def _read(path: Path, octets: bytes, mark: bytes, seq: int, chain: int) -> tuple[list[LoggedCommit], int]:
    """The commits that follow `seq` without a gap, and where the last one ends."""
    magic, mode, its_mark = _HEAD.unpack_from(octets.ljust(_HEAD.size, b"\0"))
    if magic != _MAGIC or its_mark != mark:
        if octets[_HEAD.size :].strip(b"\0"):
            raise StoreError(
                f"{path} does not belong to the database beside it. Were they restored from the same moment?"
            )
        if seq:
            raise StoreError(f"{path} is missing or empty: it had the latest commits. Restore it with the database")
        return [], _START  # new, or its making was cut short
    first = _read_fields(octets, _START, mark)
    if first is not None and first[0] > seq + 1:
        # The database has on the disk whatever was here before this, so it is one of an earlier time.
        raise StoreError(
            f"{path} goes on from commit {first[0]}, the database ends with commit {seq}: it is older than its log. "
            "Was it restored from a backup? Restore both from one moment. Nothing was changed; the node does not start"
        )
    commits = []
    offset = _START
    while (commit := _read_commit(octets, offset, mark, seq, chain)) is not None:
        commits.append(commit)
        seq, chain = commit.seq, commit.chain
        offset += _COMMIT_SIZE + len(commit.records)
    later = _find_later(octets, offset, mark, seq)
    if later is not None and mode == _MODES[True]:
        raise StoreError(
            f"{path}: commit {seq + 1} of the journal is damaged or missing, commit {later} is behind it. Nothing was "
            "changed; the node does not start"
        )
    return commits, offset


def _read_commit(octets: bytes, offset: int, mark: bytes, seq: int, chain: int) -> LoggedCommit | None:
    """The commit at `offset`, if it is there, whole, and the one after `seq`."""
    fields = _read_fields(octets, offset, mark)
    if fields is None:
        return None
    its_seq, at, length, its_chain = fields
    start = offset + _COMMIT_SIZE
    records = octets[start : start + length]
    if its_seq != seq + 1 or chain_of(chain, its_seq, at, records) != its_chain:
        return None
    return LoggedCommit(its_seq, Timestamp(at), its_chain, records)


def _read_fields(octets: bytes, offset: int, mark: bytes) -> tuple[int, int, int, int] | None:
    """seq, at, length, chain: if a commit begins at `offset`. The mark is random, so no record can look like one."""
    if offset + _COMMIT_SIZE > len(octets):
        return None
    (check,) = _CHECK.unpack_from(octets, offset + _FIELDS.size)
    its_mark, seq, at, length, chain = _FIELDS.unpack_from(octets, offset)
    if its_mark != mark or zlib.crc32(octets[offset : offset + _FIELDS.size]) != check:
        return None
    return seq, at, length, chain


def _find_later(octets: bytes, offset: int, mark: bytes, seq: int) -> int | None:
    """The number of a commit behind `offset` that is younger than the one that should be there."""
    while (offset := octets.find(mark, offset)) >= 0:
        fields = _read_fields(octets, offset, mark)
        if fields is not None and fields[0] > seq + 1:
            return fields[0]
        offset += 1
    return None
