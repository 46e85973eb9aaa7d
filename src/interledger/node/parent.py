"""The node's own address: its parent gives it (ILDCP, RFC 31), and everything below it moves along when it changes.

The parent is asked when its link comes up, when it says that something changed, and from time to time: a parent of
another kind says nothing. While it does not answer, or answers what cannot be used, it is asked again, less and less
often.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, final

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import NO_CURRENCY, Asset, parse_asset
from interledger.clock import Timestamp
from interledger.connector.guards import Refused
from interledger.errors import InvalidRequestError, LinkError
from interledger.ilp.address import Address, is_address, is_prefix_of, same_network, scheme_of
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.ildcp import ILDCP_CHANGED, ChildConfig, changed_notice
from interledger.ilp.packet import Fulfill, Prepare
from interledger.ilp.peer import PEER_FULFILLMENT

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["OwnAddress", "address_at_start", "refuse_config"]

logger = logging.getLogger("interledger.node")

FACT: Final = "own_address"
"""Under this name the store keeps the address that a parent gave, and the one that the settings had then."""

RETRY_MS: Final = (1_000, 2_000, 5_000, 15_000, 60_000)
"""Waits between questions to a parent that does not answer; the last one is repeated."""

ASK_AGAIN_MS: Final = 900_000
"""A parent that has answered is asked again after a quarter of an hour: few octets, against an address that is lost."""

ASK_TIMEOUT_MS: Final = 10_000
"""A link may be lost while its answer is awaited: it is not waited for until the request expires."""

ASK_GAP_MS: Final = 1_000
"""The least time between two questions, however often a parent says that something changed."""

GIVEN_LENGTH_MAX: Final = 512
"""The longest address that is taken: half of what an address may have, so that children and receivers fit below it."""

TELL_AT_ONCE: Final = 20
"""Children that are told at a time, and may not answer."""

UNDECIDED: Final = ("local", "private", "example", "self")
"""Schemes of an address that says nothing of the network a node belongs to: a parent may give one of any network."""


def address_at_start(configured: Address, facts: Mapping[str, Any]) -> Address:
    """What a parent gave in an earlier life, unless the settings have changed since; else what the settings say."""
    fact = facts.get(FACT)
    if not isinstance(fact, dict) or fact.get("configured") != configured:
        return configured
    given = fact.get("given")
    return Address(given) if isinstance(given, str) and is_address(given) else configured


def refuse_config(config: ChildConfig, parent: Account, configured: str) -> str | None:
    """Why a parent's answer cannot be used, or None. `configured`: the address that the settings give the node.

    That it is an address, and that the answer's fulfillment is the zeros of RFC 31, is known by now.
    """
    own, given = scheme_of(configured), scheme_of(config.address)
    if given in ("peer", "self") or (own not in UNDECIDED and not same_network(given, own)):
        return f"{parent.id} gives us {config.address}, which is of another network than {configured}"
    if len(config.address) > GIVEN_LENGTH_MAX:
        return (
            f"{parent.id} gives us an address of {len(config.address)} characters, at most {GIVEN_LENGTH_MAX} are taken"
        )
    if config.address == parent.ilp_address:
        return f"{parent.id} gives us its own address, {config.address}"
    try:
        asset = parse_asset(f"{config.asset_code}/{config.asset_scale}")
    except InvalidRequestError as error:
        return f"{parent.id} accounts in what is no asset: {error}"
    if parent.asset not in (asset, NO_CURRENCY):
        return f"{parent.id} accounts in {asset}, we in {parent.asset}"
    return None


@final
class OwnAddress:
    """Asks the parent, and moves the node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._asks = False
        self._again = asyncio.Event()
        node.connector.services.peer_protocols[ILDCP_CHANGED] = self._receive_notice

    def link_up(self, account_id: AccountId) -> None:
        """The account's link came up: routes are exchanged over it, and a parent is asked."""
        self._node.live.reports.link_changed(account_id)
        self._node.learned.link_up(account_id)
        self._node.books.comparisons.link_up(account_id)
        self._node.books.statements.link_up(account_id)
        parent = self._parent()
        if parent is not None and parent.id == account_id:
            self._ask_soon()

    # ------------------------------------------------------------------ as a child

    def _parent(self) -> Account | None:
        return next((account for account in self._node.accounts() if account.relation is Relation.PARENT), None)

    def _receive_notice(self, account: Account, prepare: Prepare, now: Timestamp) -> Fulfill | Refused:
        """The parent says that we should ask again. Nothing else in it is believed."""
        if account.relation is not Relation.PARENT:
            return Refused(ErrorCode.F00_BAD_REQUEST, "you are not the parent of this node")
        self._ask_soon()
        return Fulfill(PEER_FULFILLMENT)

    def _ask_soon(self) -> None:
        self._again.set()
        if not self._asks:
            self._asks = True
            self._node.spawn(self._ask_on())

    async def _ask_on(self) -> None:
        """As long as there is a parent."""
        failures = 0
        last = ""
        try:
            while (parent := self._parent()) is not None:
                self._again.clear()
                trouble = await self._ask(parent)
                if trouble and trouble != last and self._node.has_account(parent):
                    self._node.alarm(trouble)
                last = trouble
                failures = failures + 1 if trouble else 0
                wait_ms = RETRY_MS[min(failures, len(RETRY_MS)) - 1] if trouble else ASK_AGAIN_MS
                await asyncio.sleep(min(ASK_GAP_MS, wait_ms) / 1000)
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(wait_ms - ASK_GAP_MS, 0) / 1000):
                        await self._again.wait()
        finally:
            self._asks = False

    async def _ask(self, parent: Account) -> str:
        """One question, and what follows from its answer. Returns what is wrong, or nothing."""
        try:
            async with asyncio.timeout(ASK_TIMEOUT_MS / 1000):
                config = await self._node.requests.fetch_config(parent.id)
        except LinkError as error:
            return str(error)
        except TimeoutError:
            return f"{parent.id} does not say who we are"
        if not self._node.has_account(parent):
            return ""
        trouble = refuse_config(config, parent, self._node.settings.ilp_address)
        if trouble is not None:
            return trouble
        if parent.asset == NO_CURRENCY:
            asset = Asset(config.asset_code, config.asset_scale)
            await self._node.replace_account(replace(parent, asset=asset))
        await self.move_to(config.address)
        return ""

    # ------------------------------------------------------------------ moving

    async def move_to(self, address: Address) -> None:
        """Move to another address: receivers, and every account whose address lies below ours, move along.

        Links and packets in flight stay. Children are told to ask for their new addresses.
        """
        node, old = self._node, self._node.address
        if address == old:
            return
        node.connector.address = address
        node.wallets.set_address(address)
        node.links.set_address(address)
        node.store.put_fact(FACT, {"configured": node.settings.ilp_address, "given": address})
        node.derive_routes()
        children = []
        for account in node.accounts():
            if account.relation is Relation.PARENT or not is_prefix_of(old, account.ilp_address):
                continue
            moved = replace(account, ilp_address=Address(address + account.ilp_address[len(old) :]))
            node.changes.rename(moved)
            if moved.relation is Relation.CHILD:
                children.append(moved.id)
        await node.commit()
        logger.info("the address of this node is %s now", address)
        node.spawn(self._tell(children))

    # ------------------------------------------------------------------ as a parent

    async def _tell(self, children: list[AccountId]) -> None:
        """Have them ask again. Who does not understand learns of it when it asks for a reason of its own."""
        for first in range(0, len(children), TELL_AT_ONCE):
            await asyncio.gather(*(self._tell_one(child) for child in children[first : first + TELL_AT_ONCE]))

    async def _tell_one(self, child: AccountId) -> None:
        try:
            await self._node.requests.ask(child, changed_notice(self._node.clock.now()))
        except LinkError as error:
            logger.info("%s was not told of its new address: %s", child, error)
