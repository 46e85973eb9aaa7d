"""Why packets go where they go, on real nodes: what is told beforehand is what then happens."""

from __future__ import annotations

from dataclasses import replace

import pytest
from loopback import account, btp_listener, line, pointer, running, settings

from interledger.accounts.account import Relation
from interledger.connector.events import Step
from interledger.errors import InvalidRequestError, NotFoundError

BILLION = 1_000_000_000


async def test_an_account_of_the_node_pays_across_currencies() -> None:
    async with line(hub_spread="0") as (alice, hub, bob):
        destination = bob.spsp_details("bob").destination_account
        at_home = alice.explainer.explain(destination, "alice", None)
        assert (at_home.outgoing_account, at_home.verdict.amount, at_home.verdict.outgoing_amount) == (
            "hub",
            BILLION,
            BILLION,
        )
        assert [one.route.account for one in at_home.verdict.candidates] == ["hub"]
        at_hub = hub.explainer.explain(destination, "alice", 1_000_000)
        assert (at_hub.outgoing_account, at_hub.verdict.outgoing_amount) == ("bob", 800_000)
        assert (str(at_hub.source_asset), str(at_hub.outgoing_asset)) == ("USD/9", "EUR/9")
        at_bob = bob.explainer.explain(destination, "hub", 800_000)
        assert (at_bob.outgoing_account, at_bob.verdict.refusal) == ("bob", None)
        assert at_bob.verdict.candidates[0].route.origin == "own"
        paid = await alice.pay("alice", pointer(bob, "bob"), send=1_000_000).done()
        assert (paid.state, paid.delivered) == ("delivered", 800_000)


async def test_the_default_amount_is_one_whole_unit_or_the_largest_packet() -> None:
    async with line(packet_amount_max=1_000) as (_, hub, _):
        assert hub.explainer.explain("test.bob.x", "alice", None).verdict.amount == 1_000
        too_large = hub.explainer.explain("test.bob.x", "alice", 1_001).verdict
        assert too_large.refusal is not None
        assert (too_large.refusal.code, too_large.step) == ("F08", Step.ADMIT)
        onward = hub.account("bob")
        await hub.replace_account(replace(onward, packet_amount_max=400))
        assert hub.explainer.explain("test.bob.x", "alice", None).verdict.outgoing_amount == 399


async def test_a_packet_of_the_node_itself_and_what_is_near_where_there_is_no_route() -> None:
    async with line() as (_, hub, _):
        own = hub.explainer.explain("test.bob", None, None)
        assert (own.outgoing_account, own.source_asset, own.verdict.amount) == ("bob", None, 0)
        assert hub.explainer.explain("test.hub", None, None).verdict.answered_here
        nowhere = hub.explainer.explain("test.nowhere", None, None)
        assert nowhere.verdict.refusal is not None
        assert (nowhere.verdict.refusal.code, nowhere.nearest) == ("F02", ["test.alice", "test.bob", "test.hub"])


async def test_a_link_that_is_down_and_who_stands_in() -> None:
    async with line() as (_, hub, _):
        await hub.create_account(account("spare", "EUR/9", "test.spare", Relation.PEER, btp_listener("hub", "spare")))
        await hub.set_static_routes({"test.far": "spare/bob"})
        found = hub.explainer.explain("test.far.x", "alice", 100)
        assert found.outgoing_account == "bob"
        assert [one.why_not for one in found.verdict.candidates] == ["its link is down", ""]


async def test_what_cannot_be_explained() -> None:
    async with running(settings("test.hub")) as node:
        with pytest.raises(NotFoundError):
            node.explainer.explain("test.far", "nobody", None)
        with pytest.raises(InvalidRequestError, match="needs an account"):
            node.explainer.explain("test.far", None, 5)
        with pytest.raises(InvalidRequestError, match="not an ILP address"):
            node.explainer.explain("nonsense", None, None)
