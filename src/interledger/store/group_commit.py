"""Write before you speak: takes the ledger's batches, has them written, and then lets their effects go.

A quick disk is written to in the loop's own thread. By a slow one, one commit is being written while the next batch
fills, so the busier the node, the larger the batches. The effects of a batch leave in this order: replies (RK-02: a
Fulfill before any Prepare), Prepares, waiters.

When the disk is full, the reserve is given back and the same batch is tried once more; new packets are refused from
then on, and what is in flight can still be written down. Any other failure ends the writing for good: a failed fsync
is never tried again and believed, because the kernel may have dropped the pages. Replies are still sent then (the
money has moved already); Prepares, and Fulfills of our own receivers, are cancelled; waiters get the error.

A store on another machine may not be there for a while, and then be there again: see `outage`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, final

from interledger.accounts.ledger import Batch, Ledger
from interledger.accounts.snapshot import Snapshot, capture
from interledger.clock import Clock
from interledger.errors import StoreError
from interledger.ilp.packet import Fulfill
from interledger.store.base import SNAPSHOT_OCTETS, QuickStore, Store
from interledger.store.durable_step import DurableStep, write_step
from interledger.store.outage import Outage
from interledger.store.quick_writes import QuickWrites
from interledger.store.unwritten import log_unwritten

__all__ = ["GroupCommit"]

logger = logging.getLogger("interledger.store")

BUSY_TURNS_MAX: Final = 4
"""Turns of the loop, each less than 2 ms, that a batch of a busy node waits at most for what they bring."""

BATCH_LARGE: Final = 64
"""Packets that share the price of a commit well enough: a batch of so many waits for no more."""

CallSoon = Callable[[Callable[[], None]], Any]

Writer = Callable[[Callable[[], None], Callable[[], None]], None]
"""`writer(write, written)`: have `write` done, which blocks and never raises, then call `written`."""


def _write_at_once(write: Callable[[], None], written: Callable[[], None]) -> None:
    write()
    written()


@final
class GroupCommit:
    """The owner of a ledger's batches.

    `on_failure(error)` is called once: when the disk is full, or the store cannot be written; `on_outage(error)` when
    an outage begins, with None when it is over. `inline` writes in the loop's own thread (memory store, simulations),
    by `writer`, which may take its (virtual) time; `call_soon` stands in for the running loop's. A `QuickStore` is
    written in the loop's thread, too, while it is quick. Made and used in the thread of the ledger.
    """

    def __init__(
        self,
        ledger: Ledger,
        store: Store,
        clock: Clock,
        on_failure: Callable[[StoreError], None] = lambda error: None,
        on_outage: Callable[[StoreError | None], None] = lambda error: None,
        *,
        inline: bool = False,
        call_soon: CallSoon | None = None,
        writer: Writer = _write_at_once,
    ) -> None:
        self.error: StoreError | None = None
        """Why nothing is written any more."""
        self.written = self.written_ms = 0
        """How many steps were written, and how long that took together."""
        self._ledger = ledger
        self._store = store
        self._clock = clock
        self._on_failure = on_failure
        self._told = False
        self._loop = None if inline else asyncio.get_running_loop()
        self._quick = QuickWrites(store, store.is_quick) if isinstance(store, QuickStore) else None
        self._call_soon: CallSoon = call_soon or asyncio.get_running_loop().call_soon
        self._writer = writer
        self._scheduled = False
        self._snapshot_after = SNAPSHOT_OCTETS
        """Octets of journal after which one is due: no fewer than the last one had itself, where peers repeat."""
        self._turns = 0
        self._seen = 0
        self._again = False
        self._closing = False
        self._writing: DurableStep | None = None
        self._jobs: SimpleQueue[DurableStep | None] = SimpleQueue()
        self._worker: Thread | None = None
        ledger.on_dirty = self._wake
        store.on_change = self._wake
        self._outage = Outage(ledger, clock, self._hold_back, on_outage)
        if self._loop is not None:
            store.on_outage = partial(self._outage.tell, self._loop)

    async def commit(self) -> None:
        """Return once all that is recorded now is written. Raises `StoreError` when it cannot be."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake(error: Exception | None) -> None:
            if done.done():
                return  # whoever waited was cancelled
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        self._ledger.call_after_commit(wake)
        await done

    async def close(self) -> None:
        """Write what is left, with a snapshot for a quick start, and end the thread. The store stays open.

        Effects asked for later meet the error “closed”. May be called again, also after it was cancelled.
        """
        self._closing = True
        self._store.hurry()
        while True:
            try:
                await self.commit()
            except StoreError as error:
                logger.debug("closing: %s", error)  # on_failure was told when it happened
            if self._writing is None and not self._scheduled:
                break
        self.error = self.error or StoreError("the books are closed")
        worker, self._worker = self._worker, None
        if worker is not None:
            self._jobs.put(None)
            worker.join()

    def flush(self) -> None:
        """Write what is recorded now, at once. Only for `inline`."""
        self._begin()

    # ------------------------------------------------------------------ in the ledger's thread

    def _wake(self) -> None:
        if self._writing is not None:
            self._again = True
            if self._outage.reason is not None:
                self._call_soon(self._hold_back)
        elif not self._scheduled:
            self._scheduled = True
            self._call_soon(self._begin)

    def _begin(self) -> None:
        if self._is_growing():
            self._call_soon(self._begin)
            return
        self._scheduled = False
        if self._writing is None:
            commit = self._take()
            if commit is None:
                return
            if not self._start(commit):
                self._let_go(commit)
            elif commit.is_written:
                self._written(commit)

    def _is_growing(self) -> bool:
        """Whether another turn of the loop should add to the batch first.

        A commit costs as much as the rest of five to ten packets, whatever it holds. One packet never waits. Several
        say that the node is busy: then whatever is on its way through the sockets joins, as long as each turn brings
        more.
        """
        waiting = self._ledger.batch.effects_waiting
        if (
            not 2 <= waiting < BATCH_LARGE
            or waiting == self._seen
            or self._turns >= BUSY_TURNS_MAX
            or self._closing
            or self._loop is None
        ):
            self._turns = self._seen = 0
            return False
        self._seen = waiting
        self._turns += 1
        return True

    def _take(self) -> DurableStep | None:
        batch = self._outage.give_back(self._ledger.take_batch())
        changes = self._store.take_changes()
        if batch is None:
            if not changes:
                return None
            batch = Batch()
        return DurableStep(batch, b"".join(batch.records), changes, self._take_snapshot(batch), self._clock.now())

    def _take_snapshot(self, batch: Batch) -> Snapshot | None:
        octets = self._store.octets_since_snapshot
        due = octets > 0 or bool(batch.records) if self._closing else octets >= self._snapshot_after
        if not due or self.error is not None:
            return None
        snapshot = capture(self._ledger)
        self._snapshot_after = max(SNAPSHOT_OCTETS, sum(map(len, snapshot.requests)))
        return snapshot

    def _start(self, commit: DurableStep) -> bool:
        """Have it written. False when there is nothing to write, or nobody writes any more."""
        if self.error is not None:
            commit.error = self.error
            return False
        if not commit.has_something_to_write():
            return False
        self._writing = commit
        if self._loop is None:
            self._writer(partial(write_step, self._store, commit), partial(self._written, commit))
            return True
        if self._quick is not None and self._quick.write(commit):
            return True
        if self._worker is None:
            self._worker = Thread(target=self._run, args=(self._loop,), name="interledger-store", daemon=True)
            self._worker.start()
        self._jobs.put(commit)
        if self._outage.reason is not None:
            self._call_soon(self._hold_back)
        return True

    def _hold_back(self) -> None:
        if self._writing is not None:  # what was recorded meanwhile has asked for another turn itself
            self._outage.hold_back(self._writing.batch)

    def _written(self, commit: DurableStep) -> None:
        self._writing = None
        self.written += 1
        self.written_ms += self._clock.now() - commit.at
        if commit.full is not None or commit.error is not None:
            self._fail(commit)
        following = None
        if self._again and self._is_growing():
            self._again = False
            self._scheduled = True
            self._call_soon(self._begin)
        elif self._again:
            # The disk is given its next work before the effects leave. They still leave in order: a batch with nothing
            # to write waits its turn behind this one.
            self._again = False
            following = self._take()
            if following is not None and self._start(following):
                if following.is_written:
                    self._call_soon(partial(self._written, following))  # behind the effects of this one
                following = None
        self._let_go(commit)
        if following is not None:
            self._let_go(following)

    def _fail(self, commit: DurableStep) -> None:
        self._ledger.read_only = self._outage.is_final = True
        self.error = commit.error
        error = commit.error or commit.full
        if error is not None and not self._told:
            self._told = True
            logger.error("the books cannot be written: %s", error)
            self._on_failure(error)

    def _let_go(self, commit: DurableStep) -> None:
        """Replies, Prepares, waiters. One that raises must not keep the others from leaving."""
        batch, error = commit.batch, commit.error
        if error is not None:
            log_unwritten(batch.records, {what.fulfillment for *_, what in batch.prepares if type(what) is Fulfill})
        for send, request_id, reply in batch.replies:
            try:
                send(request_id, reply)
            except Exception:
                logger.exception("a reply could not be handed to its link")
        for send, cancel, request_id, prepare in batch.prepares:
            try:
                (send if error is None else cancel)(request_id, prepare)
            except Exception:
                logger.exception("a Prepare could not be handed to its link, or be cancelled")
        for waiter in batch.waiters:
            try:
                waiter(error)
            except Exception:
                logger.exception("whoever waited for a commit failed")

    # ------------------------------------------------------------------ in the writer's thread

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        commit = self._jobs.get()
        while commit is not None:
            write_step(self._store, commit)
            try:
                loop.call_soon_threadsafe(self._written, commit)
            except RuntimeError:
                return  # the loop is closed: nobody is left to be told
            del commit  # so that the ledger's thread drops its hundreds of objects, while they are in the cache
            commit = self._jobs.get()
