"""Real nodes tell each other what they reach, over BTP and over HTTP, and forget it again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from loopback import line, until

from interledger.accounts.account import AccountId
from interledger.ilp.address import Address
from interledger.node.node import Node
from interledger.routing.table import Origin

FAST = {"route_broadcast": True, "route_broadcast_interval_ms": 500, "route_expiry_ms": 1_500}


@pytest.fixture
async def nodes() -> AsyncIterator[tuple[Node, Node, Node]]:
    async with line(**FAST) as (alice, hub, bob):
        await until(lambda: "test.alice" in learned(bob))
        yield alice, hub, bob


def learned(node: Node) -> dict[str, AccountId]:
    return {route.prefix: route.account for route in node.routes() if route.origin is Origin.LEARNED}


async def test_what_one_reaches_all_know_and_packets_go_there(nodes: tuple[Node, Node, Node]) -> None:
    alice, hub, bob = nodes
    await until(lambda: "test.bob" in learned(alice))
    assert (await alice.requests.ping(Address("test.bob"), 10_000)).code is None
    assert (await bob.requests.ping(Address("test.alice"), 10_000)).code is None
    (route,) = [route for route in bob.routes() if route.prefix == "test.alice"]
    assert (route.account, route.path, route.speaker) == ("hub", ("test.hub", "test.alice"), "test.hub")
    assert route.since is not None
    assert {session.account: session.is_up for session in hub.learned.sessions()} == {"alice": True, "bob": True}


async def test_a_static_route_is_announced_while_it_is_there(nodes: tuple[Node, Node, Node]) -> None:
    alice, _, bob = nodes
    await alice.set_static_routes({"test.shop": "hub"})  # a route back: hub stands on its path and does not take it
    await bob.set_static_routes({"test.far": "hub", "test.alice.x": "hub"})
    await until(lambda: bob.learned.sessions()[0].acknowledged == bob.learned.sessions()[0].epoch)
    assert "test.shop" not in learned(bob)
    await alice.set_static_routes({})


async def test_an_account_that_is_deleted_is_forgotten_by_all(nodes: tuple[Node, Node, Node]) -> None:
    alice, hub, bob = nodes
    await hub.set_static_routes({"test.corner.shop": "alice"})
    await until(lambda: "test.corner.shop" in learned(bob))
    await hub.delete_account("alice")
    await until(lambda: not learned(bob).keys() & {"test.alice", "test.corner.shop"})
    await until(lambda: learned(alice) == {})


async def test_a_node_that_stops_is_forgotten_in_time(nodes: tuple[Node, Node, Node]) -> None:
    """CC-06: bob's link to hub is HTTP, which is never down."""
    _, hub, bob = nodes
    await until(lambda: "test.bob" in hub.learned.sessions()[1].speaker)
    await bob.stop()
    await until(lambda: "bob" in hub.learned.silent)
    assert [route.prefix for route in hub.routes() if route.account == "bob"] == []


async def test_nothing_is_exchanged_where_it_is_switched_off() -> None:
    async with line() as (alice, hub, bob):
        assert [learned(node) for node in (alice, hub, bob)] == [{}, {}, {}]
        assert hub.learned.sessions() == []
