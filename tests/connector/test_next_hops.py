"""Who is next: shares and their order, who stands in, what is remembered. The scenarios show the same with money."""

from __future__ import annotations

from collections import Counter

import pytest
from connector_kit import Hub
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.account import AccountId
from interledger.connector import refusals
from interledger.connector.guards import Refused
from interledger.connector.next_hops import Turns, order_of_turns
from interledger.connector.peer import Peer
from interledger.ilp.address import Address
from interledger.routing.table import Origin
from interledger.routing.targets import parse_targets


def hub(targets: str, *names: str) -> tuple[Hub, dict[str, Peer]]:
    """A hub with these peers, and a route `test.far`."""
    made = Hub()
    peers = {name: made.attach(name) for name in ("alice", *names)}
    for route in parse_targets("test.far", targets):
        made.static.pop(f"test.hub.{route.account}", None)
    made.routes.replace_routes(Origin.STATIC, parse_targets("test.far", targets))
    made.connector.routes_changed()
    return made, peers


def found(made: Hub, peers: dict[str, Peer], destination: str = "test.far.x", incoming: str = "alice") -> str:
    who = made.connector.next_hops.find(destination, peers[incoming], "test.hub")
    return str(who.code) if isinstance(who, Refused) else who.id


@pytest.mark.parametrize(
    ("weights", "order"),
    [
        ([1], [0]),
        ([7], [0]),
        ([3, 1], [0, 0, 1, 0]),
        ([1, 1], [0, 1]),
        ([50, 50], [0, 1]),
        ([5, 1, 1], [0, 0, 1, 0, 2, 0, 0]),
    ],
)
def test_turns_are_spread_evenly(weights: list[int], order: list[int]) -> None:
    assert order_of_turns(weights) == order


@given(st.lists(st.integers(1, 100), min_size=1, max_size=6))
def test_everybody_gets_exactly_his_share_and_never_more_than_one_turn_ahead(weights: list[int]) -> None:
    order = order_of_turns(weights)
    counts = Counter(order)
    assert all(counts[index] * sum(weights) == weight * len(order) for index, weight in enumerate(weights))
    for end in range(1, len(order)):
        so_far = Counter(order[:end])
        assert all(
            abs(so_far[i] * sum(weights) - end * weight) <= len(weights) * sum(weights)
            for i, weight in enumerate(weights)
        )


def test_a_single_next_hop_is_remembered_a_shared_or_second_one_is_not() -> None:
    made, peers = hub("bob/carol", "bob", "carol")
    assert found(made, peers) == "bob"
    assert made.connector._hops == {"test.far.x": peers["bob"]}
    made.wires["bob"].up = False
    assert found(made, peers, "test.far.y") == "carol"
    assert list(made.connector._hops) == ["test.far.x"]
    made, peers = hub("bob:2,carol", "bob", "carol")
    assert [found(made, peers) for _ in range(6)] == ["bob", "carol", "bob"] * 2
    assert made.connector._hops == {}


def test_turns_are_those_of_the_prefix_not_of_the_destination() -> None:
    made, peers = hub("bob,carol", "bob", "carol")
    assert [found(made, peers, f"test.far.{n % 3}") for n in range(4)] == ["bob", "carol"] * 2


def test_an_account_without_a_link_loses_its_turn() -> None:
    made, peers = hub("bob,carol", "carol")
    assert [found(made, peers) for _ in range(3)] == ["carol"] * 3


def test_nobody_of_those_who_share_can_take_a_packet() -> None:
    made, peers = hub("bob,carol", "bob", "carol")
    for name in ("bob", "carol"):
        made.wires[name].up = False
    assert found(made, peers) == "T01"
    turns = Turns([peers["bob"]], [1])
    assert turns.take(peers["alice"], lambda peer: False) is None


def test_CR_17_codes_of_what_cannot_be_reached() -> None:
    made, peers = hub("bob", "bob")
    assert found(made, peers, "test.nowhere") == "F02"
    assert found(made, peers, "g.far") == "F02"
    assert found(made, peers, incoming="bob") == "F02"
    made.wires["bob"].up = False
    assert found(made, peers) == refusals.PEER_DOWN.code
    del made.connector.peers[AccountId("bob")]
    assert found(made, peers) == "T01"


@pytest.mark.parametrize("destination", ["test.far", "test1.far", "test3.far", "private.x", "example.x", "local.x"])
def test_CR_11_on_the_live_network_no_test_address_is_reached(destination: str) -> None:
    made = Hub()
    made.connector.address = Address("g.hub")
    for name in ("alice", "bob"):
        made.attach(name)
        made.route(f"g.hub.{name}", name)
    made.route(destination, "bob")
    assert made.send("alice", 5, destination + ".x").code == "F02"
    assert made.send("alice", 5, "g.hub.bob") is None
