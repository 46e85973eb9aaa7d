"""Accounts, rates and routes are changed by the operator while packets flow: none is lost, and none is in doubt."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from fractions import Fraction

from loopback import account, agree, btp_dialler, btp_listener, line, net, pointer, running, settings, until

from interledger.accounts.account import AccountId, Relation
from interledger.node.node import Node

AMOUNT = 2 * 10**9
"""2,000 packets."""

WORST_RATE = Fraction(100, 127)
"""USD to EUR, of those that the operator sets meanwhile: less than 1 % below the quoted one, so no payer minds."""


async def operate(hub: Node, stop: asyncio.Event) -> int:
    """One change after the other, until told to stop. How many rounds there were."""
    rounds = 0
    while not stop.is_set():
        rounds += 1
        even = rounds % 2 == 0
        await hub.set_rates({"USD": "1", "EUR": "1.25" if even else "1.26"})
        bob, alice = hub.account("bob"), hub.account("alice")
        await hub.replace_account(replace(bob, we_owe_max=10**12 + rounds, packets_per_minute=None if even else 10**7))
        await hub.replace_account(replace(alice, owes_us_max=10**12 + rounds))
        await hub.set_static_routes({"test.elsewhere": AccountId("bob")} if even else {"test.bob": AccountId("bob")})
        await hub.create_account(account("guest", "USD/9", "test.hub.guest"))
        await hub.delete_account("guest")
        await asyncio.sleep(0.005)
    return rounds


async def test_accounts_rates_and_routes_change_while_packets_flow() -> None:
    async with (
        running(settings("test.alice")) as alice,
        running(settings("test.hub")) as hub,
        running(settings("test.bob")) as bob,
    ):
        link = btp_listener("hub", "alice")
        await hub.create_account(
            account("alice", "USD/9", "test.alice", Relation.PEER, link, packet_amount_max=AMOUNT // 2_000)
        )
        await bob.create_account(account("hub", "EUR/9", "test.hub", Relation.PEER, btp_listener("bob", "hub")))
        await bob.create_account(account("bob", "EUR/9", "test.bob.bob"))
        await alice.create_account(account("alice", "USD/9", "test.alice.alice"))
        to_hub, to_bob = btp_dialler("alice", hub, "hub"), btp_dialler("hub", bob, "bob")
        await hub.create_account(account("bob", "EUR/9", "test.bob", Relation.PEER, to_bob))
        await alice.create_account(account("hub", "USD/9", "test.hub", Relation.PEER, to_hub))
        await alice.set_static_routes({"test": AccountId("hub")})
        await until(lambda: alice.link_status("hub").up and hub.link_status("bob").up)

        stop = asyncio.Event()
        payment = alice.pay("alice", pointer(bob, "bob"), send=AMOUNT)
        await until(lambda: payment.fulfilled >= 50)
        operating = asyncio.create_task(operate(hub, stop))
        try:
            await payment.done()
        finally:
            stop.set()
        assert await operating >= 3
        assert payment.state == "delivered", payment.error
        assert (payment.sent, payment.unknown) == (AMOUNT, 0)
        assert AMOUNT * WORST_RATE <= payment.delivered <= AMOUNT * Fraction("0.8")
        await until(lambda: all(node.status().in_flight == 0 for node in (alice, hub, bob)))
        assert (net(alice, "hub"), net(hub, "alice")) == (-AMOUNT, AMOUNT)
        assert (net(hub, "bob"), net(bob, "hub")) == (-payment.delivered, payment.delivered)
        assert all(node.ledger.unknown == {} for node in (alice, hub, bob))


async def test_links_are_made_anew_while_packets_flow() -> None:
    """By BTP and by HTTP, again and again: what is in flight comes home first, and nothing is in doubt."""
    async with line(packet_amount_max=AMOUNT // 2_000) as (alice, hub, bob):
        payment = alice.pay("alice", pointer(bob, "bob"), send=AMOUNT)
        await until(lambda: payment.fulfilled >= 50)
        made: list[object] = []
        while payment.ended_at is None:
            for node, name in ((alice, "hub"), (hub, "bob")):
                old = node.account(name)
                url = (
                    None if old.link.http_callback_url else "http://127.0.0.1/elsewhere"
                )  # of no use, and another link
                before = node.connector.peers[old.id].link
                await node.replace_account(replace(old, link=replace(old.link, http_callback_url=url)))
                made.append(node.connector.peers[old.id].link is not before)
                await until(lambda node=node, name=name: node.link_status(name).up)  # type: ignore[misc]  # bound now
            await asyncio.sleep(0.1)
        assert len(made) >= 4
        assert all(made)
        assert (payment.state, payment.sent, payment.unknown) == ("delivered", AMOUNT, 0), payment.error
        await until(lambda: all(node.status().in_flight == 0 for node in (alice, hub, bob)))
        assert agree(alice, "hub", hub, "alice")
        assert agree(hub, "bob", bob, "hub")
        assert all(node.ledger.unknown == {} for node in (alice, hub, bob))
