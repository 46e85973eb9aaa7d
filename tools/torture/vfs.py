"""Puts the store on a `Disk`: a virtual file system in the very SQLite that Python uses, and `os` for the commit log.

The SQLite library is the one that the module `_sqlite3` is linked with, reached through ctypes; a connection made while
the file system is mounted finds it as the default. Only what write-ahead logging in exclusive mode needs is there.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import time
from collections.abc import Callable, Iterator
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_double, c_int, c_int64, c_void_p
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from interledger.store import commit_log
from tools.torture.disk import Disk, DiskFaultError

__all__ = ["is_available", "mounted"]

OK: Final = 0
IOERR: Final = 10
FULL: Final = 13
CANTOPEN: Final = 14
NOTFOUND: Final = 12
SHORT_READ: Final = IOERR | (2 << 8)
WRITE_ERROR: Final = IOERR | (3 << 8)
FSYNC_ERROR: Final = IOERR | (4 << 8)
OPEN_CREATE: Final = 0x4

_IO: list[tuple[str, Any]] = [
    ("xClose", CFUNCTYPE(c_int, c_void_p)),
    ("xRead", CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)),
    ("xWrite", CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)),
    ("xTruncate", CFUNCTYPE(c_int, c_void_p, c_int64)),
    ("xSync", CFUNCTYPE(c_int, c_void_p, c_int)),
    ("xFileSize", CFUNCTYPE(c_int, c_void_p, POINTER(c_int64))),
    ("xLock", CFUNCTYPE(c_int, c_void_p, c_int)),
    ("xUnlock", CFUNCTYPE(c_int, c_void_p, c_int)),
    ("xCheckReservedLock", CFUNCTYPE(c_int, c_void_p, POINTER(c_int))),
    ("xFileControl", CFUNCTYPE(c_int, c_void_p, c_int, c_void_p)),
    ("xSectorSize", CFUNCTYPE(c_int, c_void_p)),
    ("xDeviceCharacteristics", CFUNCTYPE(c_int, c_void_p)),
]
_SYSTEM: list[tuple[str, Any]] = [
    ("xOpen", CFUNCTYPE(c_int, c_void_p, c_char_p, c_void_p, c_int, POINTER(c_int))),
    ("xDelete", CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)),
    ("xAccess", CFUNCTYPE(c_int, c_void_p, c_char_p, c_int, POINTER(c_int))),
    ("xFullPathname", CFUNCTYPE(c_int, c_void_p, c_char_p, c_int, c_void_p)),
    ("xDlOpen", c_void_p),
    ("xDlError", c_void_p),
    ("xDlSym", c_void_p),
    ("xDlClose", c_void_p),
    ("xRandomness", CFUNCTYPE(c_int, c_void_p, c_int, c_void_p)),
    ("xSleep", CFUNCTYPE(c_int, c_void_p, c_int)),
    ("xCurrentTime", CFUNCTYPE(c_int, c_void_p, POINTER(c_double))),
    ("xGetLastError", CFUNCTYPE(c_int, c_void_p, c_int, c_void_p)),
]


class _IoMethods(Structure):
    _fields_ = [("iVersion", c_int), *_IO]  # ctypes wants it so


class _File(Structure):
    _fields_ = [("pMethods", POINTER(_IoMethods)), ("number", c_int64)]


class _Vfs(Structure):
    _fields_ = [
        ("iVersion", c_int), ("szOsFile", c_int), ("mxPathname", c_int), ("pNext", c_void_p), ("zName", c_char_p),
        ("pAppData", c_void_p), *_SYSTEM,
    ]  # fmt: skip


def _library() -> Any:
    """The SQLite that Python's own module uses; None where it cannot be reached."""
    import _sqlite3

    path = getattr(_sqlite3, "__file__", None)
    try:
        library = ctypes.CDLL(path)
        _ = library.sqlite3_vfs_register
    except (OSError, AttributeError, TypeError):
        return None
    return library


_LIBRARY: Final = _library()


def is_available() -> bool:
    """Whether this Python's SQLite can be given a file system."""
    return _LIBRARY is not None


