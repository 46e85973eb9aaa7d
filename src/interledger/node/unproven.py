"""Claims that peers do not count (`accounts/unproven.py`): what a running node and its operator do about them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, final

from interledger.accounts.account import Account
from interledger.accounts.asset import format_amount
from interledger.accounts.books.memo import Memo, parse_reason
from interledger.accounts.unproven import Unproven, unproven_name
from interledger.application.statement.claims import ClaimIndex
from interledger.application.statement.findings import Findings
from interledger.application.statement.resolving import settle_claims
from interledger.errors import NotFoundError, StoreError
from interledger.node.decisions import Decision, Decisions, Effect

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["Claims", "settle_claims_of"]

logger = logging.getLogger("interledger.node")


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

    def _end(self, item_ids: tuple[int, ...], owed: bool, memo: Memo) -> None:
        items = [self.one(item_id) for item_id in item_ids]
        if self._node.read_only:
            raise StoreError("the books cannot be written now, so nothing can be decided")
        for item in items:
            self._node.ledger.unproven.close(item, owed=owed, memo=memo.encode())
