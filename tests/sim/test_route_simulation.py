"""Networks that exchange routes, over many seeds; and ablations: without one rule, the run must fail."""

from __future__ import annotations

import os

import pytest

from interledger.accounts.account import Account, AccountId, Relation
from interledger.routing.ccp import decision
from interledger.routing.ccp.log import ForwardingLog
from interledger.routing.ccp.policy import LearnedRoute
from interledger.routing.ccp.protocol import Timing
from interledger.routing.ccp.receiver import CcpReceiver
from interledger.routing.table import Origin
from interledger.sim.auditor import BreachError
from interledger.sim.network import Faults, SimLink
from interledger.sim.route_node import HERE, USD, RouteNode
from interledger.sim.route_simulation import simulate_routes
from interledger.sim.world import World

SEEDS = int(os.environ.get("ILP_ROUTE_SIM_SEEDS", "12"))
CHUNK = 4


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_23_no_lasting_loop_and_nobody_takes_what_is_anothers(first: int) -> None:
    reports = [simulate_routes(seed) for seed in range(first, min(first + CHUNK, SEEDS))]
    assert sum(report.learned for report in reports) > 50
    assert sum(report.flaps + report.crashes + report.lies for report in reports) > 10


def test_the_same_seed_is_the_same_run() -> None:
    assert simulate_routes(5) == simulate_routes(5)
    assert simulate_routes(5).fingerprint != simulate_routes(7).fingerprint


def breach(seeds: range) -> str:
    for seed in seeds:
        try:
            simulate_routes(seed)
        except BreachError as error:
            return str(error)
    return ""


def test_without_protection_of_what_is_ours_a_liar_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision.Decisions, "_owner_of", lambda self, prefix: decision.NOBODY)
    assert breach(range(10)).startswith("23 ")


def test_without_withdrawals_what_is_gone_lives_on(monkeypatch: pytest.MonkeyPatch) -> None:
    put = ForwardingLog.put
    monkeypatch.setattr(
        ForwardingLog, "put", lambda log, prefix, export: export is not None and put(log, prefix, export)
    )
    assert breach(range(10)) != ""


# ---------------------------------------------------------------------- a flood


def pair(world: World, left: RouteNode, right: RouteNode) -> None:
    links = []
    for node, other in ((left, right), (right, left)):
        name = AccountId("n" + other.address.rpartition(".")[2])
        account = Account(id=name, asset=USD, ilp_address=other.address, relation=Relation.PEER)
        link = SimLink(world, Faults(delay_ms=(1, 5)), name, node.handler)
        links.append((node, account, link))
    links[0][2].other, links[1][2].other = links[1][2], links[0][2]
    for node, account, link in links:
        node.add(account, link)


def test_C4_a_flood_fills_no_memory_and_keeps_no_honest_route_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer announces more than it may, other things every minute. All limits are a tenth of the real ones."""
    routes_max, withdrawals_max = 1_000, 2_000
    monkeypatch.setattr(CcpReceiver.__init__, "__kwdefaults__", {"routes_max": routes_max})
    monkeypatch.setattr(
        ForwardingLog.__init__, "__kwdefaults__", {"withdrawals_max": withdrawals_max, "epoch_max": 2**32 - 1}
    )
    world = World(1)
    liar, hub, honest = (RouteNode(world, f"test.{name}", Timing()) for name in ("liar", "hub", "honest"))
    pair(world, liar, hub)
    pair(world, hub, honest)
    most = 0
    for minute in range(4):
        liar.claim({f"test.m{minute}.junk{i}": HERE for i in range(1_500)})
        for _ in range(60):
            world.run(1_000)
            most = max(most, len(hub.table.of_origin(Origin.LEARNED)))
    assert most <= routes_max + 1  # and the honest one's own
    assert hub.next_hop("test.honest.x") == "nhonest"
    assert honest.next_hop("test.hub.x") == "nhub"
    assert any("more routes than one peer may" in alarm for alarm in hub.alarms)
    assert len(hub.exchange.sessions()) == 2
    liar.claim()
    world.run(120_000)
    assert set(hub.table.of_origin(Origin.LEARNED)) == {"test.honest", "test.liar"}
    assert set(honest.table.of_origin(Origin.LEARNED)) == {"test.hub", "test.liar"}


def test_a_route_says_who_said_it_and_since_when() -> None:
    world = World(2)
    left, right = RouteNode(world, "test.left", Timing()), RouteNode(world, "test.right", Timing())
    pair(world, left, right)
    right.claim({"test.shop": HERE})
    world.run(1_000)
    (route,) = left.table.of_origin(Origin.LEARNED)["test.shop"]
    assert (route.account, route.path, route.speaker) == ("nright", ("test.right",), "test.right")
    assert route.since is not None
    assert world.now() - route.since < 1_000
    assert LearnedRoute._fields[-1] == "since"
