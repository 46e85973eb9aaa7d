"""The directory of a development network: one network at a time runs in it, and says in dev.json how it is used."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from interledger.daemon.dev_settlement import PORTS_FILE, SETTLEMENT_DIRECTORY
from interledger.daemon.process import read_private_json, write_private_json
from interledger.errors import InterledgerError

__all__ = ["DEV_FILE", "AlreadyRunningError", "announce", "only_one", "running_network", "wipe"]

DEV_FILE: Final = "dev.json"
"""In the state directory while the network runs: pid, start, and of each node its name, url, token and address."""

LOCK_FILE: Final = "dev.lock"


class AlreadyRunningError(InterledgerError):
    """The network of this directory runs already; `document` is its dev.json."""

    def __init__(self, document: dict[str, Any] | None) -> None:
        self.document = document
        super().__init__("The network of this directory runs already.")


@contextmanager
def only_one(directory: Path) -> Iterator[IO[str]]:
    """Hold the directory's lock: the operating system lets go of it whatever way this process ends.

    Raises `AlreadyRunningError` when another process holds it.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory / LOCK_FILE).open("a", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunningError(read_private_json(directory / DEV_FILE)) from None
        yield lock


def running_network(directory: Path) -> dict[str, Any] | None:
    """The dev.json of the network that runs in `directory`; None when none does, whatever was left behind."""
    if not (directory / LOCK_FILE).exists():
        return None
    try:
        with only_one(directory):
            return None
    except AlreadyRunningError as error:
        return error.document


def announce(directory: Path, document: dict[str, object]) -> None:
    """Write dev.json, private: it holds the tokens."""
    write_private_json(directory / DEV_FILE, document)


def wipe(directory: Path) -> None:
    """Remove the state of every node; the caller holds the lock. Only folders that look like a node's are touched."""
    (directory / DEV_FILE).unlink(missing_ok=True)
    if directory.is_dir():
        for place in directory.iterdir():
            if place.is_dir() and (place / "secret_seed").exists():
                shutil.rmtree(place)
        if (directory / SETTLEMENT_DIRECTORY / PORTS_FILE).exists():
            shutil.rmtree(directory / SETTLEMENT_DIRECTORY)
