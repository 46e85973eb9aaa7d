"""What a store is: the interface behind the ledger and the node, whatever keeps the octets.

`put_*`, `set_*` and `delete_*` return at once and become part of the next durable step, together with what the ledger
has recorded until then. `write` is that step: all of it or nothing. It blocks, and one thread at a time calls it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

from interledger.accounts.account import Account, AccountId
from interledger.accounts.ledger import Ledger
from interledger.accounts.snapshot import Snapshot
from interledger.clock import Timestamp
from interledger.errors import StoreError
from interledger.settlement.records import ARCHIVE
from interledger.store.documents import Kind, decode_document, encode_account, encode_document, seal_document
from interledger.store.history import HistoryReader
from interledger.store.sealing import Sealer

__all__ = [
    "PAYMENTS_KEPT",
    "PAYMENTS_READ",
    "SETTLED_READ",
    "SNAPSHOT_OCTETS",
    "Change",
    "Documents",
    "Durability",
    "QuickStore",
    "Store",
    "StoredState",
    "add_document",
]

SNAPSHOT_OCTETS: Final = 2 * 1024 * 1024
"""Octets of journal after which a snapshot is due, unless the last one was larger: about 32,000 records, which a start
replays in 0.2 s."""

PAYMENTS_KEPT: Final = 100_000
"""Documents of payments, some 60 MB; the oldest go first."""

PAYMENTS_READ: Final = 1_000
"""The latest payments: so many are read at a start. The others are read when somebody turns that many pages."""

FORGET_EVERY: Final = 1_000
"""Changes of payments after which it is looked whether there are too many: that takes some milliseconds."""

SETTLED_READ: Final = 1_000
"""Settlements that are done: so many of them, the latest, are read at a start."""


class Durability(enum.StrEnum):
    """What a commit survives."""

    POWER = "power"
    """A power cut: every commit waits for the disk (fsync)."""
    PROCESS = "process"
    """The end of the process, also by kill -9. A power cut may lose the last commits: packets of that moment may then
    be missing in our books and present in the peers'."""


class Change(NamedTuple):
    """A document to be written, or to be deleted when `body` is None."""

    kind: Kind
    key: str
    body: str | None


@dataclass(slots=True)
class StoredState:
    """All that a store knew when it was opened, besides the books."""

    records_replayed: int = 0
    """How many records were read from the journal, because they are younger than the snapshot."""
    accounts: list[Account] = field(default_factory=list)
    routes: dict[str, str] = field(default_factory=dict)
    """Static routes: address prefix -> where it leads (`routing.targets`), an account id at the simplest."""
    rates: dict[str, str] = field(default_factory=dict)
    """Static rates: asset code -> what it is worth, as decimal text."""
    payments: list[dict[str, Any]] = field(default_factory=list)
    """Oldest first, at most `PAYMENTS_READ`."""
    settlements: dict[str, Any] = field(default_factory=dict)
    """By their keys, oldest first; of those that are done the latest `SETTLED_READ`."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What the node has to remember about itself, by name."""


class Store(Protocol):
    """Keeps one node's state. `StoreError` when it cannot, `DiskFullError` when there is no room."""

    on_change: Callable[[], None]
    """Called when a document waits to be written."""
    sealer: Sealer | None
    """Seals the secrets in documents, and opens them. Given before `load`; None: they are kept as they are."""
    on_outage: Callable[[StoreError | None], None]
    """Called, in any thread, with the reason when a step cannot be written for now, and with None once it can again.
    What waits is written then. Only a store that is another machine's, or another process's, has outages."""

    @property
    def history(self) -> HistoryReader:
        """The journal as far as it is kept. Only while the store is open."""
        ...

    def open(self) -> None:
        """Take the store for this process alone, and make it ready."""
        ...

    def close(self) -> None:
        """Let it go. Writes nothing; safe to call twice."""
        ...

    def load(self, ledger: Ledger) -> StoredState:
        """Fill the empty `ledger` with the books after the last commit, not yet recovered, and return all the rest.

        Once after `open`, before the first `write`. Raises `StoreError` when they are not sound.
        """
        ...

    @property
    def octets_since_snapshot(self) -> int:
        """Octets of journal that a start would have to replay."""
        ...

    def write(
        self,
        records: bytes,
        at: Timestamp,
        changes: Sequence[Change] = (),
        snapshot: Snapshot | None = None,
    ) -> None:
        """One durable step. `snapshot` is the ledger after `records`."""
        ...

    def release_reserve(self) -> None:
        """The disk is full: give back the space that was kept for the outcomes of packets in flight."""
        ...

    def hurry(self) -> None:
        """The node stops: what waits for the end of an outage may wait for some seconds more, then it fails."""
        ...

    def take_changes(self) -> list[Change]:
        """The documents that wait, once."""
        ...

    def put_account(self, account: Account) -> None:
        """Add or replace an account."""
        ...

    def delete_account(self, account_id: AccountId) -> None:
        """Forget an account. Its ledger account stays in the books."""
        ...

    def set_routes(self, routes: Mapping[str, str]) -> None:
        """Replace all static routes: prefix -> where it leads."""
        ...

    def set_rates(self, rates: Mapping[str, str]) -> None:
        """Replace all static rates: asset code -> decimal text."""
        ...

    def put_payment(self, payment_id: str, payment: Mapping[str, Any]) -> None:
        """Add or replace a payment's document."""
        ...

    def put_settlement(self, key: str, body: Any) -> None:
        """Add or replace a document about settlements; None deletes it.

        A key that begins with `done/` is of one that is done: `history.read_document` finds it, for ever.
        """
        ...

    def put_fact(self, name: str, value: Any, *, secret: bool = False) -> None:
        """Remember something about the node; None forgets it. Bool, int, text, lists and dicts; no floats.

        `secret`: sealed as a whole.
        """
        ...

    def scrub(self) -> None:
        """Leave no trace of documents that were written over. It takes long; nothing may be written meanwhile."""
        ...


