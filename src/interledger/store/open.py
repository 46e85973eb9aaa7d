"""The store that a node's settings ask for."""

from __future__ import annotations

import os
from pathlib import Path

from interledger.store.base import Durability, Store
from interledger.store.memory import MemoryStore
from interledger.store.sqlite import SqliteStore

__all__ = ["MEMORY", "open_store"]

MEMORY = "memory"
"""The `durability` of a node that keeps nothing."""


def open_store(directory: str | os.PathLike[str], durability: str) -> Store:
    """An open store in `directory`. `durability`: `power`, `process` (see `Durability`) or `memory`.

    Raises `StoreError` when the directory is in use, cannot be read, or has no room.
    """
    store: Store = MemoryStore() if durability == MEMORY else SqliteStore(Path(directory), Durability(durability))
    store.open()
    return store
