"""What an engine may never forget: requests and their answers, what is owed, payments, what came in. In SQLite.

Every method is one transaction, on the disk when it returns. An engine does little, so it may wait for that.

    request    every idempotency key of the node, for ever (SE-01, SE-03)
    account    what is owed to it, exact: requests add to it, a payment takes whole units from it
    payment    one open at a time per account; its note is the engine's
    incoming   one row per event of the ledger, with the key under which the node is told of it, always the same
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple, final

from interledger.clock import Timestamp
from interledger.errors import ConflictError, LedgerError, NotFoundError, StoreError
from interledger.settlement.engine.base import EngineAccount, Payment
from interledger.settlement.quantity import NOTHING, Quantity

__all__ = ["DATABASE", "EngineState", "Incoming", "Requested"]

DATABASE: Final = "engine.db"

_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE account (
    id TEXT PRIMARY KEY, made_at INTEGER NOT NULL, closed_at INTEGER,
    owed_amount TEXT NOT NULL DEFAULT '0', owed_scale INTEGER NOT NULL DEFAULT 0, details TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE TABLE request (
    account TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL, amount TEXT NOT NULL, scale INTEGER NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE payment (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, amount TEXT NOT NULL, scale INTEGER NOT NULL,
    made_at INTEGER NOT NULL, approved_at INTEGER, done_at INTEGER, paid TEXT, note TEXT
) STRICT;
CREATE UNIQUE INDEX payment_open ON payment (account) WHERE done_at IS NULL;
CREATE TABLE incoming (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, event TEXT NOT NULL UNIQUE, key TEXT NOT NULL UNIQUE,
    amount TEXT NOT NULL, scale INTEGER NOT NULL, at INTEGER NOT NULL, done_at INTEGER
) STRICT;
CREATE INDEX incoming_open ON incoming (id) WHERE done_at IS NULL;
CREATE TABLE fact (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""


class Requested(Enum):
    """What a request of the node was."""

    NEW = "new"
    KNOWN = "known"
    CONFLICT = "conflict"


class Incoming(NamedTuple):
    """Money that came in, and the key under which the node is told."""

    id: int
    account: str
    event: str
    key: str
    quantity: Quantity
    at: Timestamp
    done_at: Timestamp | None = None


@final
class EngineState:
    """One engine's database. One process at a time: another one finds it locked."""

    def __init__(self, directory: Path | None) -> None:
        """Open it, made when it is new; None: in memory, for simulations. Raises `StoreError`."""
        self.path = Path(":memory:") if directory is None else directory.joinpath(DATABASE)
        try:
            if directory is not None:
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, isolation_level=None, timeout=0)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{self.path} cannot be opened: {error}") from None
        try:
            with self._errors("opened"):
                self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        if self.path.name != ":memory:":
            self.path.chmod(0o600)
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise StoreError(f"{self.path} is of version {version}, this program reads versions up to {_VERSION}")
        with self._transaction():
            if version == 0:
                for statement in _SCHEMA.split(";")[:-1]:
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {_VERSION}")

    def close(self) -> None:
        """Let it go. Safe to call twice."""
        with contextlib.suppress(sqlite3.Error):
            self._db.close()

    # ------------------------------------------------------------------ accounts

    def open_account(self, account_id: str, now: Timestamp) -> EngineAccount:
        """A new account, or one that is known, open again."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO account (id, made_at) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET closed_at = NULL",
                (account_id, now),
            )
        return self.account(account_id)

    def close_account(self, account_id: str, scale: int, now: Timestamp) -> None:
        """Raises `NotFoundError`; `ConflictError` while it is owed a whole unit. Less than that stays on record."""
        self.account(account_id)
        if self._open_payment(account_id) is not None or self.owed(account_id).split(scale)[0]:
            raise ConflictError(f"“{account_id}” has a payment that is not done.")
        with self._transaction():
            self._db.execute("UPDATE account SET closed_at = ? WHERE id = ?", (now, account_id))

    def account(self, account_id: str) -> EngineAccount:
        """Raises `NotFoundError`."""
        for row in self._db.execute("SELECT id, details FROM account WHERE id=? AND closed_at IS NULL", (account_id,)):
            return self._account(row)
        raise NotFoundError(f"There is no account “{account_id}”.")

    def accounts(self) -> list[EngineAccount]:
        """Those that are open, by id."""
        rows = self._db.execute("SELECT id, details FROM account WHERE closed_at IS NULL ORDER BY id")
        return [self._account(row) for row in rows]

    def owed(self, account_id: str) -> Quantity:
        """What was asked for and is in no payment yet, exact."""
        row = self._db.execute("SELECT owed_amount, owed_scale FROM account WHERE id = ?", (account_id,)).fetchone()
        return NOTHING if row is None else Quantity(int(row[0]), row[1])

    def _account(self, row: tuple[str, str]) -> EngineAccount:
        return EngineAccount(row[0], json.loads(row[1]), self._keep_details)

    def _keep_details(self, account_id: str, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        merged = {k: v for k, v in {**self.account(account_id).details, **changes}.items() if v is not None}
        with self._transaction():
            self._db.execute("UPDATE account SET details = ? WHERE id = ?", (json.dumps(merged), account_id))
        return merged

    # ------------------------------------------------------------------ what the node asks for

    def request(self, account_id: str, key: str, quantity: Quantity, now: Timestamp) -> Requested:
        """Owe the account so much more, once for this key. Raises `NotFoundError`."""
        digest = sha256(quantity.encode()).digest()
        known = self._db.execute(
            "SELECT digest FROM request WHERE account = ? AND key = ?", (account_id, key)
        ).fetchone()
        if known is not None:
            return Requested.KNOWN if known[0] == digest else Requested.CONFLICT
        self.account(account_id)
        owed = self.owed(account_id).plus(quantity).shortest()
        with self._transaction():
            self._db.execute(
                "INSERT INTO request (account, key, digest, amount, scale, at) VALUES (?, ?, ?, ?, ?, ?)",
                (account_id, key, digest, str(quantity.amount), quantity.scale, now),
            )
            self._set_owed(account_id, owed)
        return Requested.NEW

    def _set_owed(self, account_id: str, owed: Quantity) -> None:
        self._db.execute(
            "UPDATE account SET owed_amount = ?, owed_scale = ? WHERE id = ?",
            (str(owed.amount), owed.scale, account_id),
        )

    # ------------------------------------------------------------------ payments

    def next_payment(self, account_id: str, scale: int, now: Timestamp) -> Payment | None:
        """The one that is open; else a new one of all whole units that are owed; None when there are none."""
        found = self._open_payment(account_id)
        if found is not None:
            return found
        # RFC 38: "The leftover amounts MUST be settled later after they accumulate to a unit feasible for settlement."
        amount, leftover = self.owed(account_id).split(scale)
        if amount == 0:
            return None
        with self._transaction():
            self._set_owed(account_id, leftover)
            self._db.execute(
                "INSERT INTO payment (account, amount, scale, made_at) VALUES (?, ?, ?, ?)",
                (account_id, str(amount), scale, now),
            )
        return self._open_payment(account_id)

    def finish_payment(self, payment: Payment, paid: int | None, now: Timestamp) -> None:
        """It is paid; what of it is not is owed again. Raises `LedgerError` for more than there was, or twice."""
        amount = payment.amount if paid is None else paid
        if not 0 <= amount <= payment.amount:
            raise LedgerError(f"payment {payment.id} was of {payment.amount} units, {amount} cannot have been paid")
        rest = Quantity(payment.amount - amount, payment.scale)
        with self._transaction():
            done = self._db.execute(
                "UPDATE payment SET done_at = ?, paid = ? WHERE id = ? AND done_at IS NULL",
                (now, str(amount), payment.id),
            )
            if done.rowcount != 1:
                raise LedgerError(f"payment {payment.id} was done already")
            if rest.amount:
                self._set_owed(payment.account.id, self.owed(payment.account.id).plus(rest).shortest())

    def approve_payment(self, payment_id: int, now: Timestamp) -> Payment:
        """The operator agrees. Raises `NotFoundError` when it is not open."""
        payment = self.open_payment(payment_id)
        if payment.approved_at is None:
            with self._transaction():
                self._db.execute("UPDATE payment SET approved_at = ? WHERE id = ?", (now, payment_id))
            payment.approved_at = now
        return payment

    def open_payment(self, payment_id: int) -> Payment:
        """Raises `NotFoundError`."""
        for payment in self.open_payments():
            if payment.id == payment_id:
                return payment
        raise NotFoundError(f"There is no open payment {payment_id}.")

    def open_payments(self) -> list[Payment]:
        """Oldest first."""
        return self._payments("payment.done_at IS NULL")

    def payments(self, limit: int) -> list[tuple[Payment, Timestamp | None, int | None]]:
        """The latest, newest first, each with when it was done and how many units of it were paid."""
        rows = self._db.execute("SELECT id, done_at, paid FROM payment ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
        return [
            (self._payments("payment.id = ?", (number,))[0], at, None if paid is None else int(paid))
            for number, at, paid in rows
        ]

    def _open_payment(self, account_id: str) -> Payment | None:
        return next(iter(self._payments("payment.done_at IS NULL AND payment.account = ?", (account_id,))), None)

    def _payments(self, where: str, values: tuple[Any, ...] = ()) -> list[Payment]:
        rows = self._db.execute(
            "SELECT payment.id, payment.account, details, amount, scale, payment.made_at, note, approved_at "  # noqa: S608
            f"FROM payment JOIN account ON account.id = payment.account WHERE {where} ORDER BY payment.id",
            values,
        ).fetchall()
        return [
            Payment(
                number,
                self._account((account, details)),
                int(amount),
                scale,
                Timestamp(made_at),
                None if note is None else json.loads(note),
                approved_at,
                self._keep_note,
            )
            for number, account, details, amount, scale, made_at, note, approved_at in rows
        ]

    def _keep_note(self, payment: Payment, note: Mapping[str, Any]) -> None:
        with self._transaction():
            done = self._db.execute(
                "UPDATE payment SET note = ? WHERE id = ? AND done_at IS NULL", (json.dumps(note), payment.id)
            )
            if done.rowcount != 1:
                raise LedgerError(f"payment {payment.id} is not open, so nothing can be kept of it")

    # ------------------------------------------------------------------ what came in

    def add_incoming(self, account_id: str, event: str, key: str, quantity: Quantity, now: Timestamp) -> bool:
        """Remember to tell the node. False when the event is known. Raises `NotFoundError`."""
        if self._db.execute("SELECT 1 FROM incoming WHERE event = ?", (event,)).fetchone() is not None:
            return False
        self.account(account_id)
        with self._transaction():
            self._db.execute(
                "INSERT INTO incoming (account, event, key, amount, scale, at) VALUES (?, ?, ?, ?, ?, ?)",
                (account_id, event, key, str(quantity.amount), quantity.scale, now),
            )
        return True

    def open_incoming(self) -> list[Incoming]:
        """What the node has not acknowledged, oldest first."""
        return self._incoming("WHERE done_at IS NULL ORDER BY id")

    def incoming(self, limit: int) -> list[Incoming]:
        """The latest, newest first."""
        return self._incoming("ORDER BY id DESC LIMIT ?", (limit,))

    def finish_incoming(self, incoming: Incoming, now: Timestamp) -> None:
        """The node has it."""
        with self._transaction():
            self._db.execute("UPDATE incoming SET done_at = ? WHERE id = ? AND done_at IS NULL", (now, incoming.id))

    def _incoming(self, rest: str, values: tuple[Any, ...] = ()) -> list[Incoming]:
        rows = self._db.execute(
            f"SELECT id, account, event, key, amount, scale, at, done_at FROM incoming {rest}",  # noqa: S608  # ours
            values,
        )
        return [
            Incoming(number, account, event, key, Quantity(int(amount), scale), Timestamp(at), done_at)
            for number, account, event, key, amount, scale, at, done_at in rows
        ]

    # ------------------------------------------------------------------ the engine's own

    def get(self, name: str) -> Any:
        """What `put` kept, or None."""
        row = self._db.execute("SELECT body FROM fact WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, name: str, value: Any) -> None:
        """Keep it."""
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO fact (name, body) VALUES (?, ?)", (name, json.dumps(value)))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._errors("written"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            why = "another engine has it open" if "locked" in str(error) else str(error)
            raise StoreError(f"{self.path} cannot be {what}: {why}") from None
        except sqlite3.Error as error:
            raise StoreError(f"{self.path} cannot be {what}: {error}") from None
