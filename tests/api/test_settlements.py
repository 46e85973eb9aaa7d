"""`/api/settlements` and `ilp settlement`'s client, on a real node."""

from __future__ import annotations

from pathlib import Path

import pytest

from interledger.api.client import ApiClient, ApiError
from tests.support.engines import Engine, node_at, owe, payable, served, tell, until, with_bob


async def test_settlements_over_the_api(tmp_path: Path) -> None:
    engine = Engine()
    async with served(engine) as url, node_at(tmp_path) as node:
        api = ApiClient(f"http://localhost:{node.port}", "admin-token")
        await with_bob(node, url, settle_in_max=10)
        assert await api.settlements() == []
        with pytest.raises(ApiError, match="Nothing is owed"):
            await api.create_settlement("bob")
        owe(node, 700)
        made = await api.create_settlement("bob", "300", "me")
        assert (made["amount"]["amount"], made["state"], made["cause"]) == ("300", "sending", "operator (me)")
        await until(lambda: engine.total == 300)
        await until(lambda: not node.settlements.book.open())
        shown = await api.settlement(made["id"])
        assert (shown["state"], shown["engine"], shown["error"]) == ("settled", url, None)
        assert (await tell(node, "k", "11")).status == 201
        held = (await api.settlements("bob"))[0]
        assert (held["state"], held["direction"], held["quantity"]) == ("held", "in", {"amount": "11", "scale": 9})
        decision = await api.propose_approval(held["id"], "seen", "me")
        assert decision["done_at"] is None
        assert (await api.confirm_decision(decision["id"]))["done_at"] is not None
        assert payable(node) == 411
        for call in (api.retry_settlement(made["id"]), api.propose_void(made["id"], "why")):
            with pytest.raises(ApiError) as error:
                await call
            assert error.value.status == 409
        with pytest.raises(ApiError) as error:
            await api.settlement("set_0")
        assert error.value.status == 404


async def test_a_settlement_that_waits_says_why(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        api = ApiClient(f"http://localhost:{node.port}", "admin-token")
        await with_bob(node, "http://127.0.0.1:1", settle_threshold=5)
        owe(node, 5)
        await until(lambda: any(one.error for one in node.settlements.book.open()))
        [waiting] = await api.settlements("bob")
        assert "does not answer" in waiting["error"]
        assert (await api.retry_settlement(waiting["id"]))["state"] == "sending"
        decision = await api.propose_void(waiting["id"], "the engine is gone", "me")
        assert "paid twice" in decision["text"]
