"""The node's own questions: what a peer's books say (peer.balance), and pings there and back."""

from __future__ import annotations

import dataclasses

import pytest
from loopback import account, agree, line, pointer, running, settings

from interledger.errors import LinkError
from interledger.ilp.echo import PingKind
from interledger.node.node import Node

BILLION = 1_000_000_000


async def allow(node: Node, name: str) -> None:
    # As it does when it moves to another address: the links stay.
    await node.rename_account(dataclasses.replace(node.account(name), peer_balance=True))


async def test_both_books_are_seen_over_BTP_and_HTTP() -> None:
    async with line() as (alice, hub, bob):
        await alice.pay("alice", pointer(bob, "bob"), send=BILLION).done()
        await allow(bob, "hub")
        seen = await hub.requests.peer_position(hub.account("bob"))
        assert seen.ours.net == seen.theirs != 0
        assert agree(hub, "bob", bob, "hub")
        with pytest.raises(LinkError, match=r"alice does not answer .*: F01 unknown peer protocol"):
            await hub.requests.peer_position(hub.account("alice"))
        await allow(alice, "hub")
        seen = await hub.requests.peer_position(hub.account("alice"))
        assert seen.ours.net == seen.theirs == BILLION


async def test_an_account_without_a_link_cannot_be_asked() -> None:
    async with running(settings("test.hub")) as hub:
        await hub.create_account(account("alice", "USD/9", "test.hub.alice"))
        with pytest.raises(LinkError, match="has no link"):
            await hub.requests.peer_position(hub.account("alice"))


async def test_the_nodes_on_the_way_are_named_by_packets_with_more_and_more_time() -> None:
    async with line() as (alice, _, bob):
        await bob.set_static_route("test", "hub")
        hops = await alice.requests.trace("test.bob")
        assert [(hop.address, hop.code) for hop in hops] == [("test.hub", "R02"), ("test.bob", None)]
        assert [hop.address for hop in await bob.requests.trace("test.alice")] == ["test.hub", "test.alice"]
        assert [(hop.address, hop.code) for hop in await alice.requests.trace("test.nobody")] == [("test.hub", "F02")]
        assert [(hop.address, hop.code) for hop in await alice.requests.trace("test.alice")] == [("test.alice", None)]


async def test_both_kinds_of_ping() -> None:
    async with line() as (alice, _, bob):
        await bob.set_static_route("test", "hub")
        for kind in PingKind:
            result = await alice.requests.ping("test.bob", kind=kind)
            assert (result.code, result.round_trip_ms > 0) == (None, True), kind
        lost = await alice.requests.ping("test.nobody", kind=PingKind.JAVA)
        assert (lost.code, lost.triggered_by) == ("F02", "test.hub")
