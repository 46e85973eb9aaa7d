"""The store of a node whose books are in a PostgreSQL database, often on another machine.

A commit that is only records is one statement, one round trip. One that also changes documents, or brings a snapshot,
is one transaction, sent in one piece. Both are durable when the server says so: `durability` is `synchronous_commit`.
How they are written, and what happens while there is no server: `postgres_writer`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final, final

from interledger.accounts.ledger import Ledger
from interledger.accounts.snapshot import Snapshot, encode_snapshot
from interledger.clock import Timestamp
from interledger.errors import StoreError
from interledger.store.base import Change, Documents, Durability, StoredState
from interledger.store.files import RESERVE_OCTETS, make_directory
from interledger.store.keeping import COMMITS_KEPT, Kept
from interledger.store.postgres_history import PostgresHistory
from interledger.store.postgres_session import Session
from interledger.store.postgres_tables import (
    migrate,
    read_commits,
    read_documents,
    read_first,
    read_last,
    read_mark,
    read_snapshots,
)
from interledger.store.postgres_writer import Statement, Step, Writer, program_name
from interledger.store.replay import replay
from interledger.store.rows import chain_of, crc_of_document, crc_of_snapshot
from interledger.store.sqlite import DATABASE
from interledger.store.stamp import STAMP, Stamp, read_stamp, write_stamp

__all__ = ["PostgresStore"]

logger = logging.getLogger("interledger.store")

FILLER: Final = 1_000_000
"""Octets of a row of the reserve."""

_RESERVE = "to_regclass(quote_ident(current_schema()) || '.reserve')"
"""The table that keeps room; NULL without one. Of this schema: another one in the path may be another node's."""

_PRUNE = "DELETE FROM journal WHERE seq <= %s"
_PUT = (
    "INSERT INTO document (kind, key, at_ms, crc, body) VALUES (%s, %s, %s, %s, %s) ON CONFLICT (kind, key) "
    "DO UPDATE SET at_ms = excluded.at_ms, crc = excluded.crc, body = excluded.body"
)
_DELETE = "DELETE FROM document WHERE kind = %s AND key = %s"
_FORGET_PAYMENTS = (
    "DELETE FROM document WHERE kind = 'payment' AND id <= "
    "(SELECT id FROM document WHERE kind = 'payment' ORDER BY id DESC LIMIT 1 OFFSET %s)"
)
_SNAPSHOT = (
    "INSERT INTO snapshot (seq, at_ms, chain, crc, state) VALUES (%s, %s, %s, %s, %b) ON CONFLICT (seq) DO UPDATE "
    "SET at_ms = excluded.at_ms, chain = excluded.chain, crc = excluded.crc, state = excluded.state"
)
_FORGET_SNAPSHOT = "DELETE FROM snapshot WHERE seq = %s"


