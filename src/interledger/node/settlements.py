"""Settlement of a node's accounts: what is owed is handed to engines, what they say came in is credited.

    payable >= settle_threshold -> debit the peer, credit its transit account, keep the settlement   (one commit)
    -> the engine is asked, with one key, until it says 2xx -> transit to external, settled          (one commit)
    the engine tells of money -> external to the peer, key and leftover kept -> 2xx                  (one commit)

Nothing is given back by itself: whoever did not answer may have paid. One settlement per account is on its way at a
time; what is owed meanwhile is for the next one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, final

from interledger.accounts.account import Account, AccountId
from interledger.accounts.asset import Money, format_amount
from interledger.accounts.books.memo import Memo, parse_reason
from interledger.accounts.ledger import NO_LIMIT, LedgerAccount
from interledger.clock import Timestamp
from interledger.errors import ConflictError, InvalidRequestError, NotFoundError, StoreError
from interledger.link.http.asgi import AsgiApp
from interledger.link.listener import Listener
from interledger.node.decisions import Decision, Effect
from interledger.node.settlement_engines import SettlementEngines
from interledger.settlement.book import SettlementBook
from interledger.settlement.messages import new_key
from interledger.settlement.policy import amount_due, prepaid_part, settles_at
from interledger.settlement.quantity import Quantity
from interledger.settlement.records import Direction, Settlement, SettlementState
from interledger.settlement.retries import retry_delay_ms
from interledger.settlement.shell import CallError

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["Settlements"]

logger = logging.getLogger("interledger.settlement")

DRAIN_MS: Final = 1_000
"""For the answers to engines."""

OVERDUE_ATTEMPTS: Final = 8
"""Failures after which the operator is told: some two minutes."""


@final
class Settlements:
    """`node.settlements`."""

    def __init__(self, node: Node, documents: Mapping[str, Any]) -> None:
        """Raises `StoreError` for documents that cannot be read."""
        self._node = node
        self.book = SettlementBook()
        try:
            self.book.load(documents, node.clock.now())
        except (KeyError, ValueError, TypeError) as error:
            raise StoreError(f"the stored settlements cannot be read: {error}") from None
        self.engines = SettlementEngines(node, documents)
        self._lines: dict[LedgerAccount, Account] = {}
        self._sending: dict[str, asyncio.Event] = {}
        self._running = False
        self._listener: Listener | None = None

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """Take up what was under way. Accounts are open by then."""
        self._running = True
        self._node.ledger.before_batch = self._before_batch
        self.engines.start()
        for settlement in self.book.open():
            if settlement.state is SettlementState.SENDING:
                self._send(settlement)
        for line in list(self._lines):
            self._look(line)
        if self._node.settings.settle_every_ms is not None:
            self._node.spawn(self._settle_every(self._node.settings.settle_every_ms))

    async def listen(self, app: AsgiApp | None) -> None:
        """Open the port for engines, where there is to be one. Raises `LinkError`."""
        bind = self._node.settings.settlement_bind
        if bind is not None and app is not None:
            self._listener = Listener(*bind, clock=self._node.clock, app=app)
            await self._listener.start()

    @property
    def port(self) -> int:
        """Where engines call; 0 where they cannot."""
        return 0 if self._listener is None else self._listener.port

    async def stop(self) -> None:
        """Begin nothing more; what is under way goes on at the next start. May be called again."""
        self._running = False
        if self._listener is not None:
            await self._listener.stop(drain_ms=DRAIN_MS)

    def follow(self, account: Account) -> None:
        """An account was opened, or is another one than before."""
        self._unwatch(account.id)
        if self.engines.engine_of(account) is not None:
            line = self._node.ledger.account(account.ledger_name, account.asset)
            self._lines[line] = account
            self._look(line)
        self.engines.follow(account)

    def forget(self, account_id: AccountId) -> None:
        """An account is closed."""
        self._unwatch(account_id)
        self.engines.forget(account_id)

    def _unwatch(self, account_id: AccountId) -> None:
        for line in [line for line, account in self._lines.items() if account.id == account_id]:
            line.settle_at = NO_LIMIT
            del self._lines[line]

    def check_closable(self, account_id: str) -> None:
        """Raises `ConflictError` while money of the account is under way."""
        for settlement in self.book.open():
            if settlement.account == account_id:
                raise ConflictError(
                    f"{settlement.id} of “{account_id}” is {settlement.state}, so the account cannot be deleted. "
                    f"Look:  ilp settlement show {settlement.id}"
                )

    # ------------------------------------------------------------------ out: when

    def _look(self, line: LedgerAccount) -> None:
        """Watch the account's threshold, unless a settlement is on its way; settle when it is reached already."""
        account = self._lines[line]
        line.settle_at = NO_LIMIT if self.book.sending(account.id) else settles_at(account.settle_threshold)
        if self._running:
            self._reached(line)

    def _before_batch(self, touched: Iterable[LedgerAccount]) -> None:
        """What is owed has changed: a settlement that becomes due is of the same commit."""
        for line in [line for line in touched if line.credits_posted - line.debits_posted >= line.settle_at]:
            self._reached(line)

    def _reached(self, line: LedgerAccount) -> None:
        """The account's threshold is reached."""
        account = self._lines.get(line)
        if account is None or not self._running or self._node.read_only or self.book.sending(account.id):
            return
        owed = self._owed(line)
        due = amount_due(owed, account.settle_to)
        if due and owed >= settles_at(account.settle_threshold):
            self._begin(account, line, due, "threshold")

    def _owed(self, line: LedgerAccount) -> int:
        """What packets made us owe and no settlement has taken: posted, and without what the peer paid in advance."""
        find, asset = self._node.ledger.find, line.asset
        transit, external = find(f"{line.name}/transit", asset), find(f"external/{line.name.partition('/')[2]}", asset)
        spent = line.debits_posted - (0 if transit is None else transit.credits_posted)
        return -line.net - prepaid_part(0 if external is None else external.debits_posted, spent)

    async def _settle_every(self, ms: int) -> None:
        while True:
            await asyncio.sleep(ms / 1000)
            for line, account in list(self._lines.items()):
                due = amount_due(self._owed(line), max(account.settle_to or 0, 0))
                is_automatic = account.settle_threshold is not None
                if due and is_automatic and self.book.sending(account.id) is None and not self._node.read_only:
                    self._begin(account, line, due, "timer")

    async def create(self, account_id: str, amount: int | None = None, *, by: str) -> Settlement:
        """Settle now: `amount` units, or (None) down to `settle_to`. More than is owed is paid in advance.
        Durable when it returns. Raises `NotFoundError`, `InvalidRequestError`, and `ConflictError` while one is on its
        way, or when nothing is owed.
        """
        account = self._node.account(account_id)
        if self.engines.engine_of(account) is None:
            raise InvalidRequestError(f"“{account_id}” has no settlement engine", "account")
        self._check_writable()
        line = self._node.ledger.account(account.ledger_name, account.asset)
        due = amount_due(self._owed(line), account.settle_to) if amount is None else amount
        if due <= 0:
            raise ConflictError(f"Nothing is owed to “{account_id}” that would be settled now.")
        settlement = self._begin(account, line, due, by)
        await self._node.commit()
        return settlement

    # ------------------------------------------------------------------ out: how

    def _begin(self, account: Account, line: LedgerAccount, amount: int, cause: str) -> Settlement:
        """Debit and settlement in one commit; the engine is asked when it is written."""
        ledger, now, engine = self._node.ledger, self._node.clock.now(), self.engines.engine_of(account)
        settlement = self.book.send(account, amount, new_key(self._node.entropy.octets(16)), cause, now, engine)
        transit = ledger.account(f"{line.name}/transit", line.asset)
        ledger.post(((line, transit, amount),), Memo("settlement", by=cause, id=settlement.id).encode())
        self._store()
        line.settle_at = NO_LIMIT
        ledger.call_after_commit(lambda error: self._send(settlement) if error is None else None)
        return settlement

    def _send(self, settlement: Settlement) -> None:
        if self._running and settlement.id not in self._sending:
            self._sending[settlement.id] = asyncio.Event()
            self._node.spawn(self._send_until_taken(settlement))

    async def _send_until_taken(self, settlement: Settlement) -> None:
        """For ever, with one key, at most an hour apart (SE-04). A failure gives nothing back (SE-06)."""
        try:
            while settlement.state is SettlementState.SENDING:
                try:
                    # RFC 38: "the client MUST retry the request with the same idempotency key"
                    await self.engines.settle(settlement)
                except CallError as error:
                    await self._wait_to_retry(settlement, error)
                else:
                    if self.book.sending(settlement.account) is settlement:
                        await self._acknowledge(settlement)
                    else:
                        self._node.alarm(f"{settlement.id} was voided, and its engine has taken it all the same")
        finally:
            self._sending.pop(settlement.id, None)

    async def _wait_to_retry(self, settlement: Settlement, error: CallError) -> None:
        settlement.attempts += 1
        settlement.error = str(error)
        delay_ms = retry_delay_ms(settlement.attempts, self._node.entropy.octets(2))
        settlement.next_at = Timestamp(self._node.clock.now() + delay_ms)
        self._node.live.reports.settlement_retrying(settlement, delay_ms)
        if settlement.attempts == OVERDUE_ATTEMPTS or (error.is_refusal and settlement.attempts == 1):
            money = Money(settlement.amount, settlement.asset)
            self._node.alarm(f"{settlement.id}, {money} to {settlement.account}, is not taken by its engine: {error}")
        again = self._sending[settlement.id]
        try:
            async with asyncio.timeout(delay_ms / 1000):
                await again.wait()
        except TimeoutError:
            return
        finally:
            again.clear()
            settlement.next_at = None

    async def _acknowledge(self, settlement: Settlement) -> None:
        """The engine has it: what was in transit has left."""
        line = self._line_of(settlement)
        self.book.acknowledge(settlement, self._node.clock.now())
        self._post(line.name + "/transit", f"external/{settlement.account}", settlement, "settled")
        settlement.error = ""
        if line in self._lines:
            self._look(line)
        await self._node.commit()
        logger.info("%s to %s is settled", settlement.id, settlement.account)

    def retry(self, settlement_id: str) -> Settlement:
        """Ask the engine now, not later. Raises `NotFoundError`, `ConflictError` when it is done."""
        settlement = self.book.get(settlement_id)
        if settlement.state is not SettlementState.SENDING:
            raise ConflictError(f"{settlement_id} is {settlement.state}: there is nothing to try again.")
        event = self._sending.get(settlement_id)
        if event is not None:
            event.set()
        return settlement

    # ------------------------------------------------------------------ in

    async def credit(self, account: Account, key: str, quantity: Quantity) -> Quantity:
        """An engine tells of money that came in. What is answered: all of it is ours to account for now.

        Credited once for this key, for ever; durable when this returns. Raises `ConflictError` for a key with another
        quantity, `InvalidRequestError`, `StoreError`.
        """
        if quantity.amount and self.book.find_incoming(account.id, key, quantity) is None:
            self._check_writable()
            settlement = self.book.receive(account, key, quantity, account.settle_in_max, self._node.clock.now())
            self._store()
            if settlement.state is SettlementState.HELD:
                money = format_amount(settlement.amount, settlement.asset)
                self._node.alarm(
                    f"{settlement.id}: {money} {settlement.asset.code} came in for {account.id}, more than its"
                    f" settle_in_max lets in within a day. Look:  ilp settlement show {settlement.id}"
                )
            elif settlement.amount:
                self._post(f"external/{account.id}", self._line_of(settlement).name, settlement, "received")
        await self._node.commit()
        return quantity

    # ------------------------------------------------------------------ by hand, in two steps

    def propose_void(self, settlement_id: str, *, reason: str, by: str) -> Decision:
        """The first step of taking one back that the engine never took, or of refusing what is held."""
        settlement = self.book.get(settlement_id)
        self._check_open(settlement)
        memo = Memo("settlement void", by, parse_reason(reason), self._node.books.decisions.new_id())
        line = self._line_of(settlement)
        money = Money(settlement.amount, settlement.asset)
        if settlement.direction is Direction.IN:
            text = f"Refuse {money} that came in for {settlement.account}: it is not credited, then or later"
            return self._node.books.decisions.propose(text, memo, (), partial(self._void, settlement, memo))
        text = (
            f"Take back {money} to {settlement.account}: we owe it again. If its engine has paid all the same, it is"
            f" paid twice. Ask {settlement.engine} first"
        )
        effects = (Effect(line.name, line.asset, line.net, line.net - settlement.amount),)
        return self._node.books.decisions.propose(text, memo, effects, partial(self._void, settlement, memo))

    def propose_approval(self, settlement_id: str, *, reason: str, by: str) -> Decision:
        """The first step of crediting what is held."""
        settlement = self.book.get(settlement_id)
        if settlement.state is not SettlementState.HELD:
            raise ConflictError(f"{settlement_id} is {settlement.state}: there is nothing to approve.")
        memo = Memo("settlement approval", by, parse_reason(reason), self._node.books.decisions.new_id())
        line = self._line_of(settlement)
        money = Money(settlement.amount, settlement.asset)
        text = f"Credit {settlement.account} with {money} that its engine says came in"
        effects = (Effect(line.name, line.asset, line.net, line.net - settlement.amount),)
        return self._node.books.decisions.propose(text, memo, effects, partial(self._approve, settlement, memo))

    def _void(self, settlement: Settlement, memo: Memo) -> None:
        self._check_open(settlement)
        self._check_writable()
        self.book.void(settlement, self._node.clock.now())
        if settlement.direction is Direction.OUT:
            line = self._line_of(settlement)
            self._post(f"{line.name}/transit", line.name, settlement, memo.kind, memo)
            # No settlement begins of itself behind a void: the operator decides what happens next.
            event = self._sending.get(settlement.id)
            if event is not None:
                event.set()
        self._store()

    def _approve(self, settlement: Settlement, memo: Memo) -> None:
        self._check_writable()
        if self.book.approve(settlement, self._node.clock.now()):
            self._post(f"external/{settlement.account}", self._line_of(settlement).name, settlement, memo.kind, memo)
        self._store()

    def _check_open(self, settlement: Settlement) -> None:
        if not settlement.state.is_open:
            raise ConflictError(f"{settlement.id} is {settlement.state}: that does not change any more.")

    # ------------------------------------------------------------------ small things

    def latest(self, account: AccountId | None, limit: int) -> list[Settlement]:
        """Newest first."""
        return self.book.latest(account)[:limit]

    def get(self, settlement_id: str) -> Settlement:
        """Raises `NotFoundError`."""
        return self.book.get(settlement_id)

    def engine_account(self, account_id: AccountId) -> Account:
        """An account that an engine may speak of. Raises `NotFoundError` for one that has none."""
        account = self._node.account(account_id)
        if self.engines.engine_of(account) is None:
            raise NotFoundError(f"There is no account “{account_id}” with a settlement engine.")
        return account

    def _line_of(self, settlement: Settlement) -> LedgerAccount:
        return self._node.ledger.account(f"peer/{settlement.account}", settlement.asset)

    def _post(self, debit: str, credit: str, settlement: Settlement, kind: str, memo: Memo | None = None) -> None:
        ledger = self._node.ledger
        legs = ((ledger.account(debit, settlement.asset), ledger.account(credit, settlement.asset), settlement.amount),)
        text = Memo(f"settlement {kind}", id=settlement.id) if memo is None else memo
        ledger.post(legs, text.encode())
        self._store()

    def _store(self) -> None:
        for key, body in self.book.take_documents().items():
            self._node.store.put_settlement(key, body)
            self._node.live.reports.settlement_stored(key, body)

    def _check_writable(self) -> None:
        if self._node.read_only:
            raise StoreError("the books cannot be written now, so nothing can be settled")
