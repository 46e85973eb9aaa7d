"""Nodes in the test's own process that reach each other over loopback: on free ports, with their API and SPSP."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from interledger.accounts.account import Account, AccountId, LinkSettings, Relation
from interledger.accounts.asset import parse_asset
from interledger.api.app import create_app
from interledger.api.engine_calls import create_settlement_app
from interledger.api.incoming_socket import create_sockets
from interledger.ilp.address import Address
from interledger.node.node import Node
from interledger.node.settings import Settings
from interledger.store.base import Store

RATES = {"USD": "1", "EUR": "1.25"}


def token(sender: str, receiver: str) -> str:
    return f"a-token-of-{sender}-for-{receiver}-0123456789"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def account(
    name: str,
    asset: str,
    address: str,
    relation: Relation = Relation.LOCAL,
    link: LinkSettings | None = None,
    **more: Any,
) -> Account:
    return Account(
        id=AccountId(name),
        asset=parse_asset(asset),
        ilp_address=Address(address),
        relation=relation,
        link=link or LinkSettings(),
        **more,
    )


def settings(address: str, place: Path | None = None, **more: Any) -> Settings:
    """Of a node at `address`, with its books in `place`, or in memory."""
    values: dict[str, Any] = {
        "ilp_address": address,
        "secret_seed": digest(address)[:32].encode(),
        "admin_auth_token": "admin-token",
        "http_bind_address": "127.0.0.1:0",
        "data_dir": str(place or "nowhere"),
        "durability": "memory" if place is None else "process",
        "development": True,
        "spread": Fraction(0),
        "rates": RATES,
        "route_broadcast": False,
    }
    return Settings(**{**values, **more})


@asynccontextmanager
async def running(of: Settings, store: Store | None = None, **parts: Any) -> AsyncIterator[Node]:
    """A node from start to stop. Its books are sound when it stops."""
    node = Node(of, store=store, **parts)
    node.upgrade = create_sockets(node)
    await node.start(create_app(node), create_settlement_app(node))
    try:
        yield node
    finally:
        await node.stop()
        assert node.ledger.check() == []


@contextmanager
def in_thread(of: Settings, *accounts: Account) -> Iterator[Node]:
    """A node in a thread of its own, for callers that wait."""
    loop = asyncio.new_event_loop()
    started, stop = threading.Event(), asyncio.Event()
    found: list[Node] = []

    async def run() -> None:
        async with running(of) as node:
            for one in accounts:
                await node.create_account(one)
            found.append(node)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    try:
        assert started.wait(10)
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def http_link(me: str, other: Node, name: str) -> LinkSettings:
    """How node `me` reaches the node `other`, called `name`, where its account is `me`."""
    return LinkSettings(
        http_url=f"http://127.0.0.1:{other.port}/accounts/{me}/ilp",
        http_outgoing_token=token(me, name),
        http_incoming_token_digest=digest(token(name, me)),
    )


def btp_dialler(me: str, other: Node, name: str) -> LinkSettings:
    """The end of a BTP link that connects."""
    url = f"ws://127.0.0.1:{other.port}/accounts/{me}/ilp/btp"
    return LinkSettings(btp_url=url, btp_outgoing_token=token(me, name))


def btp_listener(me: str, name: str) -> LinkSettings:
    """The end of a BTP link that is connected to by `name`."""
    return LinkSettings(btp_incoming_token_digest=digest(token(name, me)))


def pointer(node: Node, name: str) -> str:
    return f"$127.0.0.1:{node.port}/{name}"


def net(node: Node, name: str) -> int:
    """What the account owes the node, less what the node owes it."""
    return node.position(name).net


async def until(condition: Callable[[], object], timeout_s: float = 10) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  # what is waited for is not ours
            await asyncio.sleep(0.005)


@asynccontextmanager
async def line(
    *,
    place: Path | None = None,
    hub_spread: str = "0.002",
    hub_store: Store | None = None,
    packet_amount_max: int = 100_000_000,
    **more: Any,
) -> AsyncIterator[tuple[Node, Node, Node]]:
    """alice (USD/9) over BTP to hub, over HTTP to bob (EUR/9). What was sent is 100 packets for 10 USD."""

    def where(name: str) -> Path | None:
        return None if place is None else place / name

    async with (
        running(settings("test.hub", where("hub"), spread=Fraction(hub_spread), **more), hub_store) as hub,
        running(settings("test.alice", where("alice"), **more)) as alice,
        running(settings("test.bob", where("bob"), **more)) as bob,
    ):
        await hub.create_account(
            account(
                "alice",
                "USD/9",
                "test.alice",
                Relation.PEER,
                btp_listener("hub", "alice"),
                packet_amount_max=packet_amount_max,
            )
        )
        await hub.create_account(account("bob", "EUR/9", "test.bob", Relation.PEER, http_link("hub", bob, "bob")))
        await alice.create_account(account("alice", "USD/9", "test.alice.alice"))
        await alice.create_account(account("hub", "USD/9", "test.hub", Relation.PEER, btp_dialler("alice", hub, "hub")))
        await bob.create_account(account("bob", "EUR/9", "test.bob.bob"))
        await bob.create_account(account("hub", "EUR/9", "test.hub", Relation.PEER, http_link("bob", hub, "hub")))
        await alice.set_static_route("test", "hub")
        await until(lambda: hub.link_status("alice").up and alice.link_status("hub").up)
        yield alice, hub, bob


def agree(left: Node, name_there: str, right: Node, name_here: str) -> bool:
    """Whether two nodes have the same figure for their link. `name_there`: the right node's account at the left one."""
    return net(left, name_there) == -net(right, name_here)
