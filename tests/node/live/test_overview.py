"""The first page's figures, from real nodes: they have to add up."""

from __future__ import annotations

from interledger.accounts.account import Relation
from interledger.accounts.asset import Asset, Money, parse_asset
from interledger.clock import Timestamp
from interledger.node.live.overview import sentence_of
from interledger.node.live.seconds import Flow
from tests.node.loopback import account, running, settings

USD, EUR = parse_asset("USD/9"), parse_asset("EUR/9")
UNIT = 10**9


async def test_what_could_be_lost_adds_up_at_our_own_rates() -> None:
    accounts = (
        account("alice", "USD/9", "test.alice", Relation.PEER, owes_us_max=500 * UNIT),
        account("bob", "EUR/9", "test.bob", Relation.PEER, we_owe_max=600 * UNIT, owes_us_max=400 * UNIT),
        account("kivu", "XAU/2", "test.kivu", Relation.PEER),
    )
    async with running(settings("test.hub", accounts=accounts)) as hub:
        ledger = hub.ledger
        for name, asset, units in (
            ("peer/alice", USD, 450),
            ("peer/bob", EUR, -100),
            ("peer/kivu", parse_asset("XAU/2"), 1),
        ):
            line, other = ledger.account(name, asset), ledger.account(f"fx/{asset}", asset)
            legs = ((line, other, units * UNIT),) if units > 0 else ((other, line, -units * UNIT),)
            ledger.post(legs, "{}")
        look = hub.live.overview
        risk, found, health = look.risk(), look.accounts(), look.health()
        assert risk.at_risk == (Money(450 * UNIT, USD), ("XAU",))
        assert risk.we_owe.money == Money(125 * UNIT, USD)  # 1.25 USD for a EUR
        assert risk.limits.money == Money(1_000 * UNIT, USD)
        assert [one.account.id for one in found] == ["alice", "bob", "kivu"]
        assert (found[0].exposure_percent, found[0].near) == (90, True)
        assert found[1].exposure_percent == 16
        assert sentence_of("test.hub", found) == "test.hub is forwarding between 3 accounts in 3 assets."
        assert {check.name: check.level for check in health} == {
            "books": "ok", "links": "ok", "unknown": "ok", "limits": "warn", "settlements": "ok", "rates": "ok",
        }  # fmt: skip
        assert health[0].text == "alice has used 90 % of what it may owe us"


async def test_a_payment_is_counted_by_the_second_and_by_the_day() -> None:
    holders = (account("alice", "USD/9", "test.hub.alice", owes_us_max=10**12), account("bob", "USD/9", "test.hub.bob"))
    async with running(settings("test.hub", accounts=holders)) as node:
        payment = node.pay("alice", f"$127.0.0.1:{node.port}/bob", send=UNIT)
        await payment.done()
        await node.commit()
        now = Timestamp(node.clock.now() + 1_000)
        node.live.seconds.beat(now)
        second, day = node.live.seconds.last(now, 90)[-1], node.live.seconds.day(now)
        total = node.live.seconds.seconds
        assert (
            sum(flow.fulfilled for flow in total)
            == day.fulfilled
            == node.connector.totals.with_those(node.connector.peers.values())["fulfilled"]
        )
        assert day.moved == {USD: UNIT}
        assert second.rejected <= day.rejected
        assert node.live.seconds.history(node.account("alice").id)[-1].net == UNIT
        assert len(node.live.seconds.last(now, 90)) == 90


def test_flows_add_up() -> None:
    one = Flow(Timestamp(1), 5, 3, 2, 7, {USD: 10})
    two = Flow(Timestamp(2), 1, 1, 0, 4, {USD: 1, EUR: 2})
    assert one.plus(two) == Flow(Timestamp(1), 6, 4, 2, 4, {USD: 11, EUR: 2})


async def test_sums_are_told_in_what_the_node_has() -> None:
    async with running(settings("test.hub", rates={"EUR": "1"})) as node:
        assert node.live.seconds.worth.unit() == Asset("USD", 9)
        await node.create_account(account("bob", "EUR/9", "test.bob"))
        assert node.live.seconds.worth.unit() == EUR
        assert node.live.seconds.worth.total([(EUR, 5), (USD, 1)]) == (Money(5, EUR), ("USD",))
