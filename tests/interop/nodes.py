"""A node of ours in the test's own process, on a free port, with its books in memory."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from fractions import Fraction
from typing import Any

from interledger.accounts.account import Account, AccountId, LinkSettings, Relation
from interledger.accounts.asset import parse_asset
from interledger.ilp.address import Address
from interledger.node.node import Node
from interledger.node.settings import Settings

TOKEN = "a-token-that-both-sides-know-0123456789abcdef"


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def account(name: str, asset: str, relation: Relation = Relation.CHILD, *, address: str = "", **link: str) -> Account:
    """An account of node `test.hub`. Incoming tokens are given in clear."""
    settings = {(k + "_digest" if k.endswith("incoming_token") else k): v for k, v in link.items()}
    for key in settings:
        if key.endswith("_digest"):
            settings[key] = digest(settings[key])
    return Account(
        id=AccountId(name),
        asset=parse_asset(asset),
        ilp_address=Address(address or f"test.hub.{name}"),
        relation=relation,
        link=LinkSettings(**settings),
    )


def js_account(name: str, asset: str, kind: str, js_port: int, token: str = TOKEN) -> Account:
    """A JavaScript peer's account: it dials us by BTP, or both call each other by HTTP (it listens on `js_port`)."""
    if kind == "btp":
        return account(name, asset, btp_incoming_token=token)
    return account(
        name,
        asset,
        http_incoming_token=token,
        http_url=f"http://127.0.0.1:{js_port}/",
        http_outgoing_token=token,
    )


def js_link(name: str, kind: str, node: Node, js_port: int) -> dict[str, Any]:
    """The peer's side of that account, as `peers/link.js` reads it."""
    if kind == "btp":
        return {"btp": f"btp+ws://{name}:{TOKEN}@127.0.0.1:{node.port}/accounts/{name}/ilp/btp"}
    return {"http": {"port": js_port, "url": f"http://127.0.0.1:{node.port}/accounts/{name}/ilp", "token": TOKEN}}


@asynccontextmanager
async def running_node(
    *accounts: Account,
    rates: Mapping[str, str] | None = None,
    routes: Mapping[str, str] | None = None,
    spread: str = "0",
    address: str = "test.hub",
    **more: Any,
) -> AsyncIterator[Node]:
    """A started node with these accounts; stopped at the end, its books checked."""
    node = Node(
        Settings(
            ilp_address=address,
            secret_seed=bytes(range(32)),
            admin_auth_token="admin" * 8,
            http_bind_address="127.0.0.1:0",
            durability="memory",
            development=True,
            spread=Fraction(spread),
            accounts=accounts,
            rates=rates or {"USD": "1", "EUR": "2"},
            routes=routes or {},
            **more,
        )
    )
    await node.start()
    try:
        yield node
    finally:
        await node.stop()
        assert node.ledger.check() == []


def net(node: Node, name: str) -> int:
    """What the account owes us, less what we owe it, in its units."""
    return node.position(name).net


async def until_up(node: Node, name: str) -> None:
    """Wait until the account's link is up."""
    async with asyncio.timeout(15):
        while not node.link_status(name).up:  # noqa: ASYNC110 - the node has no event for it
            await asyncio.sleep(0.01)


async def until_settled(node: Node) -> None:
    """Wait until nothing is in flight."""
    async with asyncio.timeout(15):
        while node.ledger.holds:  # noqa: ASYNC110 - the ledger has no event for it
            await asyncio.sleep(0.01)
