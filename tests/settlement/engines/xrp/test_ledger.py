"""Transactions on the (simulated) ledger: each counts once, whatever is lost, late or refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from interledger.settlement.engine import CannotPayError
from interledger.settlement.engines.xrp import ledger as module
from interledger.settlement.engines.xrp.ledger import LedgerError, XrpLedger, _covers
from interledger.settlement.engines.xrp.sim import XrpSimulator
from interledger.settlement.engines.xrp.sim_ledger import GENESIS
from tests.support.xrp import XRP, Somebody


class Host:
    """What the engine's host keeps, and no more."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.slept = 0

    def get(self, name: str) -> Any:
        return self.kept.get(name)

    def put(self, name: str, value: Any) -> None:
        self.kept[name] = value

    async def sleep(self, ms: int) -> None:
        self.slept += 1
        await asyncio.sleep(0.002)


@asynccontextmanager
async def ledger(close_ms: int = 10, drops: int = 100 * XRP) -> AsyncIterator[tuple[XrpSimulator, Somebody, XrpLedger]]:
    async with XrpSimulator(close_ms=close_ms) as simulator:
        somebody = Somebody(simulator.ledger, 1, drops)
        client = XrpLedger(simulator.url, somebody.key, Host(), look_ms=1)  # type: ignore[arg-type]  # a part of one
        try:
            yield simulator, somebody, client
        finally:
            await client.close()


PAYMENT = {"TransactionType": "Payment", "Destination": GENESIS, "Amount": "1000"}


def paid(somebody: Somebody, drops: int = 100 * XRP) -> int:
    return drops - somebody.balance


async def test_a_transaction_of_a_name_happens_once_however_often_it_is_sent() -> None:
    async with ledger() as (_, somebody, client):
        sent = await asyncio.gather(*(client.send("a", PAYMENT) for _ in range(5)))
        assert len({one.hash for one in sent}) == 1
        assert paid(somebody) == 1_010
        client.forget("a")
        await client.send("a", PAYMENT)
        assert paid(somebody) == 2_020


async def test_I4_a_transaction_whose_ledgers_have_gone_by_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEDGERS", 3)
    async with ledger() as (simulator, somebody, client):
        submit, lost = simulator.api._submit, 0

        def lose(request: Any) -> dict[str, Any]:
            nonlocal lost
            if lost >= 10**6:
                return submit(request)
            lost += 1
            return {"engine_result": "terQUEUED"}

        monkeypatch.setitem(simulator.api._commands, "submit", lose)  # type: ignore[arg-type]  # it is a dict
        sending = asyncio.ensure_future(client.send("a", PAYMENT))
        first = None
        while len({first, (client._host.get("transaction") or {}).get("hash")} - {None}) < 2:
            first = first or (client._host.get("transaction") or {}).get("hash")
            await asyncio.sleep(0.002)
        lost = 10**6
        sent = await sending
        assert sent.hash != first
        assert paid(somebody) == 1_010


async def test_another_program_that_uses_the_key_costs_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEDGERS", 3)
    async with ledger() as (_, somebody, client):
        make = client._make

        async def make_and_race(name: str, fields: Any) -> Any:
            made = await make(name, fields)
            monkeypatch.setattr(client, "_make", make)
            somebody.transact("Payment", Destination=GENESIS, Amount="7")  # takes the sequence
            return made

        monkeypatch.setattr(client, "_make", make_and_race)
        await client.send("a", PAYMENT)
        assert paid(somebody) == 1_010 + 17


async def test_what_no_ledger_takes_is_said_and_forgotten() -> None:
    async with ledger() as (_, somebody, client):
        with pytest.raises(CannotPayError, match="temBAD_AMOUNT"):
            await client.send("a", {**PAYMENT, "Amount": "0"})
        with pytest.raises(CannotPayError, match="the ledger says tecUNFUNDED_PAYMENT"):
            await client.send("b", {**PAYMENT, "Amount": str(200 * XRP)})
        await client.send("b", PAYMENT)  # another one of that name
        assert paid(somebody) == 10 + 1_010


async def test_an_account_without_money_is_named() -> None:
    async with ledger(drops=0) as (_, somebody, client):
        with pytest.raises(CannotPayError, match=f"{somebody.address} is no account of the ledger yet"):
            await client.send("a", PAYMENT)


async def test_a_fee_that_is_too_high_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ledger() as (_, somebody, client):
        monkeypatch.setattr(module, "FEE_MAX_DROPS", 9)
        with pytest.raises(CannotPayError, match="the fee is 10 drops now"):
            await client.send("a", PAYMENT)
        assert paid(somebody) == 0


async def test_a_server_that_goes_is_an_error_that_says_so() -> None:
    async with ledger() as (simulator, _, client):
        assert await client.fee() == 10
        await simulator.stop()
        with pytest.raises(LedgerError, match="does not answer"):
            await client.fee()
        with pytest.raises(LedgerError, match="does not answer"):
            await client.fee()


async def test_how_a_channel_was_when_it_was_closed() -> None:
    async with ledger() as (simulator, somebody, client):
        bob = Somebody(simulator.ledger, 2)
        channel = somebody.open(bob.address)
        assert await client.last_of(channel) is None
        claim = somebody.claim(channel, 700)
        fields = {"Balance": "700", "Amount": "700", "PublicKey": somebody.key.public, "Flags": 0x2_0000}
        signature = claim.signature.hex()
        assert bob.transact("PaymentChannelClaim", Channel=channel, Signature=signature, **fields) == "tesSUCCESS"
        assert await client.channel(channel) is None
        last = await client.last_of(channel)
        assert last is not None
        assert last.balance == 700


@pytest.mark.parametrize(
    ("ranges", "covered"),
    [("1-100", True), ("5-9,40-60", True), ("45-60", False), ("", False), ("empty", False), ("41-44,46-60", False)],
)
def test_whether_a_server_has_all_ledgers(ranges: str, covered: bool) -> None:
    assert _covers(ranges, 41, 50) is covered
