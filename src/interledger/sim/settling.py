"""The settlements of a simulated node: the real book, the real rules and the real store, and calls on virtual time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import TYPE_CHECKING, Any, Final, final

from interledger.accounts.account import Account, AccountId
from interledger.accounts.books.memo import Memo
from interledger.errors import ConflictError, StoreError
from interledger.settlement.book import SettlementBook
from interledger.settlement.clearing import Clearing, ClearingHooks
from interledger.settlement.quantity import Quantity
from interledger.settlement.records import Direction, Settlement, SettlementState
from interledger.settlement.retries import retry_delay_ms
from interledger.settlement.shell import TIMEOUT_MS
from interledger.sim.engine import Answer, SimEngine
from interledger.store.documents import Kind

if TYPE_CHECKING:
    from interledger.sim.node import SimNode

__all__ = ["NodeSettling", "add_engine"]

KEPT: Final = 2
"""Settlements that are done and in memory: so few that the store is asked for the keys of others."""


@final
class NodeSettling:
    """Of one process of a node: as `node.settlements`, without tasks."""

    def __init__(self, node: SimNode, documents: Mapping[str, Any]) -> None:
        self._node = node
        self._dice = dice = Random(f"{node.world.seed} {node.address} {node.life}")
        self._runs = node.runs()
        self.book = SettlementBook(KEPT)
        self.book.load(documents)
        self.clearing = Clearing(
            node.ledger,
            self.book,
            ClearingHooks(
                node.clock.now, dice.randbytes, lambda: not node.broken, node.store.put_settlement, self._send
            ),
        )
        node.ledger.before_batch = self.clearing.before_batch
        for settlement in self.book.open():
            if settlement.state is SettlementState.SENDING:
                self._send(settlement)

    def follow(self, account: Account) -> None:
        """An account was opened, or is another one than before."""
        self.clearing.watch(account, "engine")

    @property
    def waits(self) -> bool:
        """Whether anything is on its way, or held."""
        return bool(self.book.open())

    # ------------------------------------------------------------------ out

    def _send(self, settlement: Settlement) -> None:
        self._node.world.after(0, lambda: self._ask(settlement))

    def _ask(self, settlement: Settlement) -> None:
        if not self._runs() or settlement.state is not SettlementState.SENDING:
            return
        answers: list[bool] = []

        def answer(done: bool) -> None:
            if not answers and self._runs():
                answers.append(done)
                self._answered(settlement, done=done)

        self._engine(settlement.account).ask(settlement.key, settlement.quantity, answer)
        self._node.world.after(TIMEOUT_MS, lambda: answer(False))

    def _answered(self, settlement: Settlement, *, done: bool) -> None:
        if done:
            self.clearing.acknowledge(settlement)
            return
        settlement.attempts += 1
        wait_ms = retry_delay_ms(settlement.attempts, self._dice.randbytes(2))
        self._node.world.after(wait_ms, lambda: self._ask(settlement))

    def _engine(self, account: AccountId) -> SimEngine:
        return self._node.engines[account]

    # ------------------------------------------------------------------ in

    def receive(self, account: Account, key: str, quantity: Quantity, answer: Callable[[bool], None]) -> None:
        """Money that came in: `answer` once it is durable."""
        node = self._node
        try:
            if node.broken:
                raise StoreError("the books cannot be written")
            missing = self.book.missing_key(account.id, key)
            kept = None if missing is None else node.store.history.read_document(Kind.SETTLED, missing)
            if kept is not None:
                self.book.found(kept)
            self.clearing.credit(account, key, quantity)
        except (ConflictError, StoreError):
            answer(False)
        else:
            node.ledger.call_after_commit(lambda error: answer(error is None))

    def decide(self, is_lie: Callable[[AccountId, str], bool]) -> list[Settlement]:
        """The operator looks at all that is held, and at the ledger. What was refused."""
        refused = []
        memo = Memo("the operator has looked at the ledger")
        for one in [one for one in self.book.open() if one.direction is Direction.IN]:
            if is_lie(one.account, one.key):
                self.clearing.void(one, memo)
                refused.append(one)
            else:
                self.clearing.approve(one, memo)
        return refused


def add_engine(node: SimNode, account_id: AccountId, engine: SimEngine) -> None:
    """Settle an account of the node by this engine, from now on. Before the account is attached."""
    node.engines[account_id] = engine
    node.settling = node.settling or NodeSettling(node, {})

    def door(key: str, quantity: Quantity, answer: Answer) -> None:
        attachment = node.attachments[account_id]
        if not node.alive or attachment.removed or node.settling is None:
            node.world.after(1, lambda: answer(False))
        else:
            node.settling.receive(attachment.account, key, quantity, answer)

    engine.door = door
