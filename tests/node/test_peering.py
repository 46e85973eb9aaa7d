"""Becoming peers, between real nodes over loopback: invitations, Rafiki's auto-peering, and the check of the link."""

from __future__ import annotations

from dataclasses import replace

import pytest
from loopback import account, net, pointer, running, settings

from interledger.accounts.account import AccountId, Relation
from interledger.accounts.asset import parse_asset
from interledger.application.peering.invitation import Invitation
from interledger.application.peering.records import InviteTerms, JoinTerms
from interledger.application.peering.report import CheckReport
from interledger.node.node import Node

USD = parse_asset("USD/9")
TERMS = InviteTerms(asset=USD, name=AccountId("carol"), owes_us_max=500_000_000_000, we_owe_max=20_000_000_000)


def verdicts(report: CheckReport) -> dict[str, str]:
    return {item.name: item.verdict.value for item in report.items}


async def invited(hub: Node, terms: InviteTerms = TERMS) -> Invitation:
    _, invitation = await hub.peering.invite(terms)
    return Invitation.decode(invitation.encode())


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
