"""The API in front of a real node, over a socket: one payment, as a program makes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from interledger.accounts.asset import Asset, Money
from interledger.api.app import create_app
from interledger.api.client import ApiClient
from interledger.api.connect import Connection, PaymentIncompleteError
from interledger.node.node import Node
from interledger.node.settings import Settings

USD = Asset("USD", 9)


async def test_one_account_pays_another(tmp_path: Path) -> None:
    settings = Settings(
        ilp_address="test.hub",
        admin_auth_token="admin",
        secret_seed=bytes(32),
        http_bind_address="127.0.0.1:0",
        data_dir=str(tmp_path),
        durability="memory",
        development=True,
    )
    node = Node(settings)
    await node.start(create_app(node))
    try:
        url = f"http://127.0.0.1:{node.port}"
        operator = ApiClient(url, "admin")
        for name in ("alice", "bob"):
            await operator.create_account(
                {
                    "id": name,
                    "asset_code": "USD",
                    "asset_scale": 9,
                    "limits": {"owes_us_max": "100000000000"},
                    "link": {"http_incoming_token": f"{name}-token"},
                }
            )
        bob = f"$127.0.0.1:{node.port}/bob"
        async with Connection(ApiClient(url, "alice-token")) as alice:
            sent = await alice.pay(bob, "10 USD", max_fee="1%")
            delivered = await alice.pay(bob, deliver="5 USD")
            assert sent.delivered == Money(10_000_000_000, USD)
            assert delivered.delivered == Money(5_000_000_000, USD)
            assert await alice.balance() == Money(-15_000_000_000, USD)
            with pytest.raises(PaymentIncompleteError, match="no receiver"):
                await alice.pay(f"$127.0.0.1:{node.port}/nobody", "1 USD")
        assert [payment["state"] for payment in (await operator.payments())[0]] == ["failed", "delivered", "delivered"]
    finally:
        await node.stop()
