"""What is told as events, at real nodes."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from loopback import account, digest, running, settings

from interledger.accounts.account import AccountId, LinkSettings, Relation
from interledger.accounts.asset import parse_asset
from interledger.accounts.ledger import LedgerAccount
from interledger.node.live.kinds import parse_only
from interledger.node.live.reports import limit_states
from interledger.node.node import Node
from interledger.routing.exchange import AlarmKind, RateAlarm

USD = parse_asset("USD/9")


def kinds(node: Node) -> list[str]:
    return [event.kind for event in node.live.events.after(0, None, 1_000).events]


def last(node: Node, kind: str) -> tuple[str | None, str, dict[str, object]]:
    found = [event for event in node.live.events.after(0, None, 1_000).events if event.kind == kind][-1]
    return found.subject, found.text, dict(found.data)


async def test_links_come_and_go() -> None:
    async with running(settings("test.hub")) as hub:
        links = hub.live.events.subscribe(parse_only("link"))
        incoming = LinkSettings(btp_incoming_token_digest=digest("secret"))
        await hub.create_account(account("alice", "USD/9", "test.alice", Relation.PEER, incoming))
        outgoing = LinkSettings(btp_url=f"ws://127.0.0.1:{hub.port}/ilp/btp", btp_outgoing_token="secret")
        hubs = account("hub", "USD/9", "test.hub", Relation.PEER, outgoing)
        async with running(settings("test.alice", accounts=(hubs,))):
            async with asyncio.timeout(5):
                await links.get()
        async with asyncio.timeout(5):
            await links.get()
        assert kinds(hub) == ["node.started", "account.created", "link.up", "link.down"]
        assert last(hub, "link.down") == ("alice", "the link is down (BTP)", {"account": "alice", "link": "BTP"})
        assert hub.link_status("alice").since is not None


async def test_accounts_and_routes() -> None:
    async with running(settings("test.hub")) as node:
        made = await node.create_account(account("alice", "USD/9", "test.alice", Relation.PEER, owes_us_max=5))
        secret = replace(made.link, http_incoming_token_digest=digest("new"))
        await node.replace_account(replace(made, owes_us_max=7, link=secret))
        await node.set_static_route("test.far", "alice")
        node.live.reports.look(node.clock.now())
        await node.delete_account("alice")
        assert last(node, "account.changed") == (
            "alice",
            "changed: owes_us_max, link.http_incoming_token_digest",
            {"account": "alice", "fields": ["owes_us_max", "link.http_incoming_token_digest"]},
        )
        _, text, data = last(node, "route.changed")
        assert text == "routes: 2 added; 3 now"
        assert data["prefixes"] == ["test.alice", "test.far"]
        assert kinds(node)[-1] == "account.deleted"


async def test_limits_are_told_when_they_are_near_reached_and_free_again() -> None:
    async with running(settings("test.hub")) as node:
        await node.create_account(account("alice", "USD/9", "test.alice", Relation.PEER, owes_us_max=100))
        line, other = node.ledger.account("peer/alice", USD), node.ledger.account("local/x", USD)
        now = node.clock.now()
        for amount in (79, 1, 5, 15):
            node.ledger.post(((line, other, amount),), "{}")
            node.live.reports.look(now)
        for amount in (21, 5):
            node.ledger.post(((other, line, amount),), "{}")
            node.live.reports.look(now)
        assert [kind for kind in kinds(node) if kind.startswith("limit")] == [
            "limit.near",
            "limit.reached",
            "limit.cleared",
        ]
        assert last(node, "limit.near")[1] == "alice has used 80 % of what it may owe us"
        assert last(node, "limit.cleared")[2]["percent"] == 74


async def test_alarms_are_told_with_what_is_known() -> None:
    async with running(settings("test.hub")) as node:
        node.alarm("look here")
        node.alarms.tell_of_rates(RateAlarm(AlarmKind.STALE, "ecb", "EUR", "the value of EUR is too old"))
        assert last(node, "alarm") == (None, "look here", {})
        assert last(node, "rate.stale") == ("EUR", "the value of EUR is too old", {"source": "ecb", "code": "EUR"})


async def test_a_payment_is_told_when_it_ends() -> None:
    holders = (account("alice", "USD/9", "test.hub.alice", owes_us_max=10**12), account("bob", "USD/9", "test.hub.bob"))
    async with running(settings("test.hub", accounts=holders)) as node:
        payment = node.pay("alice", f"$127.0.0.1:{node.port}/bob", send=1_000_000_000)
        await payment.done()
        subject, text, data = last(node, "payment.finished")
        assert subject == payment.id
        assert text == f"1.00 USD to $127.0.0.1:{node.port}/bob delivered"
        assert data["delivered"] == {"amount": "1000000000", "asset_code": "USD", "asset_scale": 9}


async def test_an_unknown_amount_is_told_when_it_opens_and_when_it_is_resolved() -> None:
    async with running(settings("test.hub")) as node:
        await node.create_account(account("kivu", "KES/2", "test.kivu", Relation.PEER))
        kes = parse_asset("KES/2")
        ledger = node.ledger
        legs = ((ledger.account("local/x", kes), ledger.account("peer/kivu", kes), 78_000),)
        hold = ledger.hold(legs, bytes(32), 2**40, True)
        assert not isinstance(hold, LedgerAccount)
        item = ledger.give_up(hold)  # type: ignore[arg-type]  # it was not refused
        assert last(node, "unknown.opened")[:2] == (f"unk_{item.id}", "780.00 KES to kivu, no answer before expiry")
        ledger.resolve(item, delivered=False, memo="{}")
        assert last(node, "unknown.resolved")[2]["delivered"] is False


def test_a_limit_of_nothing_is_a_decision() -> None:
    line = LedgerAccount(0, "peer/x", USD)
    line.debit_max, line.credit_max = 0, 10
    line.credits_posted = 4
    assert list(limit_states(line)) == [("we_owe", 4, 10)]
    assert AccountId("x")