@final
class PostgresStore(Documents):
    """A node's books and documents in the database at `url`. See `interledger.store.base.Store`.

    `directory`: the node's data directory, which remembers which database it was and how far it had come.
    """

    def __init__(
        self,
        url: str,
        durability: Durability = Durability.POWER,
        *,
        directory: Path | None = None,
        reserve_octets: int = RESERVE_OCTETS,
        commits_kept: int = COMMITS_KEPT,
    ) -> None:
        super().__init__()
        self._url = url
        self._writer = Writer(url, durability, lambda outage: self.on_outage(outage))
        self.where = self._writer.where
        self._directory = directory
        self._reserve_octets = reserve_octets
        self._commits_kept = commits_kept
        self._is_loaded = False
        self._mark = ""
        self._octets = 0
        self._kept = Kept()
        self.history = PostgresHistory(self._connect_reader)

    # ------------------------------------------------------------------ life

    def open(self) -> None:
        """Raises `StoreError` when the database cannot be reached, another node has it, it is not one of ours, it is of
        an older moment than this node knows of, or its server would lose commits in a power cut.
        """
        if self._directory is not None:
            make_directory(self._directory)
        try:
            self._writer.open(self._prepare)
        except BaseException:
            self.close()
            raise

    def _prepare(self, session: Session) -> None:
        migrate(session.db, self.where)
        self._check_stamp(session)
        self._make_reserve(session)

    def close(self) -> None:
        self.history.close()
        self._writer.close()
        if self._is_loaded:
            self._is_loaded = False
            self._stamp_if_possible()

    def hurry(self) -> None:
        self._writer.hurry()

    def _connect_reader(self) -> Session:
        if not self._writer.is_open:
            raise StoreError(f"{self.where} is not open")
        return Session(self._url, Durability.PROCESS, program_name("history"))

    def _check_stamp(self, session: Session) -> None:
        """Is this the database that we had, and not of an older moment?"""
        self._mark, epoch = read_mark(session.db)
        seq, _ = read_last(session.db)
        if self._directory is None:
            return
        known = read_stamp(self._directory)
        advice = f"If it is to be used all the same, remove {self._directory / STAMP} and compare with the peers after"
        if known is None:
            if not epoch and (self._directory / DATABASE).exists():
                raise StoreError(
                    f"{self.where} is new, and the books of this node are in {self._directory / DATABASE}: go on with "
                    "them (no  store  in the settings), or give the node another  data_dir"
                )
        elif known.mark != self._mark:
            raise StoreError(f"{self.where} is not the database that this node has used. {advice} (ilp ledger compare)")
        elif known.seq > seq or known.epoch > epoch:
            raise StoreError(
                f"{self.where} is of an older moment: it ends with commit {seq} (start {epoch}), and this node has "
                f"written commit {known.seq} (start {known.epoch}). {advice} (ilp ledger compare)"
            )

    def _stamp(self) -> None:
        if self._directory is not None:
            write_stamp(self._directory, Stamp(self._mark, self._writer.epoch, self._writer.last[0]))

    def _stamp_if_possible(self) -> None:
        """The books do not rest on it: an older stamp sees less, and what it sees is right."""
        try:
            self._stamp()
        except StoreError as error:
            logger.warning("%s", error)

    def _make_reserve(self, session: Session) -> None:
        (size,) = session.one(f"SELECT coalesce(pg_total_relation_size({_RESERVE}), 0)")
        if self._reserve_octets > 0 and size < self._reserve_octets:
            rows, rest = divmod(self._reserve_octets, FILLER)
            with session.db.transaction():
                _drop_reserve(session)
                session.db.execute("CREATE TABLE reserve (filler bytea NOT NULL)")
                # Compressed it would be no reserve.
                session.db.execute("ALTER TABLE reserve ALTER COLUMN filler SET STORAGE EXTERNAL")
                for octets in [FILLER] * rows + [rest] * bool(rest):
                    session.db.execute("INSERT INTO reserve VALUES (%b)", (bytes(octets),))

    @property
    def octets_since_snapshot(self) -> int:
        return self._octets

    # ------------------------------------------------------------------ load

    def load(self, ledger: Ledger) -> StoredState:
        with self._writer.using("read") as session:
            db, last = session.db, (0, 0)
            snapshots = list(read_snapshots(db, self.where))
            if snapshots:
                last = (snapshots[0].seq, snapshots[0].chain)
            commits = []
            for (seq, _, records), chain in read_commits(db, self.where, *last):
                last = (seq, chain)
                commits.append((seq, records))
            self._octets = sum(len(records) for _, records in commits)
            first = read_first(db)
            self._kept = Kept.of([row.seq for row in snapshots], first[0] if first else last[0] + 1)
            state = StoredState()
            try:
                state.records_replayed = replay(ledger, snapshots[0].state if snapshots else None, commits)
            except StoreError as error:
                raise StoreError(f"{self.where}: {error}. Nothing was changed; the node does not start") from None
            read_documents(db, self.where, state, self.sealer)
            self._writer.last = last
        self._stamp()
        self._is_loaded = True
        return state

    # ------------------------------------------------------------------ write

    def write(
        self,
        records: bytes,
        at: Timestamp,
        changes: Sequence[Change] = (),
        snapshot: Snapshot | None = None,
    ) -> None:
        seq, chain = self._writer.last
        if records:
            seq, chain = seq + 1, chain_of(chain, seq + 1, at, records)
        more, kept = _statements(at, changes), self._kept
        payments_kept = self._payments_to_keep(changes)
        if payments_kept is not None:
            more.append((_FORGET_PAYMENTS, (payments_kept,)))
        if snapshot is not None:
            kept = kept.after(seq, self._commits_kept)
            more += self._snapshot_statements(kept, seq, chain, at, encode_snapshot(snapshot))
        self._writer.write(Step(seq, at, chain, records, more))
        self._octets += len(records)
        if snapshot is not None:
            self._kept, self._octets = kept, 0
            self._stamp_if_possible()

    def _snapshot_statements(self, kept: Kept, seq: int, chain: int, at: Timestamp, state: bytes) -> list[Statement]:
        statements: list[Statement] = [(_SNAPSHOT, (seq, at, chain, crc_of_snapshot(seq, chain, state), state))]
        statements += [(_FORGET_SNAPSHOT, (old,)) for old in set(self._kept.snapshots) - set(kept.snapshots)]
        if kept.pruned > self._kept.pruned:
            statements.append((_PRUNE, (kept.pruned,)))
        return statements

    def release_reserve(self) -> None:
        with self._writer.using("written") as session:
            _drop_reserve(session)

    def scrub(self) -> None:
        # The table is written anew. What the server has in its log and its archive of logs is its administrator's.
        with self._writer.using("rewritten") as session:
            session.db.execute("VACUUM FULL document")


def _drop_reserve(session: Session) -> None:
    """TRUNCATE would need a new page, for an empty index, and there may be none."""
    (table,) = session.one(f"SELECT {_RESERVE}")
    if table is not None:
        session.db.execute("DROP TABLE reserve")


def _statements(at: Timestamp, changes: Sequence[Change]) -> list[Statement]:
    statements: list[Statement] = []
    for kind, key, body in changes:
        if body is None:
            statements.append((_DELETE, (kind.value, key)))
        else:
            statements.append((_PUT, (kind.value, key, at, crc_of_document(kind, key, body), body)))
    return statements
