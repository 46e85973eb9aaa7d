"""Two ways from alice to bob, over left and over right: shared, and one when the other's node is gone.

    ┌─ left  ─┐
alice         bob
    └─ right ─┘
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from loopback import account, btp_dialler, btp_listener, http_link, net, pointer, running, settings, until

from interledger.accounts.account import Relation
from interledger.node.node import Node

MILLION = 1_000_000
MIDDLE = ("left", "right")


async def join(here: Node, my_name: str, there: Node, its_name: str, kind: str) -> None:
    """Two peers in USD; `there` is called by `here`."""
    mine, its = (
        (btp_dialler(my_name, there, its_name), btp_listener(its_name, my_name))
        if kind == "BTP"
        else (http_link(my_name, there, its_name), http_link(its_name, here, my_name))
    )
    await there.create_account(
        account(my_name, "USD/9", f"test.{my_name}", Relation.PEER, its, packet_amount_max=MILLION)
    )
    await here.create_account(account(its_name, "USD/9", f"test.{its_name}", Relation.PEER, mine))


@asynccontextmanager
async def diamond(kind: str) -> AsyncIterator[tuple[Node, dict[str, Node], Node]]:
    async with (
        running(settings("test.left", route_broadcast=False)) as left,
        running(settings("test.right", route_broadcast=False)) as right,
        running(settings("test.alice", route_broadcast=False)) as alice,
        running(settings("test.bob", route_broadcast=False)) as bob,
    ):
        middle = {"left": left, "right": right}
        for end, name in ((alice, "alice"), (bob, "bob")):
            await end.create_account(account(name, "USD/9", f"test.{name}.{name}"))
            for which, node in middle.items():
                await join(end, name, node, which, kind)
        await bob.set_static_routes({"test.alice": "left/right"})
        for which, node in middle.items():
            await until(lambda node=node: node.link_status("bob").up and node.link_status("alice").up)  # type: ignore[misc]  # bound now
            await until(lambda which=which: alice.link_status(which).up and bob.link_status(which).up)  # type: ignore[misc]  # bound now
        yield alice, middle, bob


async def pay(alice: Node, bob: Node, packets: int) -> str:
    payment = await alice.pay("alice", pointer(bob, "bob"), send=packets * MILLION).done()
    assert payment.delivered == payment.sent == packets * MILLION
    return payment.state


@pytest.mark.parametrize("kind", ["BTP", "HTTP"])
async def test_the_other_way_is_taken_when_a_node_is_gone_and_left_when_it_is_back(kind: str) -> None:
    async with diamond(kind) as (alice, middle, bob):
        await alice.set_static_routes({"test.bob": "left/right"})
        assert await pay(alice, bob, 10) == "delivered"
        assert (net(alice, "left"), net(alice, "right")) == (-10 * MILLION, 0)
        await middle["left"].stop()
        if kind == "BTP":
            await until(lambda: not alice.link_status("left").up)
        assert await pay(alice, bob, 10) == "delivered"
        assert (net(alice, "left"), net(alice, "right")) == (-10 * MILLION, -10 * MILLION)
        explained = alice.explainer.explain("test.bob.x", "alice", 1)
        assert [one.why_not for one in explained.verdict.candidates][:2] == ["its link is down", ""]


async def test_packets_are_shared_by_weight_to_the_packet() -> None:
    async with diamond("BTP") as (alice, _, bob):
        await alice.set_static_routes({"test.bob": "left:3,right"})
        assert await pay(alice, bob, 40) == "delivered"
        shares = net(alice, "left"), net(alice, "right")
        assert sum(shares) == -40 * MILLION
        # Probes and the packet sizes that a sender tries take turns too.
        assert -32 * MILLION <= shares[0] <= -28 * MILLION
