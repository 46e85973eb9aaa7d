"""What waits while the books are on a server that does not answer, and what cannot wait to the end.

The batch that is being written stays with the store, which writes it when it can. Meanwhile new packets are refused,
and Prepares that wait are cancelled: their senders should try elsewhere. Fulfillments wait for their record as long as
their packets can: until the onward packets expire, which leaves them `min_message_window_ms` for their way back. Then
they are relayed unwritten, because the money has moved already, and logged. Those of our own receivers wait to the end:
nobody but we would lose by that. Holds and whoever waits for a commit stay.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import final

from interledger.accounts.entries import NEVER, Batch
from interledger.accounts.ledger import Ledger
from interledger.clock import Clock
from interledger.errors import StoreError
from interledger.ilp.packet import Fulfill
from interledger.store.unwritten import log_unwritten

__all__ = ["Outage"]

logger = logging.getLogger("interledger.store")


@final
class Outage:
    """Owned by a `GroupCommit`, in the ledger's thread. `on_begin` is called when one begins; `on_change` with the
    reason then, and with None when it is over.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        on_begin: Callable[[], None],
        on_change: Callable[[StoreError | None], None],
    ) -> None:
        self.reason: StoreError | None = None
        """None while there is none."""
        self.is_final = False
        """The books cannot be written any more: the end of an outage does not change that."""
        self._on_begin = on_begin
        self._on_change = on_change
        self._ledger = ledger
        self._clock = clock
        self._kept = Batch()
        """What was recorded during the outage."""
        self._timer: asyncio.TimerHandle | None = None

    def tell(self, loop: asyncio.AbstractEventLoop, reason: StoreError | None) -> None:
        """In any thread: it begins, or is over."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            loop.call_soon_threadsafe(self._set, reason)

    def _set(self, reason: StoreError | None) -> None:
        if (reason is None) == (self.reason is None):
            return
        self.reason = reason
        self._ledger.read_only = reason is not None or self.is_final
        self._on_change(reason)
        if reason is not None:
            self._on_begin()
        elif self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def hold_back(self, writing: Batch) -> None:
        """Take what was recorded since the last call, beside the batch that is being written."""
        if self.reason is None:
            return
        _cancel_prepares(writing)
        batch = self._ledger.take_batch()
        if batch is not None:
            _cancel_prepares(batch)
            _append(self._kept, batch)
        self._watch(writing)

    def give_back(self, batch: Batch | None) -> Batch | None:
        """What was kept, with `batch` behind it."""
        kept = self._kept
        if not (kept.records or kept.waiters or kept.replies or kept.prepares):
            return batch
        self._kept = Batch()
        if batch is not None:
            _append(kept, batch)
        return kept

    def _watch(self, writing: Batch) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = min(writing.relay_by, self._kept.relay_by)
        delay = max(due - self._clock.now(), 0) / 1_000
        self._timer = None if due == NEVER else asyncio.get_running_loop().call_later(delay, self._relay, writing)

    def _relay(self, writing: Batch) -> None:
        for batch in (writing, self._kept):
            replies, batch.replies, batch.relay_by = batch.replies, [], NEVER
            if replies:
                log_unwritten(batch.records, {one.fulfillment for *_, one in batch.prepares if type(one) is Fulfill})
            for send, request_id, reply in replies:
                try:
                    send(request_id, reply)
                except Exception:
                    logger.exception("a reply could not be handed to its link")


def _cancel_prepares(batch: Batch) -> None:
    """They have not left, and when they could it would be too late."""
    waiting, batch.prepares = batch.prepares, [one for one in batch.prepares if type(one[3]) is Fulfill]
    for _, cancel, request_id, prepare in waiting:
        if type(prepare) is not Fulfill:
            try:
                cancel(request_id, prepare)
            except Exception:
                logger.exception("a Prepare could not be cancelled")


def _append(kept: Batch, batch: Batch) -> None:
    kept.records += batch.records
    kept.replies += batch.replies
    kept.prepares += batch.prepares
    kept.waiters += batch.waiters
    kept.relay_by = min(kept.relay_by, batch.relay_by)
