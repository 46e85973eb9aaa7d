"""K1: whoever waits for the node may be cancelled at any await. Nothing is half made, nothing leaks, no hold stays.

Each entry point runs to its end once for every await it has, and is cancelled there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from interledger.accounts.account import AccountId, LinkSettings, Relation
from interledger.accounts.asset import Asset
from interledger.accounts.books.period import Period
from interledger.accounts.ledger import Ledger
from interledger.application.peering.records import InviteTerms, JoinTerms
from interledger.errors import InterledgerError
from interledger.ilp.address import Address
from interledger.link.btp.messages import ProtocolData
from interledger.node.node import Node
from interledger.store.memory import MemoryStore
from tests.node.loopback import account, digest, pointer, running, settings, until
from tests.support.cancel_sweep import One, one_node, sweep

pytestmark = pytest.mark.slow

USD = Asset("USD", 9)
BILLION = 10**9


async def pay(one: One) -> None:
    await one.node.pay("alice", pointer(one.node, "bob"), send=BILLION).done()


async def quote(one: One) -> None:
    await one.node.quote("alice", pointer(one.node, "bob"), send=BILLION)


async def replace_account(one: One) -> None:
    peer = one.node.account("peer")
    await one.node.replace_account(replace(peer, owes_us_max=7, link=LinkSettings()))


ACTS: dict[str, Callable[[One], Awaitable[object]]] = {
    "create_account": lambda one: one.node.create_account(account("new", "USD/2", "test.hub.new")),
    "replace_account": replace_account,
    "rename_account": lambda one: one.node.rename_account(
        replace(one.node.account("alice"), ilp_address=Address("test.hub.other"))
    ),
    "delete_account": lambda one: one.node.delete_account("peer"),
    "set_static_routes": lambda one: one.node.set_static_routes({"test.farther": "alice"}),
    "set_rates": lambda one: one.node.set_rates({"USD": "2"}),
    "set_address": lambda one: one.node.set_address(Address("test.moved")),
    "quote": quote,
    "pay": pay,
    "ping": lambda one: one.node.requests.ping("test.hub.alice"),
    "ping a peer that is away": lambda one: one.node.requests.ping("test.peer", timeout_ms=200),
    "peer_position": lambda one: one.node.requests.peer_position(one.node.account("peer")),
    "books.check": lambda one: one.node.books.check(),
    "books.compare": lambda one: one.node.books.compare(),
    "books.profit": lambda one: one.node.books.profit(Period()),
    "invite": lambda one: one.node.peering.invite(InviteTerms(asset=USD, relation=Relation.CHILD)),
    "stop": lambda one: one.node.stop(),
}


MAY_BE_REFUSED = ("create_account", "delete_account", "peer_position", "ping a peer that is away")


@pytest.mark.parametrize("name", ACTS)
async def test_K1_who_waits_may_be_cancelled_at_any_await(name: str) -> None:
    act = ACTS[name]

    async def check(one: One) -> None:
        node = one.node
        if name == "stop":
            await node.stop()
            return
        await one.check()
        # What was asked for can be asked for again, or has been done.
        try:
            async with asyncio.timeout(10):
                await act(one)
        except InterledgerError:
            assert name in MAY_BE_REFUSED

    assert await sweep(one_node, act, check) > 0


async def test_K1_a_start_that_is_cancelled_leaves_nothing_behind() -> None:
    @asynccontextmanager
    async def nothing() -> AsyncIterator[Node]:
        yield Node(settings("test.hub"), store=MemoryStore())

    assert await sweep(nothing, lambda node: node.start(), lambda node: node.stop()) > 1


# ---------------------------------------------------------------------- two nodes


@dataclass
class Two:
    hub: Node
    carol: Node
    stores: tuple[MemoryStore, MemoryStore]


@asynccontextmanager
async def two() -> AsyncIterator[Two]:
    stores = MemoryStore(), MemoryStore()
    async with running(settings("test.hub"), stores[0]) as hub, running(settings("test.carol"), stores[1]) as carol:
        yield Two(hub, carol, stores)


async def test_K1_a_join_that_is_cancelled_can_be_done_again_and_makes_one_account() -> None:
    invitations: dict[int, Any] = {}

    async def accept(two: Two) -> None:
        invitation = invitations.get(id(two))
        if invitation is None:
            terms = InviteTerms(asset=USD, relation=Relation.PEER)
            _, invitation = invitations[id(two)] = await two.hub.peering.invite(terms)
        else:
            _, invitation = invitation
        await two.carol.peering.accept(invitation, JoinTerms())

    async def check(both: Two) -> None:
        await accept(both)
        assert [len(node.accounts()) for node in (both.hub, both.carol)] == [1, 1]
        for node, store in zip((both.hub, both.carol), both.stores, strict=True):
            await node.commit()
            assert store.load(Ledger()).accounts == node.accounts()
        await until(lambda: both.hub.link_status(both.hub.accounts()[0].id).up)
        invitations.clear()

    assert await sweep(two, accept, check) > 3


async def test_K1_a_message_to_a_peer_may_be_given_up_at_any_await() -> None:
    @asynccontextmanager
    async def linked() -> AsyncIterator[Two]:
        async with two() as both:
            token = "a-token-of-carol-for-hub-0123456789"
            await both.hub.create_account(
                account(
                    "carol",
                    "USD/9",
                    "test.carol",
                    Relation.PEER,
                    LinkSettings(btp_incoming_token_digest=digest(token)),
                )
            )
            url = f"ws://127.0.0.1:{both.hub.port}/accounts/carol/ilp/btp"
            await both.carol.create_account(
                account("hub", "USD/9", "test.hub", Relation.PEER, LinkSettings(btp_url=url, btp_outgoing_token=token))
            )
            await until(lambda: both.carol.link_status("hub").up)
            yield both

    async def ask(both: Two) -> None:
        await both.carol.requests.ping("test.hub")
        await both.carol.subprotocols.send_message("hub", (ProtocolData("info", 1, b"\0"),))

    async def check(both: Two) -> None:
        link = both.carol.links.btp.find(AccountId("hub"))
        assert link is not None
        await until(lambda: not link.requests._out)
        await ask(both)

    assert await sweep(linked, ask, check) > 1
