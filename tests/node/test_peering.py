"""Becoming peers, between real nodes over loopback: an invitation, the check, and payments both ways."""

from __future__ import annotations

from dataclasses import replace

import pytest
from loopback import account, net, pointer, running, settings
from peering_kit import TERMS, invited, verdicts

from interledger.accounts.account import AccountId, Relation
from interledger.application.peering.records import JoinTerms


@pytest.mark.parametrize("link", ["btp", "http"])
async def test_a_child_joins_by_invitation_is_checked_and_pays(link: str) -> None:
    async with running(settings("test.hub")) as hub, running(settings("local.host")) as carol:
        await hub.create_account(account("shop", "USD/9", "test.hub.shop"))
        await carol.create_account(account("carol", "USD/9", "local.host.carol", owes_us_max=10**12))
        invitation = await invited(hub, replace(TERMS, link=link))
        parent = await carol.peering.accept(invitation, JoinTerms())
        assert (parent.id, parent.relation, parent.owes_us_max) == ("hub", Relation.PARENT, 20_000_000_000)
        report = await carol.peering.check("hub")
        assert verdicts(report) == dict.fromkeys(
            ("link", "address", "echo", "echo back", "clocks", "asset", "limits"), "ok"
        ), report
        assert carol.address == "test.hub.carol"
        child = hub.account("carol")
        assert (child.relation, child.owes_us_max, child.we_owe_max) == (Relation.CHILD, 500 * 10**9, 20 * 10**9)
        ended = await carol.pay("carol", pointer(hub, "shop"), send=10**10).done()
        assert (ended.state, ended.delivered) == ("delivered", 10**10)
        assert net(hub, "carol") == -net(carol, "hub") == 10**10
        assert verdicts(await hub.peering.check("carol"))["link"] == "ok"


async def test_peers_of_equal_rank_pay_both_ways() -> None:
    terms = replace(TERMS, relation=Relation.PEER, name=None)
    async with running(settings("test.alice")) as alice, running(settings("test.bob")) as bob:
        for node, name in ((alice, "ann"), (bob, "ben")):
            await node.create_account(account(name, "USD/9", f"{node.address}.{name}", owes_us_max=10**12))
        made = await bob.peering.accept(await invited(alice, terms), JoinTerms(name=AccountId("al")))
        assert (made.id, made.relation, alice.account("bob").relation) == ("al", Relation.PEER, Relation.PEER)
        assert (await bob.peering.check("al")).good
        assert (await alice.pay("ann", pointer(bob, "ben"), send=10**9).done()).state == "delivered"
        assert (await bob.pay("ben", pointer(alice, "ann"), send=10**9).done()).state == "delivered"
