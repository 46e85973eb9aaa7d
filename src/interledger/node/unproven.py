"""Claims that peers do not count (`accounts/unproven.py`): what a running node and its operator do about them.

A peer that exchanges statements says itself what it does not count. Of another one the operator is told, by the peer's
operator. The amount is set aside with its proof then.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, final

from interledger.accounts.account import Account
from interledger.accounts.asset import format_amount
from interledger.accounts.books.memo import Memo, parse_reason
from interledger.accounts.unproven import Unproven, unproven_name
from interledger.application.statement.claims import ClaimIndex
from interledger.application.statement.findings import Findings
from interledger.application.statement.resolving import settle_claims
from interledger.errors import ConflictError, NotFoundError, StoreError
from interledger.node.decisions import Decision, Decisions, Effect

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["Claims", "settle_claims_of"]

logger = logging.getLogger("interledger.node")


class _Packet(NamedTuple):
    """One that the peer sent and that was fulfilled."""

    amount: int
    fulfillment: bytes


def settle_claims_of(node: Node, account: Account, findings: Findings, index: ClaimIndex) -> None:
    """What a statement of `account` says of claims is recorded; the caller commits. New ones are an alarm."""
    line = node.ledger.account(account.ledger_name, account.asset)
    received = index.of(account.ledger_name, account.asset, incoming=True)
    new, back = settle_claims(node.ledger, findings, line, received, account.id, node.clock.now())
    if back:
        logger.info("%d claims on %s that it did not count are owed after all", len(back), account.id)
    if new:
        amount = format_amount(sum(item.amount for item in new), account.asset)
        node.alarm(
            f"{account.id} does not count {amount} {account.asset.code} of packets that were fulfilled for it: it says"
            " that it heard so too late. Look:  ilp unproven list"
        )


@final
class Claims:
    """What the operator sees of them, and decides in two steps."""

    def __init__(self, node: Node, decisions: Decisions) -> None:
        self._node = node
        self._decisions = decisions

    def all(self) -> list[Unproven]:
        """Oldest first."""
        return sorted(self._node.ledger.unproven.items.values(), key=lambda item: item.id)

    def one(self, item_id: int) -> Unproven:
        """Raises `NotFoundError`."""
        item = self._node.ledger.unproven.items.get(item_id)
        if item is None:
            raise NotFoundError(f"There is no claim unp_{item_id}; it may be closed already.")
        return item

    def propose_end(self, item_ids: Sequence[int], *, owed: bool, reason: str, by: str) -> Decision:
        """The first step: the peer owes them after all (`owed`), or they are our loss. Raises `NotFoundError`."""
        items = [self.one(item_id) for item_id in item_ids]
        memo = Memo("resolution", by, parse_reason(reason), self._decisions.new_id())
        effects, parts = [], []
        for account in dict.fromkeys(item.account for item in items):
            asset, amount = account.asset, sum(item.amount for item in items if item.account is account)
            parts.append(f"{format_amount(amount, asset)} {asset.code} of {account.name}")
            other = account.name if owed else f"loss/{asset}"
            for name, change in ((unproven_name(account.name), -amount), (other, amount)):
                line = self._node.ledger.find(name, asset)
                before = 0 if line is None else line.net
                effects.append(Effect(name, asset, before, before + change))
        verdict = "it is owed after all" if owed else "it is our loss"
        text = f"{' and '.join(parts)}, fulfilled and not counted there: {verdict}"
        return self._decisions.propose(text, memo, tuple(effects), partial(self._end, tuple(item_ids), owed, memo))

    # ------------------------------------------------------------------ setting aside

    async def propose_beginning(self, account_id: str, condition: bytes, *, reason: str, by: str) -> Decision:
        """The first step: the peer does not count this packet of its own. Raises `NotFoundError`, `ConflictError`."""
        account = self._node.account(account_id)
        packet = self._find(await self._node.books.statements.read(), account, condition)
        memo = Memo("unproven", by, parse_reason(reason), self._decisions.new_id())
        line, asset = self._node.ledger.account(account.ledger_name, account.asset), account.asset
        other = self._node.ledger.find(unproven_name(line.name), asset)
        before = 0 if other is None else other.net
        effects = (
            Effect(line.name, asset, line.net, line.net - packet.amount),
            Effect(unproven_name(line.name), asset, before, before + packet.amount),
        )
        text = f"{format_amount(packet.amount, asset)} {asset.code}, fulfilled for {account_id}: it does not count it"
        return self._decisions.propose(text, memo, effects, partial(self._begin, account, packet, memo))

    def _begin(self, account: Account, packet: _Packet, memo: Memo) -> None:
        if self._node.read_only:
            raise StoreError("the books cannot be written now, so nothing can be decided")
        line, now = self._node.ledger.account(account.ledger_name, account.asset), self._node.clock.now()
        self._node.ledger.unproven.set_aside(line, packet.amount, packet.fulfillment, now, memo.encode())

    def _find(self, index: ClaimIndex, account: Account, condition: bytes) -> _Packet:
        """A packet of the account's peer with this condition that is not set aside, nor written off."""
        name, asset = account.ledger_name, account.asset
        received, lost = index.of(name, asset, incoming=True), index.lost(name, asset)
        aside = [item for item in self.all() if item.account.name == name and item.account.asset == asset]
        known = False
        for entry in received.entries(0, self._node.clock.now() + 1, condition):
            number, proof = received.count_of(entry.key)
            amount, known = int.from_bytes(entry.key[32:], "big"), True
            gone = lost.get(entry.key, 0) + sum(
                1 for item in aside if (item.condition, item.amount) == (condition, amount)
            )
            if proof is not None and gone < number:
                return _Packet(amount, proof)
        if known:
            raise ConflictError(f"That packet of “{account.id}” is set aside already, or written off.")
        raise NotFoundError(
            f"No packet of “{account.id}” with that condition was fulfilled, as far as the journal goes."
        )

    def _end(self, item_ids: tuple[int, ...], owed: bool, memo: Memo) -> None:
        items = [self.one(item_id) for item_id in item_ids]
        if self._node.read_only:
            raise StoreError("the books cannot be written now, so nothing can be decided")
        for item in items:
            self._node.ledger.unproven.close(item, owed=owed, memo=memo.encode())
