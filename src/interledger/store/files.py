"""The files beside the database: the lock that keeps a second node out, and the space kept in reserve."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path
from typing import Final, final

from interledger.errors import DiskFullError, StoreError

if sys.platform != "win32":
    import fcntl

__all__ = [
    "RESERVE_OCTETS",
    "DirectoryLock",
    "create_private",
    "give_back_reserve",
    "make_directory",
    "make_reserve",
    "sync_directory",
]

RESERVE_OCTETS: Final = 12 * 1024 * 1024
"""Room for one more transfer of a full commit log (4 MiB), which SQLite writes to its own log and then to the database,
and some. The commit log is empty then, and has room for the outcomes of all packets that can be in flight."""

_PID_OCTETS: Final = 20


@final
class DirectoryLock:
    """An exclusive lock on a file. The system lets go of it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def take(self) -> None:
        """Raises `StoreError`, which names the directory and the process that has it."""
        fd = create_private(self._path)
        try:
            _lock(fd)
        except OSError:
            holder = os.pread(fd, _PID_OCTETS, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            raise StoreError(
                f"{self._path.parent} is in use by another node (process {holder}). Two nodes cannot share their books"
            ) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, str(os.getpid()).encode(), 0)
        self._fd = fd

    def release(self) -> None:
        """Safe to call twice."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _lock(fd: int) -> None:
    if sys.platform != "win32":
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    # On Windows SQLite's own exclusive lock on the database keeps the second node out, with less to say about it.


def make_directory(path: Path) -> None:
    """The directory, for its owner only, when it does not exist."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path} cannot be made: {error.strerror}") from None


def create_private(path: Path) -> int:
    """Open the file, made when it is new, readable by its owner only. Returns the descriptor; raises `StoreError`."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"{path} cannot be opened: {error.strerror}") from None
    with contextlib.suppress(OSError):  # a file of another owner that we may write: its owner decides
        os.chmod(path, 0o600)
    return fd


def sync_directory(path: Path) -> None:
    """Wait until the names in it are on the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_reserve(path: Path, octets: int) -> None:
    """Take `octets` of the disk. Raises `DiskFullError` when there is no room for them."""
    fd = create_private(path)
    try:
        if os.fstat(fd).st_size < octets:
            _allocate(fd, octets)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise DiskFullError(
            f"{path.parent} has no room for a reserve of {octets} octets: {os.strerror(error.errno or errno.ENOSPC)}"
        ) from None
    finally:
        os.close(fd)


def _allocate(fd: int, octets: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, octets)
        return
    for offset in range(0, octets, 65_536):  # a hole would reserve nothing
        os.pwrite(fd, bytes(min(65_536, octets - offset)), offset)


def give_back_reserve(path: Path) -> None:
    """Let others have the space. Nothing happens when it is gone already."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
