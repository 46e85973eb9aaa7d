"""The simulator as a server: what clients ask and hear of. That ripple-lib talks to it: tests/interop/test_xrp.py."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect

from interledger.errors import LinkError
from interledger.settlement.engines.xrp.sim import XrpSimulator
from interledger.settlement.engines.xrp.sim_ledger import GENESIS
from tests.support.xrp import XRP, Somebody


async def ask(simulator: XrpSimulator, *requests: Any) -> list[Any]:
    async with connect(simulator.url) as connection:
        answers = []
        for number, request in enumerate(requests):
            await connection.send(request if isinstance(request, str) else json.dumps({"id": number, **request}))
            answers.append(json.loads(await connection.recv()))
        return answers


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ("{", "jsonInvalid"),
        ("[]", "jsonInvalid"),
        ({"command": "wallet_propose"}, "unknownCmd"),
        ({}, "unknownCmd"),
        ({"command": "account_info"}, "invalidParams"),
        ({"command": "account_info", "account": "rNobody"}, "actNotFound"),
        ({"command": "ledger", "ledger_index": 99}, "lgrNotFound"),
        ({"command": "ledger_entry", "payment_channel": "00" * 32}, "entryNotFound"),
        ({"command": "tx", "transaction": "00" * 32}, "txnNotFound"),
        ({"command": "submit", "tx_blob": "zz"}, "invalidTransaction"),
    ],
)
async def test_what_is_not_answered(request_: Any, error: str) -> None:
    async with XrpSimulator(close_ms=60_000) as simulator:
        [answer] = await ask(simulator, request_)
        assert answer["error"] == error


async def test_it_says_what_it_is() -> None:
    async with XrpSimulator(close_ms=60_000) as simulator:
        info, fee, genesis = await ask(
            simulator,
            {"command": "server_info"},
            {"command": "fee"},
            {"command": "account_info", "account": GENESIS, "ledger_index": "validated"},
        )
        assert "a simulator, no ledger" in info["result"]["info"]["server_name"]
        assert fee["result"]["drops"]["base_fee"] == "10"
        assert genesis["result"]["account_data"]["Balance"] == str(10**17)


async def test_who_subscribes_hears_of_ledgers_and_of_its_own_transactions_only() -> None:
    async with XrpSimulator(close_ms=60_000) as simulator:
        alice, bob = Somebody(simulator.ledger, 1), Somebody(simulator.ledger, 2)
        async with connect(simulator.url) as connection, connect(simulator.url) as other, asyncio.timeout(5):
            await connection.send(json.dumps({"id": 1, "command": "subscribe", "accounts": [bob.address]}))
            await other.send(json.dumps({"id": 1, "command": "subscribe", "streams": ["ledger"]}))
            assert json.loads(await other.recv())["result"]["ledger_index"] == 2
            await connection.recv()
            simulator.ledger.submit(alice.signed("Payment", Amount="5", Destination=GENESIS))
            simulator.close_ledger()
            simulator.ledger.submit(alice.signed("Payment", Amount="7", Destination=bob.address))
            simulator.close_ledger()
            heard = json.loads(await connection.recv())
            assert (heard["transaction"]["Amount"], heard["validated"]) == ("7", True)
            assert [json.loads(await other.recv())["ledger_index"] for _ in range(2)] == [3, 4]


async def test_with_a_faucet_every_account_that_is_asked_for_has_xrp() -> None:
    async with XrpSimulator(close_ms=60_000, faucet=5 * XRP) as simulator:
        somebody = Somebody(simulator.ledger, 9, 0)
        for _ in range(2):
            [answer] = await ask(simulator, {"command": "account_info", "account": somebody.address})
            assert answer["result"]["account_data"]["Balance"] == str(5 * XRP)
        [nobody] = await ask(simulator, {"command": "account_info", "account": "r"})
        assert nobody["error"] == "actNotFound"


async def test_a_port_that_is_taken() -> None:
    async with XrpSimulator(close_ms=60_000) as simulator:
        port = int(simulator.url.rpartition(":")[2])
        with pytest.raises(LinkError, match="cannot listen"):
            await XrpSimulator(port).start()
