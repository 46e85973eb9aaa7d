"""The node's own address: its parent gives it (ILDCP, RFC 31), and everything below it moves along when it changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, final

from interledger.accounts.account import Account, AccountId, Relation
from interledger.errors import LinkError
from interledger.ilp.address import Address, is_address, is_prefix_of

if TYPE_CHECKING:
    from interledger.ilp.ildcp import ChildConfig
    from interledger.node.node import Node

__all__ = ["OwnAddress", "address_at_start"]

logger = logging.getLogger("interledger.node")

FACT: Final = "own_address"
"""Under this name the store keeps the address that a parent gave, and the one that the settings had then."""

RETRY_MS: Final = (1_000, 2_000, 5_000, 15_000, 60_000)
"""Waits between questions to a parent that does not answer; the last one is repeated."""


def address_at_start(configured: Address, facts: Mapping[str, Any]) -> Address:
    """What a parent gave in an earlier life, unless the settings have changed since; else what the settings say."""
    fact = facts.get(FACT)
    if not isinstance(fact, dict) or fact.get("configured") != configured:
        return configured
    given = fact.get("given")
    return Address(given) if isinstance(given, str) and is_address(given) else configured


@final
class OwnAddress:
    """Asks the parent whenever its link comes up, and moves the node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._asking = False

    def link_up(self, account_id: AccountId) -> None:
        """The account's link came up: routes are exchanged over it, and a parent is asked, unless somebody asks now."""
        self._node.learned.link_up(account_id)
        for account in self._node.accounts():
            if account.id == account_id and account.relation is Relation.PARENT and not self._asking:
                self._asking = True
                self._node.spawn(self._ask(account))

    async def _ask(self, parent: Account) -> None:
        """Until the parent answers, or is no longer our parent: what is reached by HTTP may start after us."""
        failures = 0
        try:
            while self._node.has_account(parent):
                try:
                    await self._use(parent, await self._node.requests.fetch_config(parent.id))
                except LinkError as error:
                    if failures == 0:
                        self._node.alarm(str(error))
                else:
                    return
                await asyncio.sleep(RETRY_MS[min(failures, len(RETRY_MS) - 1)] / 1000)
                failures += 1
        finally:
            self._asking = False

    async def _use(self, parent: Account, config: ChildConfig) -> None:
        if (config.asset_code, config.asset_scale) != parent.asset:
            self._node.alarm(f"{parent.id} accounts in {config.asset_code}/{config.asset_scale}, we in {parent.asset}")
            return
        await self.move_to(config.address)

    async def move_to(self, address: Address) -> None:
        """Move to another address: receivers, and every account whose address lies below ours, move along.

        A child's link is made anew, because a child asks for its address when its link comes up.
        """
        node, old = self._node, self._node.address
        if address == old:
            return
        node.connector.address = address
        node.wallets.set_address(address)
        node.links.set_address(address)
        node.store.put_fact(FACT, {"configured": node.settings.ilp_address, "given": address})
        node.derive_routes()
        for account in node.accounts():
            if account.relation is Relation.PARENT or not is_prefix_of(old, account.ilp_address):
                continue
            moved = replace(account, ilp_address=Address(address + account.ilp_address[len(old) :]))
            if account.relation is Relation.CHILD:
                await node.replace_account(moved)
            else:
                await node.rename_account(moved)
        await node.commit()
        logger.info("the address of this node is %s now", address)
