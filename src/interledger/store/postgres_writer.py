"""Writes durable steps to a PostgreSQL database, each of them once, over as many connections as that takes.

The connection may be lost at any moment, a COMMIT under way included, and then nobody knows whether it happened. It is
asked, never guessed: on a new connection, once the server has ended the old one and let go of its lock, the last commit
of the journal is either the one before or the one in question. While there is no server, steps wait: an outage.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from threading import Event, Lock, Thread
from typing import Final, NamedTuple, final

from interledger.clock import Timestamp
from interledger.errors import StoreError
from interledger.store.base import Durability
from interledger.store.postgres_errors import ServerLostError, postgres_errors
from interledger.store.postgres_session import Session, describe_url
from interledger.store.postgres_tables import read_last

__all__ = ["Statement", "Step", "Writer", "program_name"]

STALL_S: Final = 0.4
"""How long a step may take before it is an outage. With what else a Fulfill needs it stays below the time that a packet
keeps for its way back (`min_message_window_ms`)."""

TICK_S: Final = 0.1
"""How often the watcher looks; it sends nothing."""

HANG_S: Final = 20.0
"""How long one answer may take; longer than the server lets a statement run. Then the connection is cut."""

PAUSE_S: Final = (0.02, 1.0)
"""The first and the longest pause between two attempts to connect."""

HURRY_S: Final = 5.0
"""How long a node that stops waits for a server that is away."""

Statement = tuple[str, Sequence[object]]

_COMMIT = "INSERT INTO journal (seq, at_ms, chain, records) VALUES (%s, %s, %s, %b)"


class Step(NamedTuple):
    """One durable step. Without `records`, `seq` and `chain` are those of the step before. `more`: besides records."""

    seq: int
    at: Timestamp
    chain: int
    records: bytes
    more: list[Statement]


@final
class Writer:
    """The connection that has the books, and the thread that watches it.

    `on_outage(reason or None)` is called in any thread. `last`: (seq, chain) of the last commit; whoever reads the
    journal at the start sets it.
    """

    def __init__(self, url: str, durability: Durability, on_outage: Callable[[StoreError | None], None]) -> None:
        self.where = describe_url(url)
        self.epoch = 0
        self.last = (0, 0)
        self._url = url
        self._durability = durability
        self._on_outage = on_outage
        self._session: Session | None = None
        self._busy = Lock()
        """Whoever uses the connection has it."""
        self._began: float | None = None
        """When the step that is being written began, and when the answer began to be waited for."""
        self._asked: float | None = None
        self._why: StoreError | None = None
        self._outage: StoreError | None = None
        self._announcing = Lock()
        self._give_up_at: float | None = None
        self._closing = Event()
        self._watcher: Thread | None = None

    # ------------------------------------------------------------------ life

    def open(self, prepare: Callable[[Session], None]) -> None:
        """Take the books. `prepare` gets the connection when nobody else has them, before the new epoch begins.

        Raises `StoreError` when the database cannot be reached, another node has it, or its server would lose commits.
        """
        self._session = session = Session(self._url, self._durability, program_name("node"))
        with postgres_errors(self.where, "opened"):
            session.take_lock()
            prepare(session)
            self.epoch = session.take_epoch()
        session.prepare_commits()
        self._watcher = Thread(target=self._watch, name="interledger-postgres", daemon=True)
        self._watcher.start()

    def close(self) -> None:
        """Let the books go. Writes nothing; safe to call twice."""
        self._closing.set()
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.join()
        with self._busy:
            session, self._session = self._session, None
            if session is not None:
                session.release()

    @property
    def is_open(self) -> bool:
        """Whether it has a connection, well or not."""
        return self._session is not None

    def hurry(self) -> None:
        """Wait for a server that is away some seconds more, then raise."""
        self._give_up_at = time.monotonic() + HURRY_S

    @contextlib.contextmanager
    def using(self, what: str) -> Iterator[Session]:
        """The connection, for another use than writing steps. `what` is done with the database, for messages."""
        with self._busy, postgres_errors(self.where, what):
            yield self._open_session()

    # ------------------------------------------------------------------ write

    def write(self, step: Step) -> None:
        """Return when it is durable. Raises `DiskFullError`, `StoreError`."""
        self._why, self._began = None, time.monotonic()
        try:
            with self._busy:
                self._write_surely(step)
        finally:
            self._began = None
        self.last = (step.seq, step.chain)
        self._announce(None)

    def _write_surely(self, step: Step) -> None:
        """Write it, once, over as many connections as that takes."""
        session = self._open_session()
        pause = PAUSE_S[0]
        while True:
            try:
                if not session.is_usable and self._is_written(step, session := self._reconnect()):
                    return
                self._write_once(session, step)
                return
            except ServerLostError as error:
                if self._give_up_at is not None and time.monotonic() > self._give_up_at:
                    raise StoreError(f"{error}. It did not come back in time") from None
                self._why = error
                session.close()  # what is to be known is asked on a new connection
            time.sleep(pause)
            pause = min(2 * pause, PAUSE_S[1])

    def _write_once(self, session: Session, step: Step) -> None:
        self._asked = time.monotonic()
        try:
            if not step.more:
                session.commit(step.seq, step.at, step.chain, step.records)
                return
            statements = list(step.more)
            if step.records:
                statements.insert(0, (_COMMIT, (step.seq, step.at, step.chain, step.records)))
            session.transact(statements)
        finally:
            self._asked = None

    def _is_written(self, step: Step, session: Session) -> bool:
        """The connection was lost while it was written: what became of it? Documents alone may be written twice."""
        with postgres_errors(self.where, "read"):
            found = read_last(session.db)
        if step.records and found == (step.seq, step.chain):
            return True
        self._check_last(found)
        return False

    def _check_last(self, found: tuple[int, int]) -> None:
        if found != self.last:
            raise StoreError(
                f"{self.where} ends with commit {found[0]} and not with {self.last[0]}, as it did before the "
                "connection was lost: it is another database, or a stand-by that lacks some. Nothing more is written"
            )

    # ------------------------------------------------------------------ without a server

    def _reconnect(self) -> Session:
        """A new connection that has the books, in the epoch we have. Raises `ServerLostError`, `StoreError`."""
        former = self._open_session()
        former.close()
        session = Session(self._url, self._durability, program_name("node"))
        try:
            session.take_back(self.epoch, former.backend)
            session.prepare_commits()
        except BaseException:
            session.close()
            raise
        self._session = session
        return session

    def _watch(self) -> None:
        """In a thread of its own: says that there is an outage, ends the wait for an answer that does not come, and
        sees between two steps that the server has gone.
        """
        pause, next_look = PAUSE_S[0], 0.0
        while not self._closing.wait(TICK_S):
            began, asked, now = self._began, self._asked, time.monotonic()
            if began is not None:
                if now - began > STALL_S:
                    self._announce(self._why or ServerLostError(f"{self.where} does not answer"))
                patience = HANG_S if self._give_up_at is None else HURRY_S
                if asked is not None and now - asked > patience and self._session is not None:
                    self._session.cut()
            elif now >= next_look and self._busy.acquire(blocking=False):
                try:
                    is_well = self._look_after_the_connection()
                finally:
                    self._busy.release()
                pause = PAUSE_S[0] if is_well else min(2 * pause, PAUSE_S[1])
                next_look = 0.0 if is_well else time.monotonic() + pause

    def _look_after_the_connection(self) -> bool:
        session = self._session
        if session is None:
            return True
        if not session.look():
            try:
                session = self._reconnect()
                with postgres_errors(self.where, "read"):
                    self._check_last(read_last(session.db))
            except StoreError as error:  # the next step meets what is more than an outage
                self._announce(error)
                return False
        self._announce(None)
        return True

    def _announce(self, outage: StoreError | None) -> None:
        with self._announcing:  # the last word that is heard is the last one that was said
            if (outage is None) != (self._outage is None):
                self._outage = outage
                self._on_outage(outage)

    def _open_session(self) -> Session:
        if self._session is None:
            raise StoreError(f"{self.where} is not open")
        return self._session


def program_name(role: str) -> str:
    """What the server's administrator sees of a connection."""
    return f"interledger {role} on {socket.gethostname()[:24]}, process {os.getpid()}"
