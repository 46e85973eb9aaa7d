"""What becomes of packets whose link is made anew: who is waited for, who is refused, what stays as it was."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from loopback import account, http_link, line, running, settings

from interledger.accounts.account import Account, Relation
from interledger.connector.guards import Refused
from interledger.connector.peer import Peer
from interledger.errors import ConflictError
from interledger.ilp.packet import Prepare
from interledger.link.base import RequestId
from interledger.node.draining import CHANGING, drained
from interledger.node.node import Node


def other_link(of: Account) -> Account:
    return replace(of, link=replace(of.link, http_callback_url="http://127.0.0.1/elsewhere"))


def refused(node: Node, name: str) -> Refused | None:
    """What the first guard says to a packet of this account."""
    peer = node.connector.peers[node.account(name).id]
    now = node.clock.now()
    packet = Prepare(1, now + 1_000, bytes(32), "test.x", b"")
    return peer.guards[0](packet, now) if peer.guards else None


def under_way(hub: Node) -> tuple[Peer, RequestId]:
    """A packet from alice that bob has not answered yet."""
    alice, bob = (hub.connector.peers[hub.account(name).id] for name in ("alice", "bob"))
    deadline = hub.clock.now() + 20_000
    return bob, hub.connector.deadlines.open(alice, RequestId(7), bob, None, bytes(32), deadline)


async def test_a_link_that_carries_nothing_is_made_anew_at_once() -> None:
    async with line() as (_, hub, _bob):
        async with asyncio.timeout(0.5):
            await hub.replace_account(other_link(hub.account("bob")))
        assert hub.account("bob").link.http_callback_url is not None


async def test_new_packets_are_refused_and_sent_elsewhere_meanwhile() -> None:
    async with line() as (_, hub, _bob):
        peer = hub.connector.peers[hub.account("bob").id]
        async with drained(hub, peer.account.id):
            assert refused(hub, "bob") == CHANGING
            assert refused(hub, "alice") != CHANGING
        assert refused(hub, "bob") != CHANGING
        assert not peer.broken


async def test_a_link_that_is_down_is_not_waited_for() -> None:
    async with running(settings("test.hub")) as hub, running(settings("test.bob")) as bob:
        nobody = replace(http_link("hub", bob, "bob"), http_url=None)
        await hub.create_account(account("bob", "EUR/9", "test.bob", Relation.PEER, nobody))
        async with asyncio.timeout(0.5), drained(hub, hub.account("bob").id):
            pass
        local = await hub.create_account(account("eve", "EUR/9", "test.hub.eve"))
        async with asyncio.timeout(0.5), drained(hub, local.id):
            pass


@pytest.mark.parametrize("name", ["bob", "alice"])
async def test_what_is_in_flight_is_waited_for_on_both_links(name: str) -> None:
    async with line() as (_, hub, _bob):
        peer, onward_id = under_way(hub)
        changing = asyncio.create_task(hub.replace_account(other_link(hub.account(name))))
        await asyncio.sleep(0.1)
        assert not changing.done()
        assert hub.account(name).link.http_callback_url is None
        del peer.in_flight[onward_id]
        async with asyncio.timeout(1):
            assert (await changing).link.http_callback_url is not None


async def test_who_gives_up_waiting_leaves_the_link_as_it_was() -> None:
    async with line() as (_, hub, _bob):
        peer, onward_id = under_way(hub)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await hub.replace_account(other_link(hub.account("bob")))
        assert refused(hub, "bob") != CHANGING
        assert not peer.broken
        assert hub.connector.peers[peer.id] is peer
        del peer.in_flight[onward_id]


async def test_limits_and_tokens_do_not_wait() -> None:
    async with line() as (_, hub, _bob):
        peer, onward_id = under_way(hub)
        async with asyncio.timeout(1):
            await hub.replace_account(replace(hub.account("bob"), we_owe_max=7))
            bob = hub.account("bob")
            await hub.replace_account(replace(bob, link=replace(bob.link, http_incoming_token_digest=None)))
        hub.connector.peers[peer.id].in_flight.pop(onward_id)


async def test_what_another_changed_meanwhile_is_not_overwritten() -> None:
    async with line() as (_, hub, _bob):
        peer, onward_id = under_way(hub)
        changing = asyncio.create_task(hub.replace_account(other_link(hub.account("bob"))))
        await asyncio.sleep(0.05)
        await hub.replace_account(replace(hub.account("bob"), we_owe_max=7))
        del peer.in_flight[onward_id]
        with pytest.raises(ConflictError, match="was changed while its packets were waited for"):
            await changing
        assert (hub.account("bob").we_owe_max, hub.account("bob").link.http_callback_url) == (7, None)
