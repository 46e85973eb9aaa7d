"""One durable step of a store, and how it is written: once more on a full disk, when the reserve was given back."""

from __future__ import annotations

from dataclasses import dataclass

from interledger.accounts.entries import Batch
from interledger.accounts.snapshot import Snapshot
from interledger.clock import Timestamp
from interledger.errors import DiskFullError, StoreError
from interledger.store.base import Change, Store

__all__ = ["DurableStep", "write_step"]


@dataclass(slots=True)
class DurableStep:
    """What is written, what waits for it, and how it ended."""

    batch: Batch
    records: bytes
    changes: list[Change]
    snapshot: Snapshot | None
    at: Timestamp
    full: DiskFullError | None = None
    error: StoreError | None = None
    is_written: bool = False
    """It was written at once, where it was begun: nobody will tell."""

    def has_something_to_write(self) -> bool:
        """Whether the disk is needed for it."""
        return bool(self.records or self.changes or self.snapshot is not None)


def write_step(store: Store, step: DurableStep) -> None:
    """Blocks, and never raises: `step` says how it ended."""
    try:
        _write_once(store, step)
    except DiskFullError as full:
        step.full = full
        try:
            store.release_reserve()
            _write_once(store, step)
        except Exception as error:
            step.error = _as_store_error(error)
    except Exception as error:
        step.error = _as_store_error(error)


def _write_once(store: Store, step: DurableStep) -> None:
    store.write(step.records, step.at, step.changes, step.snapshot)


def _as_store_error(error: Exception) -> StoreError:
    return error if isinstance(error, StoreError) else StoreError(f"the store failed: {error!r}")
