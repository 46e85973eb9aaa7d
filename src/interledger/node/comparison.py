"""Our books beside those of our peers: what each of the two says, and how much of a difference nothing explains.

A data directory that was restored from an old backup is sound in itself; only others know that it is old. So a node
that was started on books of its own asks every peer once, when its link is up, and tells the operator of a difference.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, NamedTuple, final

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset, format_amount
from interledger.errors import InterledgerError, LinkError, NotFoundError

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["Comparison", "Comparisons"]

logger = logging.getLogger("interledger.node")

ASK_S: Final = 10
"""A peer that does not answer by then does not say."""

SETTLE_S: Final = 3
"""Between a link's coming up and the question, and between two questions: what is in flight comes to its end."""

QUESTIONS: Final = 3
"""A difference that is there so often is none of packets on their way."""


class Comparison(NamedTuple):
    """One account in two books, in units of its asset: above zero, the peer owes us. `theirs` is None when they do not
    say; then `problem` says why. `in_flight` and `unknown`: what of ours may explain a difference."""

    account: AccountId
    asset: Asset
    ours: int
    theirs: int | None
    in_flight: int
    unknown: int
    problem: str = ""

    @property
    def difference(self) -> int | None:
        """Ours less theirs."""
        return None if self.theirs is None else self.ours - self.theirs

    @property
    def unexplained(self) -> int:
        """How much of the difference neither packets in flight nor unknown amounts of ours can explain."""
        return max(abs(self.difference or 0) - self.in_flight - self.unknown, 0)


@final
class Comparisons:
    """Asks peers what their books say (peer.balance)."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._began_at = node.clock.now()
        self._asked: set[AccountId] = set()

    async def compare(self, account: Account) -> Comparison:
        """One account. Never raises for what the peer does."""
        ledger = self._node.ledger
        line = ledger.find(account.ledger_name, account.asset)
        unknown = sum(item.amount for item in ledger.unknown.values() if item.account is line)
        try:
            async with asyncio.timeout(ASK_S):
                found = await self._node.requests.peer_position(account)
        except (LinkError, TimeoutError) as error:
            net = 0 if line is None else line.net
            return Comparison(
                account.id, account.asset, net, None, 0, unknown, str(error) or f"{account.id} did not answer"
            )
        ours = found.ours
        in_flight = ours.pending_in + ours.pending_out
        return Comparison(account.id, account.asset, ours.net, found.theirs, in_flight, unknown)

    async def compare_all(self) -> list[Comparison]:
        """Every account of another node."""
        peers = [account for account in self._node.accounts() if account.relation is not Relation.LOCAL]
        return list(await asyncio.gather(*(self.compare(account) for account in peers)))

    def link_up(self, account_id: AccountId) -> None:
        """The account's link came up: ask it once in the life of this node."""
        if account_id not in self._asked:
            self._asked.add(account_id)
            self._node.spawn(self._watch(account_id))

    async def _watch(self, account_id: AccountId) -> None:
        opening = (await asyncio.to_thread(self._node.store.history.read_openings))[0]
        if not opening.at or opening.at >= self._began_at:
            return  # new books: there is nothing that could be old
        found = None
        for _ in range(QUESTIONS):
            await asyncio.sleep(SETTLE_S)
            try:
                found = await self.compare(self._node.account(account_id))
            except NotFoundError:
                return
            except InterledgerError as error:
                logger.debug("the books of %s cannot be compared: %s", account_id, error)
                return
            if not found.unexplained:
                return
        if found is not None:
            self._node.alarm(_sentence(found))


def _sentence(found: Comparison) -> str:
    amount = format_amount(found.unexplained, found.asset)
    return (
        f"our books and those of {found.account} differ by {amount} {found.asset.code} that nothing of ours explains: "
        "is one of the two restored from an old backup? Look:  ilp ledger compare"
    )
