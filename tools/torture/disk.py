"""A disk in memory that remembers every write and every sync, and can be looked at as a power cut would leave it.

What was synced before the cut is there. Of what was not, any subset may be there, in any order, and each write may be
torn: at sectors of 512 octets, at pages of 4 KiB, or at any octet. The write during which the power fails is torn too.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

__all__ = ["Disk", "DiskFaultError", "Kind", "Op"]

SECTORS: Final = (512, 4_096, 1)


class Kind(Enum):
    """What is done to a file. A new file is there at once: its directory entry is synced before it matters."""

    WRITE = "write"
    TRUNCATE = "truncate"
    SYNC = "sync"
    DELETE = "delete"


class DiskFaultError(OSError):
    """The disk refuses. `errno` is ENOSPC or EIO."""


@dataclass(slots=True)
class Op:
    """One request. `through`: it is durable when it returns, as with O_DSYNC."""

    kind: Kind
    name: str
    offset: int = 0
    data: bytes = b""
    through: bool = False


@dataclass(slots=True)
class Disk:
    """Files by name. `base`: as they are when the log of requests begins, all durable."""

    base: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, bytearray] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)
    on_op: Callable[[Op, int], None] = lambda op, number: None
    """Called before each request; raises `DiskFaultError` to refuse it."""
    log_files: Any = field(default=None, repr=False, compare=False)
    """What stands in for `os` on it: see `vfs.mounted`, which may come and go while files are open."""

    @classmethod
    def of(cls, files: dict[str, bytes]) -> Disk:
        """A disk on which these files are, durably."""
        return cls(dict(files), {name: bytearray(octets) for name, octets in files.items()})

    def create(self, name: str) -> bytearray:
        """The file, made when it is new."""
        return self.files.setdefault(name, bytearray())

    def read(self, name: str, offset: int, count: int) -> bytes:
        """Up to `count` octets."""
        return bytes(self.files[name][offset : offset + count])

    def write(self, name: str, data: bytes, offset: int, *, through: bool = False) -> None:
        """Write, in the page cache; `through` to the disk as well."""
        self._begin(Op(Kind.WRITE, name, offset, data, through))
        _write(self.files[name], offset, data)

    def truncate(self, name: str, size: int) -> None:
        """Cut the file to `size`."""
        self._begin(Op(Kind.TRUNCATE, name, size))
        _truncate(self.files[name], size)

    def sync(self, name: str) -> None:
        """All that was written to the file is durable now."""
        self._begin(Op(Kind.SYNC, name))

    def delete(self, name: str, *, through: bool) -> None:
        """Remove the file."""
        self._begin(Op(Kind.DELETE, name, through=through))
        self.files.pop(name, None)

    def _begin(self, op: Op) -> None:
        self.on_op(op, len(self.ops))
        self.ops.append(op)

    def killed_at(self, count: int) -> dict[str, bytes]:
        """The files after the first `count` requests and a kill -9: all of them are in the page cache."""
        files = {name: bytearray(octets) for name, octets in self.base.items()}
        for op in self.ops[:count]:
            _apply(files, op, op.data)
        return {name: bytes(octets) for name, octets in files.items()}

    def cut_at(self, count: int, dice: random.Random) -> dict[str, bytes]:
        """The files after a power cut in the middle of request number `count` (from 0)."""
        synced: dict[str, int] = {}
        for number, op in enumerate(self.ops[:count]):
            if op.kind is Kind.SYNC:
                synced[op.name] = number
        files = {name: bytearray(octets) for name, octets in self.base.items()}
        # Some cuts lose nearly all of what may be lost, others nearly nothing.
        keep = dice.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        for number, op in enumerate(self.ops[: count + 1]):
            durable = number < count and (op.through or number < synced.get(op.name, -1))
            if durable or op.kind is Kind.SYNC:
                _apply(files, op, op.data)
            elif dice.random() < keep:
                if op.kind is Kind.WRITE:
                    _tear(files, op, dice)
                else:
                    _apply(files, op, op.data)
        return {name: bytes(octets) for name, octets in files.items()}


def _apply(files: dict[str, bytearray], op: Op, data: bytes) -> None:
    if op.kind is Kind.WRITE:
        _write(files.setdefault(op.name, bytearray()), op.offset, data)
    elif op.kind is Kind.TRUNCATE:
        _truncate(files.setdefault(op.name, bytearray()), op.offset)
    elif op.kind is Kind.DELETE:
        files.pop(op.name, None)


def _tear(files: dict[str, bytearray], op: Op, dice: random.Random) -> None:
    """Write all of it, a beginning of it, or some of its sectors."""
    octets = files.setdefault(op.name, bytearray())
    how = dice.randrange(3)
    sector = dice.choice(SECTORS)
    if how == 0:
        _write(octets, op.offset, op.data)
    elif how == 1 or sector == 1:
        length = dice.randint(0, len(op.data))
        _write(octets, op.offset, op.data[: length - length % sector])
    else:
        begin = op.offset
        while begin < op.offset + len(op.data):
            end = min(begin - begin % sector + sector, op.offset + len(op.data))
            if dice.random() < 0.5:
                _write(octets, begin, op.data[begin - op.offset : end - op.offset])
            begin = end


def _write(octets: bytearray, offset: int, data: bytes) -> None:
    if not data:
        return
    if len(octets) < offset:
        octets.extend(bytes(offset - len(octets)))
    octets[offset : offset + len(data)] = data


def _truncate(octets: bytearray, size: int) -> None:
    if len(octets) > size:
        del octets[size:]
    else:
        octets.extend(bytes(size - len(octets)))
