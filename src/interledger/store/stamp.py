"""What a data directory remembers of books that are kept elsewhere: which database, and how far it had come.

A database that was restored from an old backup is sound in itself. This file, beside the node's secrets, knows better:
it is written at every start, snapshot and stop. So it also says that there are books, when a setting was lost.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Final, NamedTuple

from interledger.codec.strict_json import parse_json
from interledger.errors import DecodeError, StoreError
from interledger.store.files import create_private

__all__ = ["STAMP", "Stamp", "read_stamp", "write_stamp"]

STAMP: Final = "postgres.json"

OCTETS_MAX: Final = 1_024

_WHOLE = re.compile(r"[0-9]{1,19}")


class Stamp(NamedTuple):
    """`mark`: of the database; `epoch`: of the last start; `seq`: the last commit that is known to be written."""

    mark: str
    epoch: int
    seq: int


def read_stamp(directory: Path) -> Stamp | None:
    """None where there is none. Raises `StoreError` when it cannot be read."""
    path = directory / STAMP
    try:
        fields = parse_json(path.read_bytes(), octets_max=OCTETS_MAX)
        return Stamp(str(fields["mark"]), _whole(fields["epoch"]), _whole(fields["seq"]))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
    except (DecodeError, KeyError, TypeError, ValueError):
        raise StoreError(
            f"{path} is damaged. It says which database has the books of this node; if the settings name the right "
            "one, remove the file"
        ) from None


def write_stamp(directory: Path, stamp: Stamp) -> None:
    """Put it in place of the one before, whole or not at all. Raises `StoreError`."""
    path, new = directory / STAMP, directory / f"{STAMP}.new"
    octets = json.dumps({"mark": stamp.mark, "epoch": str(stamp.epoch), "seq": str(stamp.seq)}).encode()
    try:
        fd = create_private(new)
        try:
            os.ftruncate(fd, 0)
            os.pwrite(fd, octets, 0)
            os.fsync(fd)
        finally:
            os.close(fd)
        new.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from None


def _whole(text: object) -> int:
    if not isinstance(text, str) or _WHOLE.fullmatch(text) is None:
        raise ValueError("not a whole number")
    return int(text)
