"""A connection to a node's PostgreSQL database: made, checked for what durability needs, taken for one process.

Taken is taken twice. An advisory lock of the session keeps every other node out while this connection lives; the server
lets go of it only when the session is over, and with it every transaction that was under way. The `epoch` counts who
took it: a node that lost its connection and comes back later sees that another one had the books meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, final

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from interledger.clock import Timestamp
from interledger.errors import StoreError
from interledger.store.base import Durability
from interledger.store.postgres_errors import ServerLostError, postgres_errors, store_error

__all__ = ["LOCK_WAIT_S", "Backend", "Session", "describe_url"]

CONNECT_S: Final = 5
LOCK_WAIT_S: Final = 3.0
"""How long a start waits for a session of the node before it to be over: the server needs a moment after a kill -9."""

VERSION_LEAST: Final = 140_000

_LOCK_KEY: Final = (
    "((1229738033::bigint << 32) | (SELECT oid FROM pg_namespace WHERE nspname = current_schema())::bigint)"
)
"""“ILP1”, and the number of the schema: one lock for each node's tables."""

_CLIENT: Final = {
    "connect_timeout": str(CONNECT_S),
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
"""How soon this side sees that the server's machine is gone; a URL may say otherwise."""

_SESSION: Final = {
    "statement_timeout": "15s",  # a commit that takes so long is undone, and done again
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
    "idle_session_timeout": "0",
    # How soon the server sees that our machine is gone, and lets another one have the books.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "20000",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "jit": "off",
}

_NEEDED: Final = {
    "fsync": ("on", "its commits do not wait for the disk"),
    "full_page_writes": ("on", "a page that a power cut tears is lost"),
    "data_sync_retry": ("off", "a failed fsync is tried again and believed"),
}
"""Settings of the server without which a power cut can take commits away, and why."""

_COMMIT: Final = b"commit"
_COMMIT_SQL: Final = (
    b"INSERT INTO journal (seq, at_ms, chain, records) SELECT $1, $2, $3, $4 FROM ilp_node "
    b"WHERE epoch = $5 AND pg_backend_pid() = $6"
)
_COMMIT_TYPES: Final = (20, 20, 20, 17, 20, 23)
_BINARY: Final = (pq.Format.BINARY,) * len(_COMMIT_TYPES)
_LONG: Final = struct.Struct(">q").pack
_INT: Final = struct.Struct(">i").pack

FENCE: Final = "SELECT 1 / count(*) FROM ilp_node WHERE epoch = %s AND pg_backend_pid() = %s"
"""Fails, and the transaction with it, when this session does not have the books."""


class Backend(NamedTuple):
    """A session as the server knows it; a process number alone comes again."""

    pid: int
    started_at: str


def describe_url(url: str) -> str:
    """The database in words for logs and messages: no password, and nothing else that may be secret."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error:
        return "postgresql://"
    user = f"{given['user']}@" if given.get("user") else ""
    host = str(given.get("host") or given.get("hostaddr") or "")
    port = f":{given['port']}" if given.get("port") else ""
    return f"postgresql://{user}{host.replace('/', '%2F')}{port}/{given.get('dbname') or ''}"


@final
class Session:
    """One connection. Used by one thread at a time; `cut` by any."""

    def __init__(self, url: str, durability: Durability, program: str) -> None:
        """Connect and check. `program`: what the server's administrator sees. Raises `StoreError`."""
        self.where = describe_url(url)
        self.epoch = 0
        with postgres_errors(self.where, "reached"):
            try:
                given = conninfo_to_dict(url)
            except psycopg.ProgrammingError:
                raise StoreError("store: this is not a PostgreSQL URL: postgresql://USER@HOST/DATABASE") from None
            options = _CLIENT | {"application_name": program} | given
            self.db: psycopg.Connection[tuple[Any, ...]] = psycopg.connect(
                make_conninfo("", **options), autocommit=True
            )
        try:
            with postgres_errors(self.where, "opened"):
                self._prepare(durability)
        except BaseException:
            self.close()
            raise

    def _prepare(self, durability: Durability) -> None:
        columns = ", ".join("set_config(%s, %s, false)" for _ in _SESSION)
        if self.db.info.server_version < VERSION_LEAST:
            raise StoreError(f"{self.where}: PostgreSQL {VERSION_LEAST // 10_000} or later is needed")
        self.db.execute(f"SELECT {columns}", [word for pair in _SESSION.items() for word in pair])  # ours
        standby, encoding, schema, pid, started_at = self.one(
            "SELECT pg_is_in_recovery(), current_setting('server_encoding'), current_schema(), pg_backend_pid(), "
            "(SELECT extract(epoch FROM backend_start)::text FROM pg_stat_activity WHERE pid = pg_backend_pid())"
        )
        if standby:
            raise ServerLostError(f"{self.where} is a stand-by, which only reads. Add target_session_attrs=read-write")
        if encoding != "UTF8":
            raise StoreError(f"{self.where} has the encoding {encoding}. A database with ENCODING 'UTF8' is needed")
        if schema is None:
            raise StoreError(f"{self.where} has no schema that its search path names")
        self.backend = Backend(pid, started_at)
        self._check_durability(durability)

    def _check_durability(self, durability: Durability) -> None:
        """Raises `StoreError` where a commit would not survive what it has to."""
        if durability is Durability.PROCESS:
            self.db.execute("SET synchronous_commit TO off")
            return
        for name, (value, why) in _NEEDED.items():
            (found,) = self.one("SELECT current_setting(%s)", name)
            if found != value:
                raise StoreError(
                    f"{self.where}: the server has {name} = {found}, so {why}. Set  {name} = {value}  in its "
                    "postgresql.conf, or say  durability = process  when that may be lost"
                )
        if self.one("SELECT current_setting('synchronous_commit')")[0] in ("off", "local"):
            self.db.execute("SET synchronous_commit TO on")
        (found,) = self.one("SELECT current_setting('synchronous_commit')")
        if found in ("off", "local"):
            raise StoreError(f"{self.where}: synchronous_commit is {found}, and cannot be changed")

    # ------------------------------------------------------------------ whose it is

    def take_lock(self) -> None:
        """Take the books for this session. Raises `StoreError`, which says who has them."""
        until = time.monotonic() + LOCK_WAIT_S
        while not self.try_lock():
            if time.monotonic() > until:
                raise StoreError(
                    f"{self.where} is in use by another node ({self._holder()}). Two nodes cannot share their books"
                )
            time.sleep(0.02)

    def try_lock(self) -> bool:
        """Take the books, if nobody has them."""
        return bool(self.one(f"SELECT pg_try_advisory_lock({_LOCK_KEY})")[0])

    def _holder(self) -> str:
        found = self.db.execute(
            f"SELECT a.application_name, a.pid, coalesce(host(a.client_addr), 'this machine') FROM pg_locks l "  # noqa: S608
            f"JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted "
            f"AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            f"AND (l.classid::bigint << 32) | l.objid::bigint = {_LOCK_KEY}"
        ).fetchone()
        if found is None:
            return "it has gone just now"
        return f"{found[0] or 'unnamed'} at {found[2]}; the server's process is {found[1]}"

    def take_epoch(self) -> int:
        """Begin an epoch of one's own: whoever had the books before cannot write any more."""
        with postgres_errors(self.where, "taken"):
            (self.epoch,) = self.one("UPDATE ilp_node SET epoch = epoch + 1, taken_at = now() RETURNING epoch")
        return self.epoch

    def take_back(self, epoch: int, former: Backend) -> None:
        """Take the books again after `former`, a session of this process, was lost. What it did is decided then.

        Raises `ServerLostError` while that is not over yet, `StoreError` when another node has had the books.
        """
        with postgres_errors(self.where, "taken again"):
            if not self.try_lock():
                self._check_epoch(epoch)
                self.one(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    "WHERE pid = %s AND extract(epoch FROM backend_start)::text = %s",
                    *former,
                )
                raise ServerLostError(f"{self.where}: the former connection is not over yet")
            self._check_epoch(epoch)
            # A commit of our own: all that is seen after it is on the disk, and on stand-bys that are waited for.
            self.db.execute("UPDATE ilp_node SET taken_at = now()")
        self.epoch = epoch

    def _check_epoch(self, epoch: int) -> None:
        (found,) = self.one("SELECT epoch FROM ilp_node")
        if found != epoch:
            raise StoreError(
                f"{self.where}: another node has taken the books meanwhile (epoch {found}, ours is {epoch}). "
                "This one writes no more"
            )

    # ------------------------------------------------------------------ statements

    def one(self, sql: str, *values: object) -> tuple[Any, ...]:
        """The one row."""
        found = self.db.execute(sql, values).fetchone()
        if found is None:
            raise StoreError(f"{self.where}: a row is missing that has to be there")
        return found

    def prepare_commits(self) -> None:
        """Have the statement of `commit` parsed and planned."""
        with postgres_errors(self.where, "opened"):
            result = self.db.pgconn.prepare(_COMMIT, _COMMIT_SQL, _COMMIT_TYPES)
            self._check(result, "opened")
            self._tail = (_LONG(self.epoch), _INT(self.backend.pid))

    def commit(self, seq: int, at: Timestamp, chain: int, records: bytes) -> None:
        """One commit that is only records: one statement, one round trip, in which the interpreter lock is free.

        Raises `ServerLostError` (it may be there, or not), `DiskFullError`, `StoreError`.
        """
        with postgres_errors(self.where, "written"):
            result = self.db.pgconn.exec_prepared(
                _COMMIT, (_LONG(seq), _LONG(at), _LONG(chain), records, *self._tail), _BINARY
            )
            self._check(result, "written")
            if result.command_tuples != 1:
                raise self.fenced()

    def transact(self, statements: Sequence[tuple[str, Sequence[object]]]) -> None:
        """All of them or nothing, in one round trip, if the books are ours. Raises as `commit`."""
        try:
            with postgres_errors(self.where, "written"), self.db.pipeline():
                cursor = self.db.cursor()
                cursor.execute("BEGIN")
                cursor.execute(FENCE, (self.epoch, self.backend.pid))
                for sql, values in statements:
                    cursor.execute(sql, values)
                cursor.execute("COMMIT")
        except StoreError as error:
            self._roll_back()
            if "(22012)" in str(error):  # division by zero: the fence
                raise self.fenced() from None
            raise

    def _roll_back(self) -> None:
        with contextlib.suppress(psycopg.Error):
            if self.db.info.transaction_status is not pq.TransactionStatus.IDLE:
                self.db.execute("ROLLBACK")

    def fenced(self) -> StoreError:
        """The error of who does not have the books any more."""
        return StoreError(
            f"{self.where}: this connection does not have the books: another node took them, or a pooler between here "
            "and the server shares connections (it has to give each client its own: pool_mode = session)"
        )

    def _check(self, result: pq.abc.PGresult, what: str) -> None:
        if result.status != pq.ExecStatus.COMMAND_OK:
            code = result.error_field(pq.DiagnosticField.SQLSTATE)
            text = result.error_message.decode(errors="replace")
            lost = code is None or self.db.pgconn.status != pq.ConnStatus.OK
            raise store_error(self.where, what, None if code is None else code.decode(), text, lost=lost)

    # ------------------------------------------------------------------ the connection

    @property
    def is_usable(self) -> bool:
        """Whether the connection was well when it was used last."""
        return bool(self.db.pgconn.status == pq.ConnStatus.OK)

    def look(self) -> bool:
        """Whether the connection is still there, by what has come in; nothing is sent. Not during a statement."""
        try:
            self.db.pgconn.consume_input()  # never waits
        except psycopg.Error:
            return False
        return self.is_usable

    def cut(self) -> None:
        """From any thread: the server does not answer. Whoever waits for it gets an error."""
        with contextlib.suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(self.db.pgconn.socket)) as copy:
            copy.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Let the books go at once, and close."""
        with contextlib.suppress(psycopg.Error, StoreError):
            self.db.execute("SELECT pg_advisory_unlock_all()")
        self.close()

    def close(self) -> None:
        """Safe to call twice."""
        with contextlib.suppress(psycopg.Error):
            self.db.close()