class _FileSystem:
    """SQLite's calls, answered from a disk. `DiskFaultError` becomes SQLite's error code."""

    def __init__(self) -> None:
        self.disk = Disk()
        self._names: dict[int, str] = {}
        self._next = 1
        # Kept as long as SQLite may call them.
        self._methods = _IoMethods(1, *(kind(self._guarded(getattr(self, f"_{name}"))) for name, kind in _IO))
        calls = []
        for name, kind in _SYSTEM:
            calls.append(None if kind is c_void_p else kind(self._guarded(getattr(self, f"_{name}"))))
        self.vfs = _Vfs(1, ctypes.sizeof(_File), 512, None, b"torture", None, *calls)

    def _guarded(self, call: Callable[..., int]) -> Callable[..., int]:
        def guarded(*arguments: Any) -> int:
            try:
                return call(*arguments)
            except DiskFaultError as fault:
                if fault.errno == errno.ENOSPC:
                    return FULL
                return FSYNC_ERROR if call.__name__ == "_xSync" else WRITE_ERROR
            except Exception:
                return IOERR

        return guarded

    def _name(self, file: int) -> str:
        return self._names[ctypes.cast(file, POINTER(_File)).contents.number]

    def _xOpen(self, vfs: int, name: bytes | None, file: int, flags: int, out: Any) -> int:  # noqa: N802
        entry = ctypes.cast(file, POINTER(_File)).contents
        plain = os.path.basename(name.decode()) if name else f"temporary-{self._next}"
        if plain not in self.disk.files and not flags & OPEN_CREATE:
            return CANTOPEN
        self.disk.create(plain)
        entry.pMethods = ctypes.pointer(self._methods)
        entry.number = self._next
        self._names[self._next] = plain
        self._next += 1
        if out:
            out[0] = flags
        return OK

    def _xDelete(self, vfs: int, name: bytes, sync_directory: int) -> int:  # noqa: N802
        plain = os.path.basename(name.decode())
        if plain in self.disk.files:
            self.disk.delete(plain, through=bool(sync_directory))
        return OK

    def _xAccess(self, vfs: int, name: bytes, flags: int, out: Any) -> int:  # noqa: N802
        octets = self.disk.files.get(os.path.basename(name.decode()))
        # As SQLite's own: an empty file does not exist.
        out[0] = int(bool(octets))
        return OK

    def _xFullPathname(self, vfs: int, name: bytes, size: int, out: int) -> int:  # noqa: N802
        ctypes.memmove(out, name + b"\0", len(name) + 1)
        return OK

    def _xRandomness(self, vfs: int, count: int, out: int) -> int:  # noqa: N802
        ctypes.memmove(out, os.urandom(count), count)
        return count

    def _xSleep(self, vfs: int, microseconds: int) -> int:  # noqa: N802
        return microseconds

    def _xCurrentTime(self, vfs: int, out: Any) -> int:  # noqa: N802
        out[0] = 2_440_587.5 + time.time() / 86_400
        return OK

    def _xGetLastError(self, vfs: int, size: int, out: int) -> int:  # noqa: N802
        return OK

    def _xClose(self, file: int) -> int:  # noqa: N802
        del self._names[ctypes.cast(file, POINTER(_File)).contents.number]
        return OK

    def _xRead(self, file: int, out: int, count: int, offset: int) -> int:  # noqa: N802
        data = self.disk.read(self._name(file), offset, count)
        ctypes.memmove(out, data + bytes(count - len(data)), count)
        return OK if len(data) == count else SHORT_READ

    def _xWrite(self, file: int, data: int, count: int, offset: int) -> int:  # noqa: N802
        self.disk.write(self._name(file), ctypes.string_at(data, count), offset)
        return OK

    def _xTruncate(self, file: int, size: int) -> int:  # noqa: N802
        self.disk.truncate(self._name(file), size)
        return OK

    def _xSync(self, file: int, flags: int) -> int:  # noqa: N802
        self.disk.sync(self._name(file))
        return OK

    def _xFileSize(self, file: int, out: Any) -> int:  # noqa: N802
        out[0] = len(self.disk.files[self._name(file)])
        return OK

    def _xLock(self, file: int, level: int) -> int:  # noqa: N802
        return OK

    def _xUnlock(self, file: int, level: int) -> int:  # noqa: N802
        return OK

    def _xCheckReservedLock(self, file: int, out: Any) -> int:  # noqa: N802
        out[0] = 0
        return OK

    def _xFileControl(self, file: int, op: int, argument: int) -> int:  # noqa: N802
        return NOTFOUND

    def _xSectorSize(self, file: int) -> int:  # noqa: N802
        return 512

    def _xDeviceCharacteristics(self, file: int) -> int:  # noqa: N802
        return 0


_FILE_SYSTEM: Final = _FileSystem() if _LIBRARY is not None else None


class _LogFiles:
    """The part of `os` that the commit log uses."""

    O_RDWR = os.O_RDWR
    O_DSYNC = getattr(os, "O_DSYNC", 0)

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._open: dict[int, tuple[str, bool]] = {}
        self._next = 1_000_000

    def create(self, path: Path) -> int:
        self._disk.create(path.name)
        return self.open(path, 0)

    def open(self, path: Path, flags: int) -> int:
        self._next += 1
        self._open[self._next] = (path.name, bool(flags & self.O_DSYNC))
        return self._next

    def close(self, fd: int) -> None:
        del self._open[fd]

    def fstat(self, fd: int) -> SimpleNamespace:
        return SimpleNamespace(st_size=len(self._disk.files[self._open[fd][0]]))

    def pread(self, fd: int, count: int, offset: int) -> bytes:
        return self._disk.read(self._open[fd][0], offset, count)

    def pwrite(self, fd: int, octets: bytes, offset: int) -> int:
        name, through = self._open[fd]
        self._disk.write(name, bytes(octets), offset, through=through)
        return len(octets)

    def fsync(self, fd: int) -> None:
        self._disk.sync(self._open[fd][0])


@contextlib.contextmanager
def mounted(disk: Disk) -> Iterator[None]:
    """While this lasts, what stores of this process open is on `disk`, whatever the path before its last part."""
    if _FILE_SYSTEM is None:
        raise OSError("the SQLite of this Python cannot be given a file system")
    log_files = disk.log_files = disk.log_files or _LogFiles(disk)
    before = _FILE_SYSTEM.disk
    _FILE_SYSTEM.disk = disk
    log: Any = commit_log
    kept = log.os, log.create_private
    _LIBRARY.sqlite3_vfs_register(ctypes.byref(_FILE_SYSTEM.vfs), 1)
    log.os, log.create_private = log_files, log_files.create
    try:
        yield
    finally:
        log.os, log.create_private = kept
        _FILE_SYSTEM.disk = before
        _LIBRARY.sqlite3_vfs_unregister(ctypes.byref(_FILE_SYSTEM.vfs))
