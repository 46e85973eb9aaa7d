"""K1: the shells of links may be cancelled at any await. No socket stays, and the link can be made again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from interledger.accounts.account import LinkSettings, Relation
from interledger.node.node import Node
from interledger.store.memory import MemoryStore
from tests.node.loopback import account, btp_dialler, btp_listener, http_link, pointer, running, settings, until
from tests.support.cancel_sweep import sweep

pytestmark = pytest.mark.slow


@dataclass
class Linked:
    """carol reaches hub; both ends have paid each other already."""

    hub: Node
    carol: Node
    link: LinkSettings

    async def pay(self) -> None:
        """One payment each way: the link carries both, and both books say the same."""
        there = self.carol.pay("carol", pointer(self.hub, "hal"), send=1_000)
        back = self.hub.pay("hal", pointer(self.carol, "carol"), send=1_000)
        for payment in (there, back):
            await payment.done()
            assert payment.delivered == 1_000
        assert self.carol.position("hub").net == -self.hub.position("carol").net

    async def check(self) -> None:
        """It works, or it can be made to."""
        await until(lambda: self.carol.link_status("hub").up and self.hub.link_status("carol").up)
        await self.pay()
        for node in (self.hub, self.carol):
            assert not node.ledger.holds


@asynccontextmanager
async def linked(kind: str) -> AsyncIterator[Linked]:
    async with (
        running(settings("test.hub"), MemoryStore()) as hub,
        running(settings("test.carol"), MemoryStore()) as carol,
    ):
        is_btp = kind == "btp"
        there = btp_dialler("carol", hub, "hub") if is_btp else http_link("carol", hub, "hub")
        here = btp_listener("hub", "carol") if is_btp else http_link("hub", carol, "carol")
        await hub.create_account(account("carol", "USD/9", "test.carol", Relation.PEER, here, owes_us_max=10**9))
        await carol.create_account(account("hub", "USD/9", "test.hub", Relation.PEER, there, owes_us_max=10**9))
        await hub.create_account(account("hal", "USD/9", "test.hub.hal"))
        await carol.create_account(account("carol", "USD/9", "test.carol.carol"))
        made = Linked(hub, carol, there)
        await until(lambda: carol.link_status("hub").up and hub.link_status("carol").up)
        await made.pay()
        yield made


async def close_btp(world: Linked) -> None:
    await world.carol.links.btp._clients[world.carol.account("hub").id].stop()


async def remake(world: Linked) -> None:
    """Another limit, so another link in the place of this one."""
    hub = world.carol.account("hub")
    await world.carol.replace_account(replace(hub, packet_amount_max=(hub.packet_amount_max or 10**6) - 1))


ACTS = [("btp", close_btp), ("btp", remake), ("http", remake)]


@pytest.mark.parametrize(("kind", "act"), ACTS)
async def test_K1_a_link_is_closed_or_made_anew(kind: str, act: Callable[[Linked], Awaitable[None]]) -> None:
    async def check(world: Linked) -> None:
        await act(world)
        if act is close_btp:
            await until(lambda: not world.hub.link_status("carol").up)
            world.carol.links.btp.start()
        await world.check()

    assert await sweep(lambda: linked(kind), act, check) > 0


async def test_K1_dialling_leaves_no_socket_behind() -> None:
    async def dial(world: Linked) -> None:
        client = world.carol.links.btp._clients[world.carol.account("hub").id]
        await client.stop()
        await until(lambda: not world.hub.link_status("carol").up)
        try:
            async with asyncio.timeout(0.5):
                await client.run()
        except TimeoutError:
            return  # it was up, and waited for its end

    async def check(world: Linked) -> None:
        await close_btp(world)
        await until(lambda: not world.hub.link_status("carol").up)
        world.carol.links.btp.start()
        await world.check()

    assert await sweep(lambda: linked("btp"), dial, check) > 3
