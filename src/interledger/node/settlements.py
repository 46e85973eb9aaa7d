"""Settlement of a node's accounts: what is owed is handed to engines, what they say came in is credited.

What that does to the books is `settlement.clearing`. Here is what takes time: engines that are asked until they have
it, the store that knows every key that ever came in, the operator's two steps. Nothing is given back by itself: whoever
did not answer may have paid. One settlement per account is on its way at a time; what is owed meanwhile is for the next
one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, final

from interledger.accounts.account import Account, AccountId
from interledger.accounts.asset import Money
from interledger.clock import Timestamp
from interledger.errors import ConflictError, InvalidRequestError, NotFoundError, StoreError
from interledger.link.http.asgi import AsgiApp
from interledger.link.listener import Listener
from interledger.node.settlement_decisions import SettlementDecisions, SettlementPause
from interledger.node.settlement_engines import SettlementEngines
from interledger.node.settlement_history import SettlementHistory
from interledger.settlement.book import SettlementBook
from interledger.settlement.clearing import Clearing, ClearingHooks
from interledger.settlement.quantity import Quantity
from interledger.settlement.records import Settlement, SettlementState
from interledger.settlement.retries import retry_delay_ms
from interledger.settlement.shell import CallError
from interledger.store.documents import Kind

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
            self.book.load(documents)
        except (KeyError, ValueError, TypeError) as error:
            raise StoreError(f"the stored settlements cannot be read: {error}") from None
        self.engines = SettlementEngines(node, documents)
        self.clearing = Clearing(
            node.ledger,
            self.book,
            ClearingHooks(
                now=lambda: node.clock.now(),
                random=lambda count: node.entropy.octets(count),
                is_open=lambda: self._running and not node.read_only and not self.pause.is_on,
                store=self._store,
                send=lambda settlement: self._send(settlement),
            ),
        )
        self.pause = SettlementPause(node.settings.directory)
        self.by_hand = SettlementDecisions(node)
        self.history = SettlementHistory(node)
        self._asking_store = asyncio.Lock()
        self._sending: dict[str, asyncio.Event] = {}
        self._running = False
        self._listener: Listener | None = None

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """Take up what was under way. Accounts are open by then."""
        self._running = True
        for key, body in self.book.take_documents().items():
            self._node.store.put_settlement(key, body)
        self._node.ledger.before_batch = self.clearing.before_batch
        self.engines.start()
        if self.pause.is_on:
            self._node.alarm(
                "settlement is off: these books were restored from a backup. Compare, then:  ilp settlement resume"
            )
        self.go_on()
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
        engine = self.engines.engine_of(account)
        if engine is None:
            self.clearing.unwatch(account.id)
        else:
            self.clearing.watch(account, engine)
        self.engines.follow(account)

    def forget(self, account_id: AccountId) -> None:
        """An account is closed."""
        self.clearing.unwatch(account_id)
        self.engines.forget(account_id)

    def check_closable(self, account_id: str) -> None:
        """Raises `ConflictError` while money of the account is under way."""
        for settlement in self.book.open():
            if settlement.account == account_id:
                raise ConflictError(
                    f"{settlement.id} of “{account_id}” is {settlement.state}, so the account cannot be deleted. "
                    f"Look:  ilp settlement show {settlement.id}"
                )

    # ------------------------------------------------------------------ out

    async def _settle_every(self, ms: int) -> None:
        while True:
            await asyncio.sleep(ms / 1000)
            self.clearing.settle_all()

    async def create(self, account_id: str, amount: int | None = None, *, by: str) -> Settlement:
        """Settle now: `amount` units, or (None) down to `settle_to`. More than is owed is paid in advance.
        Durable when it returns. Raises `NotFoundError`, `InvalidRequestError`, and `ConflictError` while one is on its
        way, or when nothing is owed.
        """
        account = self._node.account(account_id)
        engine = self.engines.engine_of(account)
        if engine is None:
            raise InvalidRequestError(f"“{account_id}” has no settlement engine", "account")
        self.pause.check()
        self.check_writable()
        due = self.clearing.due(account) if amount is None else amount
        if due <= 0:
            raise ConflictError(f"Nothing is owed to “{account_id}” that would be settled now.")
        settlement = self.clearing.begin(account, due, by, engine)
        await self._node.commit()
        return settlement

    def go_on(self) -> None:
        """Send what waits for its engine, and settle what is due."""
        for settlement in self.book.open():
            if settlement.state is SettlementState.SENDING:
                self._send(settlement)
        self.clearing.look()

    def wake(self, settlement_id: str) -> None:
        """If it waits to be tried again, it waits no longer."""
        event = self._sending.get(settlement_id)
        if event is not None:
            event.set()

    def _send(self, settlement: Settlement) -> None:
        if self._running and not self.pause.is_on and settlement.id not in self._sending:
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
                    if not self.clearing.acknowledge(settlement):
                        self._node.alarm(f"{settlement.id} was voided, and its engine has taken it all the same")
                    await self._node.commit()
                    logger.info("%s to %s is %s", settlement.id, settlement.account, settlement.state)
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

    def retry(self, settlement_id: str) -> Settlement:
        """Ask the engine now, not later. Raises `NotFoundError`, `ConflictError` when it is done."""
        settlement = self.book.get(settlement_id)
        if settlement.state is not SettlementState.SENDING:
            raise ConflictError(f"{settlement_id} is {settlement.state}: there is nothing to try again.")
        self.pause.check()
        self.wake(settlement_id)
        return settlement

    # ------------------------------------------------------------------ in

    async def credit(self, account: Account, key: str, quantity: Quantity) -> Quantity:
        """An engine tells of money that came in. What is answered: all of it is ours to account for now.

        Credited once for this key, for ever; durable when this returns. Raises `ConflictError` for a key with another
        quantity, `InvalidRequestError`, `StoreError`.
        """
        # One at a time: what the store says of a key is still true when the book is asked.
        async with self._asking_store:
            missing = self.book.missing_key(account.id, key)
            if missing is not None:
                kept = await asyncio.to_thread(self._node.store.history.read_document, Kind.SETTLED, missing)
                if kept is not None:
                    self.book.found(kept)
            if quantity.amount and self.book.find_incoming(account.id, key, quantity) is None:
                self.check_writable()
                self._credit(account, key, quantity)
        await self._node.commit()
        return quantity

    def _credit(self, account: Account, key: str, quantity: Quantity) -> None:
        settlement = self.clearing.credit(account, key, quantity)
        if settlement is not None and settlement.state is SettlementState.HELD:
            money = Money(settlement.amount, settlement.asset)
            self._node.alarm(
                f"{settlement.id}: {money} came in for {account.id}, more than its settle_in_max lets in within a day."
                f" Look:  ilp settlement show {settlement.id}"
            )

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

    def _store(self, key: str, body: Any) -> None:
        self._node.store.put_settlement(key, body)
        self._node.live.reports.settlement_stored(key, body)

    def check_writable(self) -> None:
        """Raises `StoreError` when nothing can be written down now."""
        if self._node.read_only:
            raise StoreError("the books cannot be written now, so nothing can be settled")