class Documents:
    """The part of a store that queues documents: the last word per document, until the next durable step takes it."""

    def __init__(self) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self.sealer: Sealer | None = None
        self.on_outage: Callable[[StoreError | None], None] = lambda error: None
        self._changes: dict[tuple[Kind, str], str | None] = {}
        self._payments_written = 0

    def hurry(self) -> None:
        """Nothing is waited for."""

    def take_changes(self) -> list[Change]:
        changes, self._changes = self._changes, {}
        return [Change(kind, key, body) for (kind, key), body in changes.items()]

    def put_account(self, account: Account) -> None:
        self._put(Kind.ACCOUNT, account.id, encode_document(encode_account(account, self.sealer)))

    def delete_account(self, account_id: AccountId) -> None:
        self._put(Kind.ACCOUNT, account_id, None)

    def set_routes(self, routes: Mapping[str, str]) -> None:
        self._put(Kind.ROUTES, "", encode_document(dict(routes)))

    def set_rates(self, rates: Mapping[str, str]) -> None:
        self._put(Kind.RATES, "", encode_document(dict(rates)))

    def put_payment(self, payment_id: str, payment: Mapping[str, Any]) -> None:
        self._put(Kind.PAYMENT, payment_id, encode_document(dict(payment)))

    def put_settlement(self, key: str, body: Any) -> None:
        kind = Kind.SETTLED if key.startswith(ARCHIVE) else Kind.SETTLEMENT
        self._put(kind, key, None if body is None else encode_document(body))

    def put_fact(self, name: str, value: Any, *, secret: bool = False) -> None:
        body = None
        if value is not None:
            sealer = self.sealer if secret else None
            body = encode_document(value) if sealer is None else seal_document(value, name, sealer)
        self._put(Kind.FACT, name, body)

    def _payments_to_keep(self, changes: Sequence[Change]) -> int | None:
        """How many payments the step with these changes leaves; None: it need not look."""
        self._payments_written += sum(change.kind is Kind.PAYMENT for change in changes)
        if self._payments_written < FORGET_EVERY:
            return None
        self._payments_written = 0
        return PAYMENTS_KEPT

    def _put(self, kind: Kind, key: str, body: str | None) -> None:
        self._changes[kind, key] = body
        self.on_change()


@runtime_checkable
class QuickStore(Protocol):
    """A store that can write so quickly that no thread is needed for it."""

    def is_quick(self, octets: int) -> bool:
        """Whether `write` of so many octets of records, and nothing else, would be one short write now."""
        ...


def add_document(state: StoredState, kind: str, key: str, body: str, sealer: Sealer | None) -> None:
    """Put a stored document where it belongs. Raises `StoreError` when it cannot be read."""
    value = decode_document(kind, key, body, sealer)
    match kind:
        case Kind.ACCOUNT:
            state.accounts.append(value)
        case Kind.ROUTES:
            state.routes = value
        case Kind.RATES:
            state.rates = value
        case Kind.PAYMENT:
            state.payments.append(value)
        case Kind.SETTLEMENT | Kind.SETTLED:
            state.settlements[key] = value
        case _ if value is not None:  # a secret that is lost is no fact any more
            state.facts[key] = value
