"""Route messages as packets: who is answered what, what is asked, and what becomes of it in the routing table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from connector_kit import NOW, Hub, Wire

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.connector.route_exchange import RouteExchange
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject
from interledger.ilp.peer import PEER_CONDITION, PEER_FULFILLMENT
from interledger.link.base import RequestId
from interledger.routing.ccp.messages import AnnouncedRoute, Mode, RouteControl, RouteUpdate
from interledger.routing.ccp.protocol import Timing
from interledger.routing.table import Origin

PEER, CHILD, PARENT, LOCAL = Relation.PEER, Relation.CHILD, Relation.PARENT, Relation.LOCAL


class Node:
    """test.hub with an exchange; `run` lets time pass."""

    def __init__(self, *, is_on: bool = True) -> None:
        self.connector = Hub().connector
        self.now = NOW
        self.accounts: dict[str, Account] = {}
        self.wires: dict[str, Wire] = {}
        self.exchange = RouteExchange(
            self.connector,
            bytes(32),
            is_on=is_on,
            timing=Timing(),
            now=lambda: self.now,
            random_octets=bytes,
            on_alarm=lambda text: None,
            wake=lambda: None,
        )
        self.connector.routes.replace(Origin.OWN, {"test.hub": AccountId("/own")})
        self.exchange.follow(())

    def add(self, name: str, relation: Relation = PEER, address: str = "", **more: Any) -> Wire:
        account = Account(
            id=AccountId(name),
            asset=Asset("USD", 9),
            ilp_address=Address(address or f"test.{name}"),
            relation=relation,
            **more,
        )
        wire = self.wires[name] = Wire()
        self.connector.attach(account.id, account, wire, is_local=False, first_request_id=1)
        self.accounts[name] = account
        self.exchange.follow(self.accounts.values())
        return wire

    def ask(self, name: str, prepare: Prepare) -> str:
        """The code of the answer; `ok` for a Fulfill."""
        answer = self.connector.receive_prepare(AccountId(name), RequestId(1), prepare, self.now)
        assert isinstance(answer, Fulfill | Reject)
        return "ok" if answer == Fulfill(PEER_FULFILLMENT) else str(getattr(answer, "code", answer))

    def run(self, ms: int = 0) -> None:
        self.now = Timestamp(self.now + ms)
        while (due := self.exchange.timer()) is not None and due <= self.now:
            self.exchange.handle_timer(self.now)

    def sent(self, name: str) -> list[str]:
        """What went to an account since it was last asked, by destination; it is all fulfilled."""
        prepares, self.wires[name].prepares = self.wires[name].prepares, []
        for request_id, _ in prepares:
            self.connector.receive_reply(AccountId(name), request_id, Fulfill(PEER_FULFILLMENT), self.now)
        return [prepare.destination.rpartition(".")[2] for _, prepare in prepares]

    def learned(self) -> dict[str, str]:
        routes = self.connector.routes.of_origin(Origin.LEARNED)
        return {prefix: route.account for prefix, (route,) in routes.items()}


def update(speaker: str, *prefixes: str, first: int = 0) -> Prepare:
    routes = tuple(AnnouncedRoute(prefix, (speaker,), bytes(32)) for prefix in prefixes)
    last = first + len(prefixes)
    return RouteUpdate(b"t" * 16, last, first, last, 45_000, speaker, routes).to_prepare(NOW)


def control(mode: Mode = Mode.SYNC) -> Prepare:
    return RouteControl(mode, bytes(16), 0).to_prepare(NOW)


@pytest.mark.parametrize(
    ("relation", "flags", "asked", "may_tell", "may_ask"),
    [
        (PEER, {}, True, True, True),
        (PARENT, {}, True, True, True),
        (CHILD, {}, False, False, False),
        (LOCAL, {"send_routes": True, "receive_routes": True}, False, False, False),
        (PEER, {"send_routes": False}, True, True, False),
        (PEER, {"receive_routes": False}, False, False, True),
        (CHILD, {"send_routes": True}, False, False, True),
        (CHILD, {"receive_routes": True}, True, True, False),
    ],
)
def test_C2_routes_are_exchanged_with_whom_they_should_be(
    relation: Relation, flags: dict[str, bool], asked: bool, may_tell: bool, may_ask: bool
) -> None:
    node = Node()
    node.add("bob", relation, **flags)
    node.run()
    assert node.sent("bob") == ["control"] * asked
    assert node.ask("bob", update("test.bob", "test.bob.x")) == ("ok" if may_tell else "F00")
    assert node.ask("bob", control()) == ("ok" if may_ask else "F00")


def test_a_node_that_is_told_not_to_exchanges_nothing() -> None:
    node = Node(is_on=False)
    node.add("bob")
    node.run()
    assert node.sent("bob") == []
    assert node.ask("bob", control()) == "F00"


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        (control(), "ok"),
        (Prepare(0, Timestamp(NOW + 1), PEER_CONDITION, Address("peer.route.update"), b"short"), "F01"),
        (Prepare(0, Timestamp(NOW + 1), PEER_CONDITION, Address("peer.route.control"), b"\x02"), "F01"),
        (Prepare(1, Timestamp(NOW + 1), PEER_CONDITION, Address("peer.route.control"), control().data), "F00"),
        (Prepare(0, Timestamp(NOW + 1), bytes(32), Address("peer.route.control"), control().data), "F01"),
        (update("no address", "test.x"), "F00"),
        (update("test.hub", "test.x"), "F00"),
    ],
)
def test_CR_10_what_is_wrong_is_refused_and_nothing_is_charged(packet: Prepare, code: str) -> None:
    node = Node()
    node.add("bob")
    assert node.ask("bob", packet) == code
    assert node.connector.ledger.holds == {}


def test_C4_a_peer_that_talks_too_much_is_told_so() -> None:
    node = Node()
    node.add("bob")
    answers = [node.ask("bob", control()) for _ in range(60)]
    assert (answers[0], answers[-1]) == ("ok", "T05")
    node.run(10_000)
    assert node.ask("bob", control()) == "ok"


def test_what_is_learned_is_used_told_to_others_and_forgotten_with_the_link() -> None:
    node = Node()
    bob = node.add("bob")
    node.add("carl")
    node.run()
    assert (node.sent("bob"), node.sent("carl")) == (["control"], ["control"])
    assert node.ask("carl", control()) == "ok"
    assert node.ask("bob", update("test.bob", "test.bob", "test.shop", "test.hub.mine")) == "ok"
    node.run(200)
    assert node.learned() == {"test.bob": "bob", "test.shop": "bob"}
    (_, told), *_ = node.wires["carl"].prepares
    routes = {route.prefix: route.path for route in RouteUpdate.decode(told.data).new_routes}
    over_bob = ("test.hub", "test.bob")
    assert routes == {"test.hub": ("test.hub",), "test.bob": over_bob, "test.shop": over_bob}
    assert node.sent("carl") == ["update"]
    bob.up = False
    node.connector.link_lost(AccountId("bob"), node.now)
    node.run(200)
    assert node.learned() == {}
    (_, told), *_ = node.wires["carl"].prepares
    assert RouteUpdate.decode(told.data).withdrawn_routes == ("test.bob", "test.shop")


def test_an_account_that_goes_takes_its_routes_along() -> None:
    node = Node()
    node.add("bob")
    node.ask("bob", update("test.bob", "test.shop"))
    node.run()
    assert node.learned() == {"test.shop": "bob"}
    del node.accounts["bob"]
    node.connector.detach(AccountId("bob"))
    node.exchange.follow(node.accounts.values())
    node.run()
    assert node.learned() == {}
    assert node.exchange.sessions() == []


def test_a_lost_former_link_is_no_loss_while_the_account_has_another_one() -> None:
    node = Node()
    node.add("bob")
    node.ask("bob", update("test.bob", "test.shop"))
    node.run()
    node.connector.link_lost(AccountId("bob"), node.now)
    node.run()
    assert node.learned() == {"test.shop": "bob"}


def test_a_peer_over_http_is_asked_a_little_later() -> None:
    node = Node()
    account = Account(id=AccountId("web"), asset=Asset("USD", 9), ilp_address=Address("test.web"), relation=PEER)
    account = replace(account, link=replace(account.link, http_url="http://127.0.0.1:1/"))
    node.wires["web"] = Wire()
    node.connector.attach(account.id, account, node.wires["web"], is_local=False, first_request_id=1)
    node.exchange.follow([account])
    node.run(1_900)
    assert node.sent("web") == []
    node.run(200)
    assert node.sent("web") == ["control"]
    assert node.ask("web", update("test.web", "test.shop")) == "ok"
    node.run()
    assert node.learned() == {"test.shop": "web"}
    node.connector.link_lost(AccountId("web"), node.now)  # it refused a connection
    node.run()
    assert (node.learned(), node.exchange.silent) == ({}, {"web"})
    assert node.sent("web") == ["control"]
    assert node.ask("web", update("test.web", "test.shop")) == "ok"
    node.run()
    assert (node.learned(), node.exchange.silent) == ({"test.shop": "web"}, frozenset())


def test_the_session_says_how_it_stands() -> None:
    node = Node()
    node.add("bob")
    node.run()
    node.sent("bob")
    node.ask("bob", update("test.bob", "test.shop"))
    node.ask("bob", control())
    node.run(200)
    node.sent("bob")
    (session,) = node.exchange.sessions()
    assert (session.account, session.is_up, session.speaker, session.routes) == ("bob", True, "test.bob", 1)
    assert (session.sends_updates, session.overflowed) == (True, False)
    assert session.acknowledged == session.epoch > 0
    assert session.expires_at == session.heard_at + 45_000  # type: ignore[operator]  # it was heard
