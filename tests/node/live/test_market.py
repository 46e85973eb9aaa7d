"""Rates and profit over time, from a real node."""

from __future__ import annotations

from interledger.accounts.asset import Asset, Money, parse_asset
from interledger.clock import Timestamp
from tests.node.loopback import account, running, settings

USD, EUR = parse_asset("USD/9"), parse_asset("EUR/9")
UNIT = 10**9


async def test_a_rate_is_noted_when_it_changes() -> None:
    async with running(settings("test.hub")) as node:
        began = node.clock.now()
        await node.set_rates({"USD": "1", "EUR": "1.3"})
        node.live.market.beat(Timestamp(began + 5_000))
        node.live.market.beat(Timestamp(began + 9_000))
        found = node.live.market.rates()
        assert [point.value for point in found["EUR"]] == ["1.25", "1.3"]
        assert [point.value for point in found["USD"]] == ["1"]


async def test_what_was_earned_since_the_start_is_fees_less_losses_and_what_exchange_left() -> None:
    accounts = (account("alice", "USD/9", "test.hub.alice"), account("bob", "EUR/9", "test.hub.bob"))
    async with running(settings("test.hub", accounts=accounts)) as node:
        ledger, market = node.ledger, node.live.market
        assert market.earned().money == Money(0, Asset("USD", 9))
        usd, eur = ledger.account("local/alice", USD), ledger.account("local/bob", EUR)
        fx_usd, fx_eur = ledger.account("fx/USD/9", USD), ledger.account("fx/EUR/9", EUR)
        # 10 USD were taken and 7 EUR, worth 8.75 USD, given for them; and a fee of 0.5 USD.
        ledger.post(((usd, fx_usd, 10 * UNIT), (fx_eur, eur, 7 * UNIT)), "{}")
        ledger.post(((usd, ledger.account("fee/USD/9", USD), UNIT // 2),), "{}")
        assert market.earned().money.amount == 10 * UNIT - 7 * UNIT * 5 // 4 + UNIT // 2
        points = market.profit()
        assert (points[0].earned, points[-1].earned) == (0, market.earned().money.amount)
        await node.set_rates({"USD": "1", "EUR": "1.5"})
        assert market.earned().money.amount == 0, "what is owed in EUR is worth more now"
