"""What settlements do to a node's books: each step is entries and documents that one commit writes, or none of it.

    payable >= settle_threshold -> debit the peer, credit its transit account, keep the settlement   (one commit)
    -> `send`, which asks the engine with one key until it has it -> transit to external, settled    (one commit)
    the engine tells of money -> external to the peer, key and leftover kept -> 2xx                  (one commit)

Pure: no clock of its own, no sockets. A node and a simulated node run the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, final

from interledger.accounts.account import Account, AccountId
from interledger.accounts.books.memo import Memo
from interledger.accounts.ledger import NO_LIMIT, Ledger, LedgerAccount
from interledger.clock import Timestamp
from interledger.errors import ConflictError
from interledger.settlement.book import SettlementBook
from interledger.settlement.messages import new_key
from interledger.settlement.policy import Prepaid, amount_due, settles_at
from interledger.settlement.quantity import Quantity
from interledger.settlement.records import Direction, Settlement, SettlementState

__all__ = ["Clearing", "ClearingHooks"]


@dataclass(frozen=True, slots=True)
class ClearingHooks:
    """What surrounds it.

    `is_open`: whether settlements may begin by themselves; `store` keeps a document with the entries of now; `send` is
    called once a settlement is durable, to ask its engine; `random`: octets that nobody can guess.
    """

    now: Callable[[], Timestamp]
    random: Callable[[int], bytes]
    is_open: Callable[[], bool]
    store: Callable[[str, Any], None]
    send: Callable[[Settlement], None]


@final
class Clearing:
    """`watch` accounts, then hand `before_batch` to the ledger."""

    def __init__(self, ledger: Ledger, book: SettlementBook, hooks: ClearingHooks) -> None:
        self.book = book
        self._ledger = ledger
        self._hooks = hooks
        self._lines: dict[LedgerAccount, tuple[Account, str]] = {}

    # ------------------------------------------------------------------ which accounts

    def watch(self, account: Account, engine: str) -> None:
        """Settle this account by `engine` whenever its threshold is reached."""
        self.unwatch(account.id)
        line = self._ledger.account(account.ledger_name, account.asset)
        self._lines[line] = (account, engine)
        self._look(line)

    def unwatch(self, account_id: AccountId) -> None:
        """Begin nothing more of this account by itself."""
        for line in [line for line, (account, _) in self._lines.items() if account.id == account_id]:
            line.settle_at = NO_LIMIT
            del self._lines[line]

    def look(self) -> None:
        """Settle what is due already."""
        for line in list(self._lines):
            self._look(line)

    # ------------------------------------------------------------------ out: when

    def _look(self, line: LedgerAccount) -> None:
        """Watch the account's threshold, unless a settlement is on its way; settle when it is reached already."""
        account, _ = self._lines[line]
        line.settle_at = NO_LIMIT if self.book.sending(account.id) else settles_at(account.settle_threshold)
        self._reached(line)

    def before_batch(self, touched: Iterable[LedgerAccount]) -> None:
        """What is owed has changed: a settlement that becomes due is of the same commit."""
        for line in [line for line in touched if line.credits_posted - line.debits_posted >= line.settle_at]:
            self._reached(line)

    def _reached(self, line: LedgerAccount) -> None:
        """The account's threshold is reached, perhaps."""
        found = self._lines.get(line)
        if found is None or not self._hooks.is_open() or self.book.sending(found[0].id):
            return
        account, engine = found
        owed = self._owed(line)
        due = amount_due(owed, account.settle_to)
        if due and owed >= settles_at(account.settle_threshold):
            self.begin(account, due, "threshold", engine)

    def settle_all(self) -> None:
        """The timer: whatever is owed is settled, also below the threshold; nothing is paid in advance."""
        for line, (account, engine) in list(self._lines.items()):
            due = amount_due(self._owed(line), max(account.settle_to or 0, 0))
            is_automatic = account.settle_threshold is not None
            if due and is_automatic and self.book.sending(account.id) is None and self._hooks.is_open():
                self.begin(account, due, "timer", engine)

    def due(self, account: Account) -> int:
        """What would be settled of this account now, threshold or not."""
        return amount_due(self._owed(self._ledger.account(account.ledger_name, account.asset)), account.settle_to)

    def _owed(self, line: LedgerAccount) -> int:
        """What packets made us owe and no settlement has taken: posted, and without what the peer paid in advance."""
        return -line.net - self._prepaid(line).left(self._spent(line))

    def _spent(self, line: LedgerAccount) -> int:
        """All that the peer's packets took."""
        transit = self._ledger.find(f"{line.name}/transit", line.asset)
        return line.debits_posted - (0 if transit is None else transit.credits_posted)

    def _prepaid(self, line: LedgerAccount) -> Prepaid:
        name = line.name.partition("/")[2]
        found = self.book.prepaid(AccountId(name), line.asset)
        if found is None:  # of an older program: at least what came in beyond all that was spent
            external = self._ledger.find(f"external/{name}", line.asset)
            spent = self._spent(line)
            found = Prepaid(max((0 if external is None else external.debits_posted) - spent, 0), spent)
        return found

    # ------------------------------------------------------------------ out: how

    def begin(self, account: Account, amount: int, cause: str, engine: str) -> Settlement:
        """Debit and settlement in one commit; `send` when it is written.

        Raises `ConflictError` while one is under way.
        """
        hooks, ledger = self._hooks, self._ledger
        settlement = self.book.send(account, amount, new_key(hooks.random(16)), cause, hooks.now(), engine)
        line = self.line_of(settlement)
        self._post(line.name, f"{line.name}/transit", settlement, Memo("settlement", by=cause, id=settlement.id))
        line.settle_at = NO_LIMIT
        ledger.call_after_commit(lambda error: hooks.send(settlement) if error is None else None)
        return settlement

    def acknowledge(self, settlement: Settlement) -> bool:
        """The engine has it: what was in transit has left. False when it is not on its way any more."""
        if self.book.sending(settlement.account) is not settlement:
            return False
        line = self.line_of(settlement)
        self.book.acknowledge(settlement, self._hooks.now())
        self._post(f"{line.name}/transit", f"external/{settlement.account}", settlement, _memo("settled", settlement))
        settlement.error = ""
        if line in self._lines:
            self._look(line)
        return True

    # ------------------------------------------------------------------ in

    def credit(self, account: Account, key: str, quantity: Quantity) -> Settlement | None:
        """Money that came in under a new key: in the books, or held. None: it is of no amount, or known already.

        To be answered after the next commit. The book has the key by now, if the store has it (`missing_key`). Raises
        `ConflictError` for a key with another quantity, `InvalidRequestError`.
        """
        if not quantity.amount or self.book.find_incoming(account.id, key, quantity) is not None:
            return None
        settlement = self.book.receive(account, key, quantity, account.settle_in_max, self._hooks.now())
        if settlement.state is SettlementState.CREDITED and settlement.amount:
            self._post_credit(settlement, _memo("received", settlement))
        self._keep(settlement)
        return settlement

    # ------------------------------------------------------------------ by hand

    def void(self, settlement: Settlement, memo: Memo) -> None:
        """The operator takes one back, or refuses what is held. Raises `ConflictError` when it is done."""
        check_open(settlement)
        self.book.void(settlement, self._hooks.now())
        if settlement.direction is Direction.OUT:
            # No settlement begins of itself behind a void: the operator decides what happens next.
            line = self.line_of(settlement)
            self._post(f"{line.name}/transit", line.name, settlement, memo)
        self._keep(settlement)

    def approve(self, settlement: Settlement, memo: Memo) -> None:
        """The operator agrees to what is held. Raises `ConflictError`."""
        if self.book.approve(settlement, self._hooks.now()):
            self._post_credit(settlement, memo)
        self._keep(settlement)

    # ------------------------------------------------------------------ small things

    def line_of(self, settlement: Settlement) -> LedgerAccount:
        """The peer's account, whatever became of the peer."""
        return self._ledger.account(f"peer/{settlement.account}", settlement.asset)

    def _post_credit(self, settlement: Settlement, memo: Memo) -> None:
        line = self.line_of(settlement)
        prepaid = self._prepaid(line).plus(settlement.amount, line.net, self._spent(line))
        self.book.set_prepaid(settlement.account, settlement.asset, prepaid)
        self._post(f"external/{settlement.account}", line.name, settlement, memo)

    def _post(self, debit: str, credit: str, settlement: Settlement, memo: Memo) -> None:
        ledger, asset = self._ledger, settlement.asset
        ledger.post(((ledger.account(debit, asset), ledger.account(credit, asset), settlement.amount),), memo.encode())
        self._keep(settlement)

    def _keep(self, settlement: Settlement) -> None:
        documents = self.book.take_documents()
        for key, body in documents.items():
            self._hooks.store(key, body)
        if documents and not settlement.state.is_open:
            self._ledger.call_after_commit(lambda error: self.book.written(settlement) if error is None else None)


def check_open(settlement: Settlement) -> None:
    """Raises `ConflictError` when it is done."""
    if not settlement.state.is_open:
        raise ConflictError(f"{settlement.id} is {settlement.state}: that does not change any more.")


def _memo(kind: str, settlement: Settlement) -> Memo:
    return Memo(f"settlement {kind}", id=settlement.id)
