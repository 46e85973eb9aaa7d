"""What an operator decides about settlements, each in two steps; and settlement that is off until one looked (J9).

Books that were restored from a backup lack what was settled after it: by them it is still owed, and would be paid a
second time. So nothing is settled from such books before somebody has compared them with the engines and the peers.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, final

from interledger.accounts.asset import Money
from interledger.accounts.books.memo import Memo, parse_reason
from interledger.errors import ConflictError, StoreError
from interledger.node.decisions import Decision, Effect
from interledger.settlement.clearing import check_open
from interledger.settlement.records import Direction, Settlement, SettlementState
from interledger.store.files import sync_directory
from interledger.store.restoring import RESTORED

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["SettlementDecisions", "SettlementPause"]


@final
class SettlementPause:
    """Whether settlement is off: as long as the file that a restore leaves beside the books is there."""

    def __init__(self, directory: Path | None) -> None:
        """`directory`: of the books; None when they are in memory."""
        self._file = None if directory is None else directory / RESTORED
        self.is_on = self._file is not None and self._file.exists()

    def check(self) -> None:
        """Raises `ConflictError` while it is off."""
        if self.is_on:
            raise ConflictError(
                "Settlement is off: these books were restored from a backup, and what was settled after it is not in "
                "them. Compare with the engines and the peers, then:  ilp settlement resume --reason '...'"
            )

    def end(self) -> None:
        """It is on again, for good. Raises `StoreError`."""
        if self._file is not None:
            try:
                self._file.unlink(missing_ok=True)
                sync_directory(self._file.parent)
            except OSError as error:
                raise StoreError(f"{self._file} cannot be removed: {error.strerror}") from None
        self.is_on = False


@final
class SettlementDecisions:
    """`node.settlements.by_hand`. Each `propose_...` is the first step: nothing has happened yet."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def propose_resume(self, *, reason: str, by: str) -> Decision:
        """Of settling from restored books. Raises `ConflictError` when settlement is not off."""
        if not self._node.settlements.pause.is_on:
            raise ConflictError("Settlement is not off: there is nothing to resume.")
        memo = Memo("settlement resume", by, parse_reason(reason), self._node.books.decisions.new_id())
        waiting = sum(one.state is SettlementState.SENDING for one in self._node.settlements.book.open())
        text = (
            f"Settle from these restored books again: {waiting} that wait for their engine, and whatever is due. What"
            " was settled after the backup and is not corrected here is paid a second time"
        )
        return self._node.books.decisions.propose(text, memo, (), self._resume)

    def propose_void(self, settlement: Settlement, *, reason: str, by: str) -> Decision:
        """Of taking one back that the engine never took, or of refusing what is held."""
        check_open(settlement)
        memo = Memo("settlement void", by, parse_reason(reason), self._node.books.decisions.new_id())
        money = Money(settlement.amount, settlement.asset)
        carry_out = partial(self._void, settlement, memo)
        if settlement.direction is Direction.IN:
            text = f"Refuse {money} that came in for {settlement.account}: it is not credited, then or later"
            return self._node.books.decisions.propose(text, memo, (), carry_out)
        text = (
            f"Take back {money} to {settlement.account}: we owe it again. If its engine has paid all the same, it is"
            f" paid twice. Ask {settlement.engine} first"
        )
        return self._node.books.decisions.propose(text, memo, (self._effect(settlement),), carry_out)

    def propose_approval(self, settlement: Settlement, *, reason: str, by: str) -> Decision:
        """Of crediting what is held."""
        if settlement.state is not SettlementState.HELD:
            raise ConflictError(f"{settlement.id} is {settlement.state}: there is nothing to approve.")
        memo = Memo("settlement approval", by, parse_reason(reason), self._node.books.decisions.new_id())
        money = Money(settlement.amount, settlement.asset)
        text = f"Credit {settlement.account} with {money} that its engine says came in"
        carry_out = partial(self._approve, settlement, memo)
        return self._node.books.decisions.propose(text, memo, (self._effect(settlement),), carry_out)

    def _effect(self, settlement: Settlement) -> Effect:
        line = self._node.settlements.clearing.line_of(settlement)
        return Effect(line.name, line.asset, line.net, line.net - settlement.amount)

    def _resume(self) -> None:
        self._node.settlements.pause.end()
        self._node.settlements.go_on()

    def _void(self, settlement: Settlement, memo: Memo) -> None:
        settlements = self._node.settlements
        check_open(settlement)
        settlements.check_writable()
        settlements.clearing.void(settlement, memo)
        settlements.wake(settlement.id)

    def _approve(self, settlement: Settlement, memo: Memo) -> None:
        settlements = self._node.settlements
        settlements.check_writable()
        settlements.clearing.approve(settlement, memo)
